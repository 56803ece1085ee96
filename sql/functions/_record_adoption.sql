-- Moves the counters of a series to the highest numbers in its tables and records what is missing on the way there as "before adoption".
-- It believes nothing that its caller says: the numbers are read from the attached tables, and where a counter knows them already,
-- nothing is left to do. Level admin may call it, but it acts only on what this transaction attached.
--
-- No sort of all numbers: they are summed up by 64 in a bit map each, as verify does.
create or replace function seqctl._record_adoption(
    p_attachment_id integer,
    p_reason text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
declare
    v_attachment seqctl.attachment;
    v_series seqctl.series;
begin
    select a.* into v_attachment from seqctl.attachment a where a.id = p_attachment_id and a.attached_at = now();
    if not found then
        return;
    end if;
    select s.* into strict v_series from seqctl.series s where s.id = v_attachment.series_id;
    perform seqctl._lock_adoption(v_series.name);

    execute format(
        $query$
        with numbered as (
            %s
        ),
        bitmap as materialized (
            select
                n.group_key,
                n.period,
                n.number >> 6 as part,
                bit_or(1::int8 << (n.number & 63)::int4) as bits,
                min(n.number) as low,
                max(n.number) as high
            from numbered n
            left join seqctl.counter c on c.series_id = $1 and c.group_key = n.group_key and c.period = n.period
            where n.number > coalesce(c.last_number, $2 - 1)
            group by n.group_key, n.period, n.number >> 6
        ),
        run as (
            select m.group_key, m.period, m.low, m.high
            from bitmap m
            where bit_count(m.bits::bit(64)) = m.high - m.low + 1
            union all
            select m.group_key, m.period, g.number, g.number
            from bitmap m
            cross join lateral generate_series(m.low, m.high) as g (number)
            where bit_count(m.bits::bit(64)) <> m.high - m.low + 1 and (m.bits >> (g.number & 63)::int4) & 1 = 1
        ),
        bounded as (
            select
                r.group_key,
                r.period,
                r.low,
                coalesce(lag(r.high) over in_order, greatest($2 - 1, c.last_number)) as previous
            from run r
            left join seqctl.counter c on c.series_id = $1 and c.group_key = r.group_key and c.period = r.period
            window in_order as (partition by r.group_key, r.period order by r.low)
        ),
        recorded as (
            insert into seqctl.voided_range (series_id, group_key, period, from_number, to_number, kind, reason)
            select $1, b.group_key, b.period, b.previous + 1, b.low - 1, 'before adoption', $3
            from bounded b
            where b.low > b.previous + 1
            order by b.group_key collate "C", b.period, b.low
        )
        insert into seqctl.counter as c (series_id, group_key, period, last_number, closed, stopped)
        select $1, m.group_key, m.period, max(m.high), seqctl._is_closed($1, m.group_key, m.period), seqctl._is_closed($1, m.group_key, m.period)
        from bitmap m
        group by m.group_key, m.period
        order by m.group_key collate "C", m.period
        on conflict (series_id, group_key, period) do update set last_number = greatest(c.last_number, excluded.last_number)
        $query$,
        (
            select string_agg(
                seqctl._fill(
                    'select (<<group>>) collate "C" as group_key, <<period>> as period, i.<<number>>::int8 as number '
                    'from <<target>> i where i.<<number>> is not null',
                    seqctl._adoption_values(a)
                ),
                E'\nunion all\n' order by a.id
            )
            from seqctl.attachment a
            join pg_class t on t.oid = a.target and t.relkind in ('r', 'p')
            where a.series_id = v_series.id
        )
    )
    using v_series.id, v_series.first_number, p_reason;
end
$function$;

comment on function seqctl._record_adoption(integer, text) is
    'Seeds the counters of a series from its tables, and records the gaps before adoption with their reason.';

revoke all on function seqctl._record_adoption(integer, text) from public;
