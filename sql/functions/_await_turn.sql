-- The queue for a counter that another transaction has locked. PostgreSQL wakes all who wait for a row whenever one of them is done with
-- it, to find a new version of it that somebody else has; with many clients that takes longer than the numbering. So one waits for the
-- row, and the others for an advisory lock, which goes from one to the next.
--
-- It is no more than a queue: what protects the counter is the lock of its row. Who has that already must not wait here, since the
-- first of the queue waits for it: so the row is tried before (SKIP LOCKED), and only who does not get it comes here.
--
-- Not for a counter that is not there, or is stopped: what is waited for then is something else (see _lock_counter). And only for the
-- first counter of a transaction, because each such lock takes room in shared memory.
create or replace function seqctl._await_turn(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform from seqctl.counter c
    where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period and not c.stopped;
    -- Counters whose hashes meet by chance wait a moment for nothing.
    return found and pg_advisory_xact_lock(hashtextextended(p_group_key, hash_array_extended(array[p_period], p_series_id))) is not null;
end
$function$;

comment on function seqctl._await_turn(integer, text, date) is
    'Queues for a counter that another transaction has locked; false if there is none that gives numbers.';

revoke all on function seqctl._await_turn(integer, text, date) from public;
