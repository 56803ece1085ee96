-- The counter is locked, so that a number that is being given is waited for; and updated, so that of two sessions that name the
-- same number the second sees the first, or (in REPEATABLE READ) gets a clean 40001. A counter is never made here: without one no
-- number was given.
create or replace function seqctl.void(
    series text,
    group_key text default '',
    on_date date default null,
    from_number bigint default null,
    to_number bigint default null,
    reason text default null,
    out period text,
    out numbers bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._series(series);
    v_to bigint := coalesce(to_number, from_number);
    v_range text := case
        when to_number > from_number then format('numbers %s to %s', from_number, to_number)
        else format('number %s', from_number)
    end;
    v_period date;
    v_where text;
    v_last bigint;
    v_other seqctl.voided_range;
begin
    if reason is null or reason !~ '\S' then
        raise exception using
            errcode = 'SQ024',
            message = 'voiding a number needs a reason',
            hint = 'Say why, for the auditor: reason => ''printed twice, see number 17''.';
    elsif from_number is null then
        raise exception using
            errcode = 'SQ027',
            message = 'from_number is NULL',
            hint = 'Name the number; for several, the first as from_number and the last as to_number.';
    elsif v_to < from_number then
        raise exception using
            errcode = 'SQ027',
            message = format('%s to %s is no range of numbers', from_number, v_to),
            hint = 'Give the lower number as from_number.';
    end if;
    v_period := seqctl._named_period(v_series, group_key, on_date);
    v_where := seqctl._counter_name(v_series, group_key, v_period);
    if from_number < v_series.first_number then
        raise exception using
            errcode = 'SQ027',
            message = format('%s: the first number of series %L is %s', v_range, v_series.name, v_series.first_number),
            hint = 'Only numbers that the series gave can be void.';
    end if;

    perform seqctl._lock_counter_row(v_series.id, group_key, v_period);
    perform seqctl._void_checkouts(v_series, group_key, v_period, from_number, v_to);
    update seqctl.counter c
    set last_number = c.last_number
    where c.series_id = v_series.id and c.group_key = void.group_key and c.period = v_period
    returning c.last_number into v_last;
    if coalesce(v_last, v_series.first_number - 1) < v_to then
        raise exception using
            errcode = 'SQ027',
            message = case
                when v_last >= v_series.first_number
                    then format('%s of %s: the last that was given is %s', v_range, v_where, v_last)
                else format('%s of %s: none was given yet', v_range, v_where)
            end,
            detail = 'A number that was not given yet will be given to a row.',
            hint = 'Check number, date and group: seqctl.counters has the last number of each counter.';
    end if;

    -- Ranges do not overlap, so the last one that begins at or before the end of this one tells.
    select r.* into v_other
    from seqctl.voided_range r
    where r.series_id = v_series.id and r.group_key = void.group_key and r.period = v_period and r.from_number <= v_to
    order by r.from_number desc
    limit 1;
    if v_other.to_number >= from_number then
        raise exception using
            errcode = 'SQ028',
            message = format(
                '%s of %s: %s in the register already', v_range, v_where,
                case
                    when v_other.from_number = v_other.to_number then v_other.from_number || ' is'
                    else format('%s to %s are', v_other.from_number, v_other.to_number)
                end
            ),
            detail = format(
                'Recorded by %s on %s UTC: %s',
                v_other.recorded_by, to_char(v_other.recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), v_other.reason
            ),
            hint = 'What is recorded stays. Name only numbers that are not in seqctl.voids.';
    end if;
    insert into seqctl.voided_range (series_id, group_key, period, from_number, to_number, reason)
    values (v_series.id, void.group_key, v_period, from_number, v_to, reason);

    period := seqctl._period_label(v_series.reset, v_series.fiscal_year_start, v_period);
    numbers := v_to - from_number + 1;
end
$function$;

comment on function seqctl.void(text, text, date, bigint, bigint, text) is
    'Records why a number, or a range of them, is missing or annulled; it is never given again, and the entry never changes.';

revoke all on function seqctl.void(text, text, date, bigint, bigint, text) from public;
