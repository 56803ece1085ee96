-- The queue for a counter that another transaction has locked. PostgreSQL wakes all who wait for a row whenever one of them is done with
-- it, to find a new version of it that somebody else has; with many clients that takes longer than the numbering. So one waits for the
-- row, and the others for an advisory lock, which goes from one to the next.
--
-- It is no more than a queue: what protects the counter is the lock of its row. Who has that already must not wait here, since the
-- first of the queue waits for it: so the row is tried before (SKIP LOCKED), and only who does not get it comes here. Nor does
-- anybody wait here for long: whoever may connect can take an advisory lock, and keep it.
--
-- Not for a counter that gives no number: what is waited for then (see _lock_counter) is not its row, or nothing is. Nor where numbers
-- are checked out: the first of the queue would look again and again, and the others sleep. Only for the first counter of a
-- statement, because each such lock takes room in shared memory.
create or replace function seqctl._await_turn(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_limit bigint
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_timeout text := current_setting('lock_timeout');
    v_checks_out boolean;
    v_set text;
begin
    select exists (
        select
        from seqctl.checkout k
        where k.series_id = c.series_id
            and k.group_key = c.group_key
            and k.period = c.period
            and (k.state <> 'released' or k.stops)
    ) into v_checks_out
    from seqctl.counter c
    where c.series_id = p_series_id
        and c.group_key = p_group_key
        and c.period = p_period
        and not c.stopped
        and (p_limit is null or c.last_number < p_limit);
    if not found or v_checks_out then
        return found;
    end if;
    if extract(epoch from v_timeout::interval) not between 0.001 and 1 then
        v_set := set_config('lock_timeout', '1s', true);
    end if;
    begin
        -- Counters whose hashes meet by chance wait a moment for nothing.
        perform pg_advisory_xact_lock(hashtextextended(p_group_key, hash_array_extended(array[p_period], p_series_id)));
    exception when lock_not_available then
        -- Then all wait for the row, with the caller's own lock_timeout.
        null;
    end;
    v_set := set_config('lock_timeout', v_timeout, true);
    return true;
end
$function$;

comment on function seqctl._await_turn(integer, text, date, bigint) is
    'Queues for a counter that another transaction has locked; false if there is none that gives numbers.';

revoke all on function seqctl._await_turn(integer, text, date, bigint) from public;
