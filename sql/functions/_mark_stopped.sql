-- The caller holds the counter's lock, and has changed rows of seqctl.checkout.
create or replace function seqctl._mark_stopped(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_last_number bigint default null
)
returns void
language plpgsql
volatile
as $function$
declare
    v_counter text := seqctl._counter_text(p_period, p_group_key);
    v_row_id tid;
begin
    perform seqctl._rest(p_series_id);
    -- See _start_run.
    perform set_config('seqctl.waiting_' || p_series_id, '', true);
    update seqctl.counter c
    set
        last_number = greatest(c.last_number, p_last_number),
        stopped = c.closed or exists (
            select
            from seqctl.checkout k
            where k.series_id = c.series_id and k.group_key = c.group_key and k.period = c.period and k.stops
        )
    where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period
    returning c.ctid into v_row_id;
    if strpos(p_group_key, E'\x01') = 0 then
        -- The next row asks the tables.
        perform seqctl._hold(p_series_id, v_counter, v_row_id::text, 0, null);
    end if;
end
$function$;

comment on function seqctl._mark_stopped(integer, text, date, bigint) is
    'Works out whether a counter is stopped, moves its last number up if told to, and forgets what the transaction remembers of it.';

revoke all on function seqctl._mark_stopped(integer, text, date, bigint) from public;
