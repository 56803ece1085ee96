-- Dates are compared as timestamps without time zone; those of timestamptz, as UTC has them.
create or replace function seqctl._clock_expression(
    p_date_type oid,
    p_time_zone text
)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    select format(
        'pg_catalog.timezone(%L, pg_catalog.clock_timestamp())',
        case p_date_type when 'timestamptz'::regtype then 'UTC' else p_time_zone end
    )
$function$;

comment on function seqctl._clock_expression(oid, text) is 'SQL of the time that a stamped date may not be after: UTC for timestamptz, else in the time zone.';

revoke all on function seqctl._clock_expression(oid, text) from public;
