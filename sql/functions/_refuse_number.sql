create or replace function seqctl._refuse_number(
    p_series_name text,
    p_number bigint,
    p_limit bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ014',
        message = format('series %L is exhausted: number %s is above its limit, %s', p_series_name, p_number, p_limit),
        detail = 'The limit is the series'' max_number or the largest value of the number column. No number was used.',
        hint = 'Open a new series, or make the column a bigint and raise max_number if the rules you follow allow it.';
end
$function$;

comment on function seqctl._refuse_number(text, bigint, bigint) is 'Raises SQ014.';

revoke all on function seqctl._refuse_number(text, bigint, bigint) from public;
