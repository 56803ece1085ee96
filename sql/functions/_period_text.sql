create or replace function seqctl._period_text(
    p_series seqctl.series,
    p_period date
)
returns text
language sql
immutable
as $function$
    select case
        when p_series.reset = 'never' then format('series %L', p_series.name)
        else format(
            'period %s of series %L',
            seqctl._period_label(p_series.reset, p_series.fiscal_year_start, p_period), p_series.name
        )
    end
$function$;

comment on function seqctl._period_text(seqctl.series, date) is 'A period as messages name it; of a series that never resets, the series.';

revoke all on function seqctl._period_text(seqctl.series, date) from public;
