-- Locks the row of a counter that is about to give a number, making it if this is the first number of the period. Insert first and
-- look again: two sessions that both find it missing must end up waiting for one row, not with a duplicate key. In REPEATABLE READ a
-- row made or changed since the snapshot is a clean 40001.
--
-- A new counter takes over whether its period is closed. Who closes or reopens changes the series' row first, which its maker
-- shares: so either the closing waits for the maker, and then finds the counter, or the maker waits for the closing and reads it in
-- the next statement, with a new snapshot (in REPEATABLE READ: 40001). A closed one is refused.
--
-- While a number is checked out that nobody else may pass, the counter is not locked, else who settles the checkout would wait for
-- those who wait for him. That is why a checkout puts a new row in the place of the old one (see _checkout): whoever waits for the lock of a
-- row that is updated gets that lock, wanted or not; of a row that is deleted, there is none to get. A counter that is stopped because
-- released numbers wait for the next caller is his to lock.
create or replace function seqctl._lock_counter(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_wait boolean default true,
    out last_number bigint,
    out row_id tid,
    out waits boolean
)
language plpgsql
volatile
as $function$
declare
    v_waited interval := '0';
    v_closed boolean;
begin
    loop
        select c.last_number, c.ctid, c.stopped into _lock_counter.last_number, _lock_counter.row_id, _lock_counter.waits
        from seqctl.counter c
        where c.series_id = p_series_id
            and c.group_key = p_group_key
            and c.period = p_period
            and not c.closed
            and (
                not c.stopped
                or exists (
                    select
                    from seqctl.checkout k
                    where k.series_id = c.series_id
                        and k.group_key = c.group_key
                        and k.period = c.period
                        and k.stops
                        and k.state = 'released'
                )
            )
        for no key update of c;
        exit when found;
        if exists (
            select from seqctl.counter c where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period
        ) then
            if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')
                and exists (
                    select
                    from seqctl.counter c
                    where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period and c.closed
                )
            then
                -- Reopened since the snapshot: a clean 40001.
                perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
            end if;
            perform seqctl._refuse_closed(p_series_id, p_group_key, p_period);
            exit when not p_wait;
            v_waited := seqctl._await_checkout(p_series_id, p_group_key, p_period, v_waited);
            continue;
        end if;
        perform from seqctl.series s where s.id = p_series_id for share;
        if not found then
            raise exception using
                errcode = 'SQ001',
                message = format('series number %s does not exist', p_series_id),
                detail = 'An attached table refers to it. Most likely seqctl''s tables were not restored, or not yet.',
                hint = 'Restore them first, or restore data with --disable-triggers.';
        end if;
        insert into seqctl.counter as c (series_id, group_key, period, last_number, closed, stopped)
        select s.id, p_group_key, p_period, s.first_number - 1, p.is_closed, p.is_closed
        from seqctl.series s
        cross join lateral (select seqctl._is_closed(s.id, p_group_key, p_period) as is_closed) p
        where s.id = p_series_id
        on conflict do nothing
        returning c.last_number, c.ctid, c.closed into _lock_counter.last_number, _lock_counter.row_id, v_closed;
        if found then
            waits := false;
            if v_closed then
                perform seqctl._refuse_closed(p_series_id, p_group_key, p_period);
            end if;
            exit;
        end if;
    end loop;
end
$function$;

comment on function seqctl._lock_counter(integer, text, date, boolean) is
    'Locks a counter row that gives numbers, making it if needed: its last number, its ctid, and whether released numbers wait. '
    'A checkout is waited for, or gives NULL.';

revoke all on function seqctl._lock_counter(integer, text, date, boolean) from public;
