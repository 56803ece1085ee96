-- Locks the row of a counter, making it if this is the first number of the period. Insert first and look again: two
-- sessions that both find it missing must end up waiting for one row, not with a duplicate key. In REPEATABLE READ a row made
-- or changed since the snapshot is a clean 40001.
--
-- A new counter takes over whether its period is closed. Who closes or reopens changes the series' row first, which its maker
-- shares: so either the closing waits for the maker, and then finds the counter, or the maker waits for the closing and reads it in
-- the next statement, with a new snapshot (in REPEATABLE READ: 40001). The caller refuses a closed one (see _refuse_closed).
create or replace function seqctl._lock_counter(
    p_series_id integer,
    p_group_key text,
    p_period date,
    out last_number bigint,
    out row_id tid
)
language plpgsql
volatile
as $function$
begin
    loop
        select c.last_number, c.ctid into _lock_counter.last_number, _lock_counter.row_id
        from seqctl.counter c
        where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period
        for no key update;
        exit when found;
        perform from seqctl.series s where s.id = p_series_id for share;
        if not found then
            raise exception using
                errcode = 'SQ001',
                message = format('series number %s does not exist', p_series_id),
                detail = 'An attached table refers to it. Most likely seqctl''s tables were not restored, or not yet.',
                hint = 'Restore them first, or restore data with --disable-triggers.';
        end if;
        insert into seqctl.counter (series_id, group_key, period, last_number, closed)
        select s.id, p_group_key, p_period, s.first_number - 1, seqctl._is_closed(s.id, p_group_key, p_period)
        from seqctl.series s
        where s.id = p_series_id
        on conflict do nothing;
    end loop;
end
$function$;

comment on function seqctl._lock_counter(integer, text, date) is 'Locks a counter row, making it if needed: its last number and ctid.';

revoke all on function seqctl._lock_counter(integer, text, date) from public;
