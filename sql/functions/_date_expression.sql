-- SQL for the date of a row, in the series' time zone. A timestamp without time zone is already local to it.
create or replace function seqctl._date_expression(
    p_column text,
    p_type oid,
    p_time_zone text
)
returns text
language sql
immutable
as $function$
    select case
        when p_type = 'timestamptz'::regtype
            then format('pg_catalog.timezone(%L, %s)::pg_catalog.date', p_time_zone, p_column)
        when p_type = 'timestamp'::regtype
            then format('(%s)::pg_catalog.date', p_column)
        else p_column
    end
$function$;

comment on function seqctl._date_expression(text, oid, text) is 'SQL text for the date of a row''s date column in a time zone.';

revoke all on function seqctl._date_expression(text, oid, text) from public;
