create or replace function seqctl._named_period(
    p_series seqctl.series,
    p_group_key text,
    p_on_date date
)
returns date
language plpgsql
stable
as $function$
begin
    if p_series.reset = 'never' then
        perform seqctl._check_row(format('series %L', p_series.name), p_group_key, false, null);
        return '-infinity';
    end if;
    return seqctl._period(p_series, p_group_key, p_on_date);
end
$function$;

comment on function seqctl._named_period(seqctl.series, text, date) is
    'The first day of the period that a call means: as _period, but a series that never resets needs no date.';

revoke all on function seqctl._named_period(seqctl.series, text, date) from public;
