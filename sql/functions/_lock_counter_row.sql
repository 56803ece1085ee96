-- For what settles or voids, not for what gives numbers (see _lock_counter). A checkout may put another row in the place of the one that is
-- waited for: so look again. That the lock is held is remembered: who holds it must not wait for a checkout (see _await_checkout).
create or replace function seqctl._lock_counter_row(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns void
language plpgsql
volatile
as $function$
declare
    v_counter text := seqctl._counter_text(p_period, p_group_key);
    v_row_id tid;
begin
    loop
        select c.ctid into v_row_id
        from seqctl.counter c
        where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period
        for no key update;
        exit when found or not exists (
            select from seqctl.counter c where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period
        );
    end loop;
    if v_row_id is not null and strpos(p_group_key, E'\x01') = 0 then
        perform seqctl._rest(p_series_id);
        if seqctl._held(p_series_id, v_counter) is null then
            perform seqctl._hold(p_series_id, v_counter, v_row_id::text, 0, null);
        end if;
    end if;
end
$function$;

comment on function seqctl._lock_counter_row(integer, text, date) is 'Locks the row of a counter, if there is one, whatever stops it.';

revoke all on function seqctl._lock_counter_row(integer, text, date) from public;
