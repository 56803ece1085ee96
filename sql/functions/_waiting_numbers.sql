-- Numbers that were released and wait to be given again (on_checkout recycle), the lowest first, without those that an attached table
-- holds: a row of a statement that is still running may have taken one. The caller holds the counter's lock.
create or replace function seqctl._waiting_numbers(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_how_many bigint default null,
    p_from bigint default null
)
returns bigint[]
language sql
volatile
as $function$
    select array(
        select k.number
        from (
            -- In order first, so that the tables are asked until there are enough, whatever the statistics promise.
            select k.number
            from seqctl.checkout k
            where k.series_id = p_series_id
                and k.group_key = p_group_key
                and k.period = p_period
                and k.stops
                and k.state = 'released'
                and k.number >= coalesce(p_from, k.number)
            order by k.number
            offset 0
        ) k
        cross join lateral seqctl._table_numbers(p_series_id, p_group_key, p_period, k.number, k.number) t
        where t.row_count = 0
        order by k.number
        limit p_how_many
    )
$function$;

comment on function seqctl._waiting_numbers(integer, text, date, bigint, bigint) is
    'The lowest released numbers of a counter that wait to be given again, so many at most, from one on.';

revoke all on function seqctl._waiting_numbers(integer, text, date, bigint, bigint) from public;
