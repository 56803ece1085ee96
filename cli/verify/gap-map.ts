/** How much is missing. */
export interface GapSums {
  readonly gaps: number;
  /** Numbers, with and without an explanation. */
  readonly missing: bigint;
  readonly explained: bigint;
}

/** What is missing in a series, summed up, however much it is. */
export interface GapMap {
  /** Those with missing numbers, the latest first. */
  readonly periods: readonly PeriodGaps[];
  /** Counters with missing numbers: first those with unexplained ones; not more than were asked for. */
  readonly counters: readonly CounterGaps[];
  /** How many there are in all. */
  readonly counterCount: number;
}

export interface PeriodGaps extends GapSums {
  readonly period: string;
  readonly counters: number;
  /** Of its gaps, those with an explanation. */
  readonly explainedGaps: number;
  /** Of these, numbers of finalized checkouts. */
  readonly finalized: number;
}

/** A counter from its first number to its last in at most 400 cells of equal width. */
export interface CounterGaps extends GapSums {
  readonly group: string;
  readonly period: string;
  readonly first: bigint;
  readonly last: bigint;
  /** Numbers a cell: 1, 2, 5, 10, 20, 50 … */
  readonly cellWidth: bigint;
  /** Those in which a number is missing. */
  readonly cells: readonly GapCell[];
}

export interface GapCell extends GapSums {
  /** Place in the map, from 0. */
  readonly index: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** A row that the map adds to the query; everything else of it is null. */
export interface GapMapRow {
  readonly rank: null;
  readonly kind: 'period_gaps' | 'counter_gaps';
  readonly group_key: string | null;
  readonly period: string;
  readonly low: string;
  readonly high: string;
  readonly total: string;
  readonly map: {
    readonly gaps: number;
    readonly missing: string;
    readonly explained: string;
    readonly counters: number;
    readonly explained_gaps: number;
    readonly finalized: number;
    readonly width: string;
    readonly cells: readonly (readonly [index: number, gaps: number, missing: string, explained: string])[];
  };
}

const mostCells = 400;

/** What is added to numbersQuery: its missing numbers (`odd`) are summed up by period, by counter and by cell. */
export function gapMapParts(
  seriesId: number,
  first: bigint,
): { readonly tables: string; readonly rows: string } {
  const tables = `,
counter_gaps as materialized (
    select
        o.group_key,
        o.period,
        count(*) as gaps,
        count(*) filter (where o.rank = 2) as explained_gaps,
        count(*) filter (where k.state = 'finalized') as finalized,
        sum(o.high::numeric - o.low + 1) as missing,
        coalesce(sum(o.high::numeric - o.low + 1) filter (where o.rank = 2), 0) as explained,
        max(o.high) as high
    from odd as o
    left join seqctl.checkout as k on k.id = -o.void_id
    where o.kind = 'missing' and ($3::text is null or o.group_key = $3)
    group by o.group_key, o.period
),
period_gaps as (
    select
        period,
        count(*) as counters,
        sum(gaps) as gaps,
        sum(explained_gaps) as explained_gaps,
        sum(finalized) as finalized,
        sum(missing) as missing,
        sum(explained) as explained
    from counter_gaps
    group by period
),
drawn as materialized (
    select g.group_key, g.period, g.gaps, g.missing, g.explained, g.total, e.last, (
        select trunc(min(m.step * 10::numeric ^ m.exponent))
        from (select v.step, n.exponent from (values (1), (2), (5)) as v (step) cross join generate_series(0, 18) as n (exponent)) as m
        where e.last - ${first} + 1 <= ${mostCells} * m.step * 10::numeric ^ m.exponent
    ) as width
    from (
        select
            *,
            count(*) over () as total,
            row_number() over (order by missing = explained, period desc, group_key) as place
        from counter_gaps
    ) as g
    left join counter as c on c.group_key = g.group_key and c.period = g.period
    cross join lateral (select greatest(g.high, c.last_number)::numeric as last) as e
    where g.place <= $6::bigint
),
cell as (
    select
        d.group_key,
        d.period,
        n.cell,
        count(*) as gaps,
        sum(x.missing) as missing,
        coalesce(sum(x.missing) filter (where p.rank = 2), 0) as explained
    from odd as p
    join drawn as d on d.group_key = p.group_key and d.period = p.period
    cross join lateral generate_series(
        div(p.low::numeric - ${first}, d.width)::int4, div(p.high::numeric - ${first}, d.width)::int4
    ) as n (cell)
    cross join lateral (
        select least(p.high, ${first} + (n.cell + 1) * d.width - 1) - greatest(p.low, ${first} + n.cell * d.width) + 1 as missing
    ) as x
    where p.kind = 'missing'
    group by d.group_key, d.period, n.cell
),
cells as (
    select
        group_key,
        period,
        json_agg(json_build_array(cell, gaps, missing::text, explained::text) order by cell) as cells
    from cell
    group by group_key, period
),
mapped as (
    select 'counter_gaps' as kind, d.group_key, d.period, d.last, d.total, json_build_object(
        'gaps', d.gaps, 'missing', d.missing::text, 'explained', d.explained::text, 'width', d.width::text, 'cells', c.cells
    ) as map
    from drawn as d
    join cells as c on c.group_key = d.group_key and c.period = d.period
    union all
    select 'period_gaps', null, p.period, 0, 0, json_build_object(
        'gaps', p.gaps, 'missing', p.missing::text, 'explained', p.explained::text, 'counters', p.counters, 'explained_gaps', p.explained_gaps,
        'finalized', p.finalized
    )
    from period_gaps as p
)`;
  const rows = `
union all
select
    m.kind,
    null,
    m.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, m.period),
    m.period::text,
    ${first},
    m.last::int8,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    m.total,
    m.map
from mapped as m
cross join seqctl.series as s
where s.id = ${seriesId}`;
  return { tables, rows };
}

export function gapMapOf(rows: readonly GapMapRow[]): GapMap {
  const counters = rows.filter(({ kind }) => kind === 'counter_gaps');
  return {
    periods: rows
      .filter(({ kind }) => kind === 'period_gaps')
      .map(({ period, map }) => ({
        period,
        counters: map.counters,
        explainedGaps: map.explained_gaps,
        finalized: map.finalized,
        ...sumsOf(map),
      }))
      .reverse(),
    counters: counters.map(describeCounterGaps),
    counterCount: Number(counters[0]?.total ?? 0),
  };
}

function describeCounterGaps({ group_key, period, low, high, map }: GapMapRow): CounterGaps {
  const first = BigInt(low);
  const last = BigInt(high);
  const cellWidth = BigInt(map.width);
  return {
    group: group_key ?? '',
    period,
    first,
    last,
    cellWidth,
    ...sumsOf(map),
    cells: map.cells.map(([index, gaps, missing, explained]) => {
      const from = first + BigInt(index) * cellWidth;
      const to = from + cellWidth - 1n;
      return { index, from, to: to < last ? to : last, ...sumsOf({ gaps, missing, explained }) };
    }),
  };
}

function sumsOf({
  gaps,
  missing,
  explained,
}: Pick<GapMapRow['map'], 'gaps' | 'missing' | 'explained'>): GapSums {
  return { gaps, missing: BigInt(missing), explained: BigInt(explained) };
}
