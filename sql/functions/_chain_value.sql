-- The same text in every session, whatever DateStyle, TimeZone, IntervalStyle, extra_float_digits or bytea_output say, once it is an element
-- of a JSON array: what depends on them is written in another way. What counts as equal is written alike (0 and -0, 1.0 and 1.00), but for
-- intervals. No cast that a user could define is used: seqctl's owner evaluates this.
create or replace function seqctl._chain_value(
    p_column text,
    p_type oid
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select format(
        case
            when t.typtype = 'e' then 'pg_catalog.enum_out(%1$s::%2$s.%3$I)::pg_catalog.text'
            when t.oid = 'numeric'::regtype then 'pg_catalog.trim_scale(%1$s)'
            when t.oid = 'timestamptz'::regtype then 'pg_catalog.timezone(''UTC'', %1$s)'
            when t.oid = 'real'::regtype
                then 'pg_catalog.encode(pg_catalog.float4send(%1$s operator(pg_catalog.+) 0::pg_catalog.float4), ''hex'')'
            when t.oid = 'double precision'::regtype
                then 'pg_catalog.encode(pg_catalog.float8send(%1$s operator(pg_catalog.+) 0::pg_catalog.float8), ''hex'')'
            when t.oid = 'interval'::regtype then 'pg_catalog.encode(pg_catalog.interval_send(%1$s), ''hex'')'
            when t.oid = 'bytea'::regtype then 'pg_catalog.encode(%1$s, ''hex'')'
            when t.oid = 'json'::regtype then 'pg_catalog.json_out(%1$s)::pg_catalog.text'
            when t.oid = 'jsonb'::regtype then 'pg_catalog.jsonb_out(%1$s)::pg_catalog.text'
            -- A domain is taken for what is under it.
            else '%1$s::%2$s.%3$I'
        end,
        p_column, t.typnamespace::regnamespace, t.typname
    )
    from pg_type t
    where t.oid = seqctl._base_type(p_type)
$function$;

comment on function seqctl._chain_value(text, oid) is 'SQL text for the value of a column as a hash chain covers it.';

revoke all on function seqctl._chain_value(text, oid) from public;
