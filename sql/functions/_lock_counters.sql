create or replace function seqctl._lock_counters(
    p_series_id integer,
    p_period date,
    p_group_key text
)
returns void
language plpgsql
volatile
as $function$
begin
    perform from seqctl.counter c
    where c.series_id = p_series_id
        and (p_period is null or c.period = p_period)
        and (p_group_key is null or c.group_key = p_group_key)
    order by c.group_key collate "C", c.period
    for no key update;
end
$function$;

comment on function seqctl._lock_counters(integer, date, text) is
    'Locks the counters of a series in the order of their keys, of one period or group where that is given.';

revoke all on function seqctl._lock_counters(integer, date, text) from public;
