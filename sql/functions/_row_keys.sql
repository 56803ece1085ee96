-- The primary key finds rows again after their INSERT (a transition table does not have their ctid), and orders pending rows.
create or replace function seqctl._row_keys(p_target regclass)
returns table (key_position bigint, name name, type text, builtin boolean)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select
        k.position,
        a.attname,
        format('%I.%I', b.typnamespace::regnamespace::text, b.typname),
        b.typnamespace = 'pg_catalog'::regnamespace and b.typtype = 'b'
    from pg_index i
    cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (attnum, position)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    join pg_type b on b.oid = seqctl._base_type(a.atttypid)
    where i.indrelid = p_target and i.indisprimary and k.position <= i.indnkeyatts
    order by k.position
$function$;

comment on function seqctl._row_keys(regclass) is 'The columns of a table''s primary key, with their base types.';

revoke all on function seqctl._row_keys(regclass) from public;
