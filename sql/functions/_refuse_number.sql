-- p_group_key is NULL where many rows are numbered together, of one counter or another.
create or replace function seqctl._refuse_number(
    p_series_id integer,
    p_group_key text,
    p_period date,
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
        message = (
            select format(
                '%s is exhausted: number %s is above its limit, %s',
                case when p_group_key is null then format('series %L', s.name) else seqctl._counter_name(s, p_group_key, p_period) end,
                p_number, p_limit
            )
            from seqctl.series s
            where s.id = p_series_id
        ),
        detail = 'The limit is the series'' max_number or the largest value of the number column. No number was used.',
        hint = 'Open a new series, or make the column a bigint and raise max_number if the rules you follow allow it.';
end
$function$;

comment on function seqctl._refuse_number(integer, text, date, bigint, bigint) is 'Raises SQ014.';

revoke all on function seqctl._refuse_number(integer, text, date, bigint, bigint) from public;
