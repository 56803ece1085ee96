-- What lower_counter and remove_counter share; p_last_number is NULL for the latter.
--
-- The locks are those of close_period: who has numbered finishes first and is seen, nobody makes a counter or attaches a table meanwhile. Whoever
-- waited, or has an older snapshot, finds another counter row, or none: he gets the next number of now, or (in REPEATABLE READ) a clean 40001. What
-- this transaction remembers of the counter is forgotten: its next row asks the tables.
create or replace function seqctl._correct_counter(
    p_function text,
    p_series text,
    p_group_key text,
    p_on_date date,
    p_last_number bigint,
    p_reason text,
    out period text,
    out previous_number bigint
)
language plpgsql
volatile
as $function$
declare
    v_removes boolean := p_function = 'remove_counter';
    v_series seqctl.series := seqctl._series(p_series);
    v_period date;
    v_name text;
    v_counter seqctl.counter;
    v_used record;
    v_closing seqctl.period_closing;
begin
    if p_reason is null or p_reason !~ '\S' then
        raise exception using
            errcode = 'SQ024',
            message = format('%s a counter needs a reason', case when v_removes then 'removing' else 'lowering' end),
            hint = 'Say why, for the auditor: reason => ''numbers 8 to 10 were a test import, ticket 4711''.';
    elsif p_last_number is null and not v_removes then
        raise exception using
            errcode = 'SQ043',
            message = 'last_number is NULL',
            hint = 'Name the last number that the counter is to have; the next row gets the one after it.';
    end if;
    v_period := seqctl._named_period(v_series, p_group_key, p_on_date);
    v_name := seqctl._counter_name(v_series, p_group_key, v_period);
    if p_last_number < v_series.first_number - 1 then
        raise exception using
            errcode = 'SQ043',
            message = format('the counter of %s cannot be lowered to %s: the first number is %s', v_name, p_last_number, v_series.first_number),
            hint = format('With last_number => %s the next number is the first.', v_series.first_number - 1);
    end if;

    perform seqctl._lock_period(v_series, p_function, v_period, p_group_key);
    perform seqctl._lock_counter_row(v_series.id, p_group_key, v_period);
    select c.* into v_counter
    from seqctl.counter c
    where c.series_id = v_series.id and c.group_key = p_group_key and c.period = v_period;
    if not found then
        raise exception using
            errcode = 'SQ043',
            message = format('%s has no counter', v_name),
            hint = 'Check series, date and group: seqctl.counters has a row for each counter.';
    elsif v_counter.closed then
        select p.* into v_closing
        from seqctl.period_closing p
        where p.series_id = v_series.id
            and p.period = v_period
            and (p.group_key is null or p.group_key = p_group_key)
            and p.action = 'close'
        order by p.id desc
        limit 1;
        raise exception using
            errcode = 'SQ020',
            message = format('%s is closed, and its counter stays at %s', v_name, v_counter.last_number),
            detail = format(
                'Closed by %s on %s UTC. Nothing was changed.',
                v_closing.changed_by, to_char(v_closing.changed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
            ),
            hint = 'What is missing at its end can be void: select seqctl.void(...). Or have the period reopened: select seqctl.reopen_period(...).';
    elsif p_last_number >= v_counter.last_number then
        raise exception using
            errcode = 'SQ043',
            message = format('the counter of %s is at %s: %s is not lower', v_name, v_counter.last_number, p_last_number),
            hint = 'A counter goes up by giving numbers. Those that will be on no document: seqctl.allocate(), then seqctl.void().';
    end if;

    v_used := seqctl._numbers_in_use(v_series.id, p_group_key, v_period, p_last_number);
    if v_used.highest is not null then
        raise exception using
            errcode = 'SQ043',
            message = format(
                'the counter of %s cannot be %s: number %s is in use', v_name,
                case when v_removes then 'removed' else format('lowered to %s', p_last_number) end, v_used.highest
            ),
            detail = upper(left(v_used.reasons, 1)) || substr(v_used.reasons, 2) || '. Nothing was changed.',
            hint = case
                when v_used.highest >= v_counter.last_number then 'No lower number will do. What is missing below it can be void: select seqctl.void(...).'
                else format('The lowest that will do: seqctl.lower_counter(..., last_number => %s).', greatest(v_used.highest, v_series.first_number - 1))
            end;
    end if;
    if not exists (select from seqctl.attachment a where a.series_id = v_series.id) then
        raise notice using
            message = format('series %L numbers no attached table', v_series.name),
            detail = 'So nobody but you can know whether a document has a number that will be given again.',
            hint = 'If one may have it: void the number instead.';
    end if;

    insert into seqctl.counter_correction (series_id, group_key, period, kind, from_number, to_number, reason)
    values (
        v_series.id, p_group_key, v_period, case when v_removes then 'removed' else 'lowered' end, v_counter.last_number, p_last_number,
        p_reason
    );
    if v_removes then
        delete from seqctl.counter c
        where c.series_id = v_series.id and c.group_key = p_group_key and c.period = v_period;
    else
        update seqctl.counter c
        set
            last_number = p_last_number,
            last_at = case when c.last_at is not null then seqctl._latest_date(v_series.id, p_group_key, v_period) end,
            early_xid = null,
            early_from = null
        where c.series_id = v_series.id and c.group_key = p_group_key and c.period = v_period;
    end if;
    perform seqctl._mark_stopped(v_series.id, p_group_key, v_period);

    period := seqctl._period_label(v_series.reset, v_series.fiscal_year_start, v_period);
    previous_number := v_counter.last_number;
end
$function$;

comment on function seqctl._correct_counter(text, text, text, date, bigint, text) is 'What lower_counter() and remove_counter() do.';

revoke all on function seqctl._correct_counter(text, text, text, date, bigint, text) from public;
