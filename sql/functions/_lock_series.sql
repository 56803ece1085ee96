-- For whatever changes the rules under which a series gives numbers: locks the series' row, which those share who make a counter
-- or an attachment, and the counters that are concerned (p_counters; of all periods or groups where those are NULL), in the order of
-- their keys. FOR NO KEY UPDATE is enough on the row: it conflicts with FOR SHARE, and lets the checks of foreign keys pass.
--
-- READ COMMITTED only: a counter that was made since the snapshot of a REPEATABLE READ transaction is invisible to it, so it could
-- neither be closed nor be compared with a new limit, and nothing would tell (its maker leaves no trace in the series' row).
--
-- A writer may hold a counter and then make another, and so share the series' row second, or the other way round. So that this is
-- no deadlock, nobody is waited for long while both could be in the way: after 200 ms everything is let go (a subtransaction)
-- and tried in the other order. What is waited for first in either order is waited for with the caller's own lock_timeout.
create or replace function seqctl._lock_series(
    p_name text,
    p_function text,
    p_counters boolean,
    p_period date,
    p_group_key text
)
returns seqctl.series
language plpgsql
volatile
as $function$
declare
    v_series seqctl.series := seqctl._series(p_name);
    v_timeout text := current_setting('lock_timeout');
    v_is_first boolean;
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using
            errcode = 'SQ025',
            message = format('%s does not run in %s', p_function, upper(current_setting('transaction_isolation'))),
            detail = 'The snapshot of this transaction does not show what others changed since, such as the first number of a group.',
            hint = 'Run it in a transaction of its own that starts with: begin isolation level read committed;';
    end if;

    for v_try in 1 .. 20 loop
        begin
            v_is_first := true;
            if v_try % 2 = 1 then
                perform from seqctl.series s where s.id = v_series.id for no key update;
            else
                perform seqctl._lock_counters(v_series.id, p_period, p_group_key);
            end if;
            exit when not p_counters;
            v_is_first := false;
            -- The last time, whoever waits in a circle is told so by PostgreSQL.
            if v_try < 20 and extract(epoch from v_timeout::interval) not between 0.001 and 0.2 then
                perform set_config('lock_timeout', '200ms', true);
            end if;
            perform from seqctl.series s where s.id = v_series.id for no key update;
            perform seqctl._lock_counters(v_series.id, p_period, p_group_key);
            perform set_config('lock_timeout', v_timeout, true);
            exit;
        exception when lock_not_available then
            if v_is_first or v_try = 20 then
                raise;
            end if;
        end;
    end loop;
    -- As it is now; or it was dropped meanwhile.
    return seqctl._series(p_name);
end
$function$;

comment on function seqctl._lock_series(text, text, boolean, date, text) is
    'Locks a series, and counters of it, against those who give numbers: its row.';

revoke all on function seqctl._lock_series(text, text, boolean, date, text) from public;
