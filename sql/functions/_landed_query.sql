-- The query of settle and settle_update: what landed, by counter, and which counters that settles.
create or replace function seqctl._landed_query(p_values jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    select seqctl._fill(
        $template$
        with landed as materialized (
            select
                <<row_group>> as group_key,
                <<row_period>> as period,
                pg_catalog.count(i.<<number>>) as row_count,<<count_distinct>><<landed_dates>><<landed_wrong>>
                pg_catalog.min(i.<<number>>) as low,
                pg_catalog.max(i.<<number>>) as high
            from <<rows_with_dates>><<rows>> i<<end_rows_with_dates>><<issued_rows>>
            group by 1, 2
        ),
        settled as (
            update seqctl.counter c
            set last_number = l.high<<set_last_at>>
            from landed l
            where c.series_id operator(pg_catalog.=) <<series_id>>
                and c.group_key operator(pg_catalog.=) l.group_key
                and c.period operator(pg_catalog.=) l.period
                and c.last_number operator(pg_catalog.=) (l.low operator(pg_catalog.-) 1)
                and l.row_count operator(pg_catalog.=) (l.high operator(pg_catalog.-) c.last_number)<<is_distinct>><<dates_follow>><<within_limit>>
                and not c.stopped
            returning c.group_key, c.period, c.ctid as row_id
        )<<links>>
        select l.group_key, l.period, l.low, l.high, s.row_id<<select_count>>
        from landed l
        left join settled s on s.group_key operator(pg_catalog.=) l.group_key and s.period operator(pg_catalog.=) l.period
        order by s.row_id nulls last, l.group_key collate pg_catalog."C", l.period$template$,
        p_values
    )
$function$;

comment on function seqctl._landed_query(jsonb) is 'SQL text in settle that tells what landed and moves the counters; p_values says which rows.';

revoke all on function seqctl._landed_query(jsonb) from public;
