-- SQL for the first day of the period of a date. The same text serves the trigger, the unique index and every query, so it
-- is immutable and calls nothing but pg_catalog by full name: it must mean the same under any search_path.
create or replace function seqctl._period_expression(
    p_reset text,
    p_fiscal_year_start text,
    p_date text
)
returns text
language plpgsql
immutable
as $function$
declare
    v_month integer := left(p_fiscal_year_start, 2)::integer;
    v_day integer := right(p_fiscal_year_start, 2)::integer;
    v_shift text;
begin
    if p_reset = 'never' then
        return '''-infinity''::pg_catalog.date';
    elsif p_reset = 'daily' then
        return p_date;
    elsif p_reset = 'yearly' and p_fiscal_year_start <> '01-01' then
        -- Months first, then days, as PostgreSQL subtracts an interval: no month's length can move the boundary.
        v_shift := pg_catalog.format('''%s mons %s days''::pg_catalog.interval', v_month - 1, v_day - 1);
        return pg_catalog.format(
            'pg_catalog.timestamp_pl_interval(pg_catalog.date_trunc(''year'', '
            'pg_catalog.timestamp_mi_interval((%s)::pg_catalog.timestamp, %s)), %s)::pg_catalog.date',
            p_date, v_shift, v_shift
        );
    end if;
    return pg_catalog.format(
        'pg_catalog.date_trunc(%L, (%s)::pg_catalog.timestamp)::pg_catalog.date',
        case p_reset when 'yearly' then 'year' when 'quarterly' then 'quarter' else 'month' end,
        p_date
    );
end
$function$;

comment on function seqctl._period_expression(text, text, text) is 'SQL text for the first day of the period that a date is in.';

revoke all on function seqctl._period_expression(text, text, text) from public;
