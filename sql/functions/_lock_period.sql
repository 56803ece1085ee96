-- For whatever names a period by a date: what the series said of periods when the caller worked out which one is meant must hold under the lock.
create or replace function seqctl._lock_period(
    p_series seqctl.series,
    p_function text,
    p_period date,
    p_group_key text
)
returns void
language plpgsql
volatile
as $function$
declare
    v_locked seqctl.series := seqctl._lock_series(p_series.name, p_function, true, p_period, p_group_key);
begin
    if (v_locked.id, v_locked.reset, v_locked.fiscal_year_start) is distinct from (p_series.id, p_series.reset, p_series.fiscal_year_start)
    then
        raise exception using
            errcode = '40001',
            message = format('series %L was altered meanwhile', p_series.name),
            hint = 'Run the transaction again.';
    end if;
end
$function$;

comment on function seqctl._lock_period(seqctl.series, text, date, text) is
    'Locks a series and its counters of a period, all or those of a group; 40001 if it was altered since it was read.';

revoke all on function seqctl._lock_period(seqctl.series, text, date, text) from public;
