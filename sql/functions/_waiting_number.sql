-- Of the numbers that were released and wait to be given again (on_checkout recycle), the lowest that no attached table holds: a row of a
-- statement that is still running may have taken one. The caller holds the counter's lock.
create or replace function seqctl._waiting_number(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns bigint
language sql
volatile
as $function$
    select k.number
    from seqctl.checkout k
    cross join lateral seqctl._table_numbers(p_series_id, p_group_key, p_period, k.number, k.number) t
    where k.series_id = p_series_id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.stops
        and k.state = 'released'
        and t.row_count = 0
    order by k.number
    limit 1
$function$;

comment on function seqctl._waiting_number(integer, text, date) is 'The lowest released number of a counter that waits to be given again, or NULL.';

revoke all on function seqctl._waiting_number(integer, text, date) from public;
