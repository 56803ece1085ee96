import { checkoutColumns, checkoutEntries, type CheckoutKind, expiredCheckouts } from './checkouts.js';
import { gapMapParts } from './gap-map.js';
import type { NumberSource } from './sources.js';

/** Whether the row is an error (0), a warning (1) or explained (2). */
export type Rank = 0 | 1 | 2;

export type OddKind =
  | 'missing'
  | 'duplicate'
  | 'below_first'
  | 'counter_behind'
  | 'counter_missing'
  | 'without_counter'
  | 'counter_below_first'
  | 'document';

/** A row of the query; bigint comes as text. */
export interface OddRow {
  readonly kind: OddKind;
  readonly rank: Rank;
  readonly group_key: string | null;
  readonly period: string | null;
  /** As PostgreSQL writes the date. */
  readonly period_start: string | null;
  readonly low: string;
  readonly high: string;
  /** How far the counter is; null where there is none. */
  readonly last_number: string | null;
  readonly row_count: string;
  /** Of missing numbers: the nearest ones that are there. */
  readonly before: string | null;
  readonly after: string | null;
  readonly explanation: 'void' | 'before adoption' | CheckoutKind | null;
  readonly reason: string | null;
  readonly recorded_by: string | null;
  readonly recorded_at: Date | null;
  /** Of document numbers: the table, and the first one that is odd. */
  readonly target: string | null;
  readonly document_number: string | null;
  readonly expected: string | null;
  /** How many rows of this rank there are. */
  readonly total: string;
}

const noRow = `select null::text collate "C" as group_key, null::date as period, null::int8 as number, null::date as dated,
    null::int4 as attachment_id, null::text collate "C" as document_number, null::text as expected, null::boolean as is_odd
where false`;

/**
 * With the statistics of one table alone the planner takes nearly every number for a bit map of its own, and then does not let several
 * processes sum them up. This adds nothing to the plan, but there are no statistics of a union.
 */
function noNumber(hasDocuments: boolean): string {
  const isOdd = hasDocuments ? ', null::boolean as is_odd' : '';
  return `select null::text collate "C" as group_key, null::date as period, null::int8 as part, null::int8 as number${isOdd}
from seqctl.series
where false`;
}

/**
 * No sort of all numbers: they are summed up by 64 in a bit map each, which hashes, runs in parallel and spills to disk. A counter
 * without a hole is one run, and so is a bit map; only one with holes is taken apart. Duplicates and odd document numbers are looked up in a second
 * pass, which reads nothing where no bit map has any.
 *
 * Gaps are cut where an entry of the void register begins or ends: their ends and those of the entries are sorted together, and
 * running sums tell of each piece whether it is in a gap and in which entry, however many there are of both. Numbers of checkouts are
 * entries, too; what is also in the register is explained by that.
 *
 * Parameters: most errors, and most warnings; most explained gaps; a group or null; whether only gaps are asked for; a period or null, as
 * seqctl.counters shows it; with `mapped`, how many counters are drawn.
 */
export function numbersQuery(
  seriesId: number,
  first: bigint,
  sources: readonly NumberSource[],
  mapped = false,
): string {
  const map = mapped ? gapMapParts(seriesId, first) : undefined;
  const rows = sources.map(({ columns, from }) => `${columns} ${from}`);
  const hasDocuments = sources.some(({ hasDocumentNumber }) => hasDocumentNumber);
  // The columns that are summed up and no others, so that no step of the plan has to leave any out.
  const numbers = sources.map(
    ({ counter, number, isOdd, from }) =>
      `select ${counter}, ${number} >> 6 as part, ${number} as number${hasDocuments ? `, ${isOdd} as is_odd` : ''} ${from}`,
  );
  return `
with numbered as not materialized (
${rows.join('\nunion all\n') || noRow}
),
summed as (
    select
        group_key,
        period,
        part,
        bit_or(1::int8 << (number & 63)::int4) as bits,
        min(number) as low,
        max(number) as high,
        count(*) as row_count,
        ${hasDocuments ? 'bool_or(is_odd)' : 'false'} as has_odd
    from (
${[...numbers, noNumber(hasDocuments)].join('\nunion all\n')}
    ) as n
    group by group_key, period, part
),
bitmap as materialized (
    select *, bit_count(bits::bit(64)) as bit_count
    from summed
),
whole as materialized (
    select
        group_key,
        period,
        min(low) as low,
        max(high) as high,
        -- Rows without a group or a date are one finding, whatever is missing among them.
        group_key is null or period is null or sum(bit_count) = max(high)::numeric - min(low) + 1 as is_whole,
        bool_or(row_count > bit_count) as has_duplicate,
        bool_or(has_odd) as has_odd
    from bitmap
    group by group_key, period
),
open_bitmap as not materialized (
    select m.*
    from bitmap as m
    join whole as w on w.group_key = m.group_key and w.period = m.period
    where not w.is_whole
),
run as (
    select group_key, period, low, high
    from whole
    where is_whole
    union all
    select group_key, period, low, high
    from open_bitmap
    where bit_count = high - low + 1
    union all
    select m.group_key, m.period, n.number, n.number
    from open_bitmap as m
    cross join lateral generate_series(m.low, m.high) as n (number)
    where m.bit_count <> m.high - m.low + 1 and (m.bits >> (n.number & 63)::int4) & 1 = 1
),
neighbour as (
    select group_key, period, low, high, lag(high) over in_order as previous, lead(low) over in_order as next
    from run
    window in_order as (partition by group_key, period order by low)
),
edge as (
    select *, greatest(low, -9223372036854775807) - 1 as before
    from neighbour
    where previous is null or next is null or previous <> greatest(low, -9223372036854775807) - 1
),
duplicate as (
    select n.group_key, n.period, n.number, count(*) as row_count
    from numbered as n
    join bitmap as m on m.group_key = n.group_key and m.period = n.period and m.part = n.number >> 6
    where m.row_count > m.bit_count
        -- Known before the numbers are read again: without duplicates they are not.
        and (select coalesce(bool_or(w.has_duplicate), false) from whole as w)
    group by n.group_key, n.period, n.number
    having count(*) > 1
),
odd_document as (
    select
        n.attachment_id,
        n.group_key,
        n.period,
        count(*) as row_count,
        min(n.number) as low,
        max(n.number) as high,
        min(array[to_char(n.number, 'FM0000000000000000000') collate "C", n.document_number, n.expected]) as first
    from numbered as n
    join bitmap as m on m.group_key = n.group_key and m.period = n.period and m.part = n.number >> 6
    where m.has_odd
        and n.is_odd
        and (select coalesce(bool_or(w.has_odd), false) from whole as w)
    group by n.attachment_id, n.group_key, n.period
),
counter as (
    select group_key collate "C" as group_key, period, last_number
    from seqctl.counter
    where series_id = ${seriesId}
),
joined as (
    select
        coalesce(e.group_key, c.group_key) as group_key,
        coalesce(e.period, c.period) as period,
        e.low,
        e.high,
        e.previous,
        e.next,
        e.before,
        c.last_number
    from edge as e
    full join counter as c on c.group_key = e.group_key and c.period = e.period
),
gap as materialized (
    select
        group_key,
        period,
        greatest(${first}, previous + 1) as low,
        before as high,
        case when previous >= ${first} then previous end as before,
        low as after,
        last_number
    from joined
    where (previous is null or previous < before) and before >= greatest(${first}, previous + 1)
        and group_key is not null and period is not null
    union all
    select
        group_key,
        period,
        greatest(${first}, high + 1),
        last_number,
        case when high >= ${first} then high end,
        null,
        last_number
    from joined
    where next is null and last_number > coalesce(high, ${first} - 1) and last_number >= ${first}
),
voided as (
    select id, 0::int8 as checkout_id, group_key collate "C" as group_key, period, from_number, to_number
    from seqctl.voided_range
    where series_id = ${seriesId}
    union all
    ${checkoutEntries(seriesId)}
),
voided_counter as materialized (
    select distinct group_key, period
    from voided
),
boundary as (
    select group_key, period, point, sum(gap_step) as gap_step, sum(void_step) as void_step, sum(checkout_step) as checkout_step
    from (
        select g.group_key, g.period, g.low::numeric as point, 1 as gap_step, 0::int8 as void_step, 0::int8 as checkout_step
        from gap as g
        join voided_counter as v on v.group_key = g.group_key and v.period = g.period
        union all
        select g.group_key, g.period, g.high::numeric + 1, -1, 0, 0
        from gap as g
        join voided_counter as v on v.group_key = g.group_key and v.period = g.period
        union all
        select v.group_key, v.period, v.from_number, 0, v.id, v.checkout_id
        from voided as v
        union all
        select v.group_key, v.period, v.to_number::numeric + 1, 0, -v.id, -v.checkout_id
        from voided as v
    ) as step
    group by group_key, period, point
),
segment as (
    select
        group_key,
        period,
        point as low,
        lead(point) over in_order - 1 as high,
        sum(gap_step) over (in_order rows unbounded preceding) as gap_count,
        sum(void_step) over (in_order rows unbounded preceding) as void_id,
        sum(checkout_step) over (in_order rows unbounded preceding) as checkout_id,
        max(point) filter (where gap_step > 0) over (in_order rows unbounded preceding) as gap_low
    from boundary
    window in_order as (partition by group_key, period order by point)
),
piece as (
    select group_key, period, low::int8 as low, high::int8 as high, gap_low::int8 as gap_low, 
        -- Of a checkout it is negative.
        coalesce(nullif(void_id, 0), -nullif(checkout_id, 0))::int8 as void_id
    from segment
    where gap_count > 0
    union all
    select g.group_key, g.period, g.low, g.high, g.low, null
    from gap as g
    where not exists (select from voided_counter as v where v.group_key = g.group_key and v.period = g.period)
),
odd as (
    select
        'missing' as kind,
        case when void_id is null or -void_id in (${expiredCheckouts(seriesId)}) then 0 else 2 end as rank,
        group_key,
        period,
        low,
        high,
        null::int8 as last_number,
        1::int8 as row_count,
        gap_low,
        void_id,
        null::int4 as attachment_id,
        null::text[] as first
    from piece
    union all
    select 'document', a.had_numbers::int4, d.group_key, d.period, d.low, d.high, null, d.row_count, null, null, d.attachment_id, d.first
    from odd_document as d
    join seqctl.attachment as a on a.id = d.attachment_id
    union all
    select 'duplicate', 0, group_key, period, number, number, null, row_count, null, null, null, null
    from duplicate
    union all
    select 'below_first', 0, group_key, period, low, low, last_number, 1, null, null, null, null
    from joined
    where previous is null and low < ${first}
    union all
    select 'counter_behind', 0, group_key, period, last_number, high, last_number, 1, null, null, null, null
    from joined
    where next is null and last_number < high
    union all
    select 'counter_missing', 0, group_key, period, high, high, null, 1, null, null, null, null
    from joined
    where next is null and last_number is null and group_key is not null and period is not null
    union all
    select 'without_counter', 0, group_key, period, high, high, null, 1, null, null, null, null
    from joined
    where next is null and (group_key is null or period is null)
    union all
    select 'counter_below_first', 0, group_key, period, last_number, last_number, last_number, 1, null, null, null, null
    from joined
    where next is null and last_number < ${first} - 1
),
ranked as (
    select
        o.*,
        count(*) over (partition by o.rank) as total,
        row_number() over (partition by o.rank order by ${mapped ? 'o.turn, ' : ''}o.group_key, o.period, o.low, o.kind) as place
    from ${mapped ? `(select *, row_number() over (partition by rank, group_key, period order by low, kind) as turn from odd)` : 'odd'} as o
    where ($3::text is null or o.group_key = $3) and (not $4::boolean or o.kind = 'missing')
        and ($5::text is null or o.period in (
            select p.period
            from (select period from whole union select period from counter) as p
            join seqctl.series as s on s.id = ${seriesId}
            where seqctl._period_label(s.reset, s.fiscal_year_start, p.period) = $5
        ))
)${map === undefined ? '' : map.tables}
select
    o.kind,
    o.rank,
    o.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, o.period) as period,
    o.period::text as period_start,
    o.low,
    o.high,
    coalesce(o.last_number, g.last_number) as last_number,
    o.row_count,
    g.before,
    g.after,
    coalesce(r.kind, ${checkoutColumns.kind}) as explanation,
    coalesce(r.reason, ${checkoutColumns.reason}) as reason,
    coalesce(r.recorded_by, ${checkoutColumns.by}) as recorded_by,
    coalesce(r.recorded_at, ${checkoutColumns.at}) as recorded_at,
    a.target::text as target,
    o.first[2] as document_number,
    o.first[3] as expected,
    o.total${mapped ? ',\n    null::json as map' : ''}
from ranked as o
cross join seqctl.series as s
left join gap as g on g.group_key = o.group_key and g.period = o.period and g.low = o.gap_low
left join seqctl.voided_range as r on r.id = o.void_id
left join seqctl.checkout as k on k.id = -o.void_id
left join seqctl.attachment as a on a.id = o.attachment_id
where s.id = ${seriesId} and o.place <= greatest(case o.rank when 2 then $2::bigint else $1::bigint end, 1)
${map === undefined ? 'order by o.rank, o.place' : `${map.rows}\norder by 2, 3, 5, 6`}`;
}
