create or replace function seqctl._period(
    p_series seqctl.series,
    p_group_key text,
    p_on_date date
)
returns date
language plpgsql
stable
as $function$
declare
    v_period date;
begin
    perform seqctl._check_row(
        format('series %L', p_series.name),
        p_group_key,
        p_series.reset <> 'never' or seqctl._format_needs_date(p_series.format),
        p_on_date
    );
    execute 'select ' || seqctl._period_expression(p_series.reset, p_series.fiscal_year_start, '$1') into v_period using p_on_date;
    return v_period;
end
$function$;

comment on function seqctl._period(seqctl.series, text, date) is 'The first day of the period of a date, after checking group and date.';

revoke all on function seqctl._period(seqctl.series, text, date) from public;
