-- One look at the checkout that stops a counter: raises, or waits a moment and returns how long was waited by now. No lock is held
-- meanwhile, because whoever settles the checkout needs the counter; and nothing wakes those who wait, so they look again, after 10 ms at
-- first, later after 100 ms. What was waited is added up from the naps: no clock that is set back makes it longer.
create or replace function seqctl._await_checkout(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_waited interval
)
returns interval
language plpgsql
volatile
as $function$
declare
    v_checkout seqctl.checkout;
    v_series seqctl.series;
    v_timeout interval := current_setting('lock_timeout');
    v_nap interval := greatest('10 ms', least('100 ms', p_waited / 4));
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        -- The snapshot does not move on: only a lock tells, by 40001, that the counter has changed. It is given back at once.
        begin
            perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
            raise sqlstate 'SQ034';
        exception when sqlstate 'SQ034' then
            null;
        end;
    end if;

    select k.* into v_checkout
    from seqctl.checkout k
    where k.series_id = p_series_id and k.group_key = p_group_key and k.period = p_period and k.stops and k.state = 'open';
    if not found then
        -- Settled meanwhile. A counter that is stopped for no reason was changed by hand, or half restored.
        update seqctl.counter c
        set stopped = c.closed
        where c.series_id = p_series_id
            and c.group_key = p_group_key
            and c.period = p_period
            and c.stopped
            and not exists (
                select
                from seqctl.checkout k
                where k.series_id = c.series_id and k.group_key = c.group_key and k.period = c.period and k.stops
            );
        return p_waited;
    end if;

    select s.* into v_series from seqctl.series s where s.id = p_series_id;
    if v_checkout.opened_xid = pg_current_xact_id_if_assigned() then
        raise exception using
            errcode = 'SQ036',
            message = format('%s was checked out by this very transaction', seqctl._checkout_text(v_series, v_checkout)),
            detail = format(
                'For correlation id %L. The transaction would wait for itself. No number was used.', v_checkout.correlation_id),
            hint = 'Check numbers out in a transaction of their own, or finalize or release this one first.';
    elsif seqctl._held(p_series_id, seqctl._counter_text(p_period, p_group_key)) is not null then
        -- It settled, voided or stored another number of the counter before.
        raise exception using
            errcode = 'SQ036',
            message = format('%s is checked out, and this transaction holds its counter', seqctl._checkout_text(v_series, v_checkout)),
            detail = seqctl._checkout_detail(v_checkout) || ' Nobody could settle it meanwhile. No number was used.',
            hint = 'Commit first; then ask for the number in another transaction.';
    elsif v_checkout.expires_at <= clock_timestamp() then
        if v_series.ttl_action = 'release' then
            -- If somebody else settles it first, the lock is given back: who needs it next may be settling another one.
            begin
                perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
                if not exists (select from seqctl.checkout k where k.id = v_checkout.id and k.state = 'open') then
                    raise sqlstate 'SQ035';
                end if;
                perform seqctl._end_checkout(v_checkout, 'released', 'expired', null);
            exception when sqlstate 'SQ035' then
                null;
            end;
            return p_waited;
        end if;
        raise exception using
            errcode = 'SQ035',
            message = format('%s is checked out, and the checkout has expired', seqctl._checkout_text(v_series, v_checkout)),
            detail = seqctl._checkout_detail(v_checkout) || ' No number was used.',
            hint = format(
                'Find out whether a document has the number. If one has: seqctl lease finalize %1$s %2$s; else: seqctl lease release %1$s %2$s.',
                seqctl._shell_word(v_series.name), seqctl._shell_word(v_checkout.correlation_id)
            );
    elsif v_series.on_checkout = 'fail' or v_timeout > '0' and p_waited >= v_timeout then
        raise exception using
            errcode = case when v_series.on_checkout = 'fail' then 'SQ034' else '55P03' end,
            message = format(
                '%s is checked out%s', seqctl._checkout_text(v_series, v_checkout),
                case when v_series.on_checkout <> 'fail' then format(', and lock_timeout (%s) is over', current_setting('lock_timeout')) end
            ),
            detail = seqctl._checkout_detail(v_checkout) || ' No number was used.',
            hint = 'No later number is given before seqctl.finalize() or seqctl.release() has settled it. Run the transaction again.';
    end if;
    v_nap := least(v_nap, v_checkout.expires_at - clock_timestamp());
    if v_timeout > '0' then
        v_nap := least(v_nap, v_timeout - p_waited);
    end if;
    -- At least a little, or the sum would not grow.
    v_nap := greatest(v_nap, '1 ms');
    perform pg_sleep(extract(epoch from v_nap));
    return p_waited + v_nap;
end
$function$;

comment on function seqctl._await_checkout(integer, text, date, interval) is
    'Waits a moment for the checkout that stops a counter, or raises 55P03, SQ034, SQ035 or SQ036.';

revoke all on function seqctl._await_checkout(integer, text, date, interval) from public;
