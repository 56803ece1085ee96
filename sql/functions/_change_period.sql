-- What close_period and reopen_period share. Who holds a counter finishes first, and nobody makes one meanwhile (see _lock_series
-- and _lock_counter); so the time in the history is not before that of the last number.
create or replace function seqctl._change_period(
    p_function text,
    p_series text,
    p_on_date date,
    p_group_key text,
    p_reason text,
    out period text,
    out changed boolean,
    out counters bigint
)
language plpgsql
volatile
as $function$
declare
    v_action text := split_part(p_function, '_', 1);
    v_series seqctl.series := seqctl._series(p_series);
    v_period date;
    v_last seqctl.period_closing;
    v_end date;
begin
    v_period := seqctl._named_period(v_series, coalesce(p_group_key, ''), p_on_date);
    perform seqctl._lock_period(v_series, p_function, v_period, p_group_key);
    period := seqctl._period_label(v_series.reset, v_series.fiscal_year_start, v_period);
    counters := 0;

    -- A closing of all groups is undone for one by a later row of that group.
    select p.* into v_last
    from seqctl.period_closing p
    where p.series_id = v_series.id and p.period = v_period and (p.group_key is null or p.group_key = p_group_key)
    order by p.id desc
    limit 1;
    changed := coalesce(v_last.action, 'reopen') <> v_action
        or p_group_key is null and exists (
            select from (
                select distinct on (p.group_key) p.action
                from seqctl.period_closing p
                where p.series_id = v_series.id
                    and p.period = v_period
                    and p.group_key is not null
                    and p.id > coalesce(v_last.id, 0)
                order by p.group_key, p.id desc
            ) g
            where g.action <> v_action
        );
    if not changed then
        raise notice using
            message = format(
                '%s is %s already%s',
                seqctl._period_text(v_series, v_period),
                case v_action when 'close' then 'closed' else 'open' end,
                case when p_group_key is not null then format(' for group %L', p_group_key) end
            ),
            detail = case
                when v_last.id is null then 'It was never closed. Nothing was changed.'
                else format(
                    '%s by %s on %s UTC. Nothing was changed.',
                    case v_last.action when 'close' then 'Closed' else 'Reopened' end,
                    v_last.changed_by, to_char(v_last.changed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
                )
            end;
        return;
    end if;

    if v_action = 'close' then
        -- So in a closed period nothing but that stops a counter.
        perform seqctl._refuse_checkouts(v_series, v_period, p_group_key, 'the period cannot be closed');
    end if;
    update seqctl.series s set periods_changed_at = clock_timestamp() where s.id = v_series.id;
    update seqctl.counter c
    set closed = v_action = 'close', stopped = v_action = 'close'
    where c.series_id = v_series.id
        and c.period = v_period
        and (p_group_key is null or c.group_key = p_group_key)
        and c.closed <> (v_action = 'close');
    get diagnostics counters = row_count;
    insert into seqctl.period_closing (series_id, period, group_key, action, reason)
    values (v_series.id, v_period, p_group_key, v_action, p_reason);

    v_end := v_period + case v_series.reset
        when 'yearly' then interval '1 year'
        when 'quarterly' then interval '3 months'
        when 'monthly' then interval '1 month'
        when 'daily' then interval '1 day'
    end;
    if v_action = 'close' and (clock_timestamp() at time zone v_series.time_zone)::date < v_end then
        raise notice using
            message = format('%s has not ended', seqctl._period_text(v_series, v_period)),
            detail = format('Its last day is %s, in %s.', to_char(v_end - 1, 'YYYY-MM-DD'), v_series.time_zone),
            hint = 'If that is a mistake: seqctl.reopen_period().';
    end if;
end
$function$;

comment on function seqctl._change_period(text, text, date, text, text) is 'Closes or reopens a period, for one group or all.';

revoke all on function seqctl._change_period(text, text, date, text, text) from public;
