import type { Client } from 'pg';

import { sqlstateOf } from '../errors.js';
import type { AttachmentFacts } from './attachment-facts.js';
import { canReadNumbers } from './attachments.js';
import type { CounterRange, Finding } from './finding.js';

export interface SeriesToCheck {
  readonly id: number;
  readonly name: string;
  readonly firstNumber: bigint;
  readonly attachments: readonly AttachmentFacts[];
}

export interface NumberFindings {
  readonly findings: readonly Finding[];
  /** How many more there are than `limit`. */
  readonly omitted: number;
  /** The numbers were really compared with the tables. */
  readonly compared: boolean;
}

/**
 * Compares the counters of one series with all of its tables together, in one pass over their numbers. Only what is odd leaves the server, at most `limit` rows of it.
 */
export async function checkNumbers(
  client: Client,
  series: SeriesToCheck,
  limit: number,
): Promise<NumberFindings> {
  const { attachments } = series;
  if (attachments.length === 0) return { findings: [], omitted: 0, compared: false };
  const unusable = attachments.filter((facts) => facts.exists && !canReadNumbers(facts));
  if (unusable.length > 0) {
    const reason = `${unusable.map(({ target }) => target).join(', ')} lacks a column that they need`;
    return { findings: [unchecked(series, reason, 'Repair the table first.')], omitted: 0, compared: false };
  }
  const sources = await readSources(client, series.id);
  await client.query('savepoint numbers');
  try {
    const { rows } = await client.query<OddRow>(numbersQuery(series, sources), [limit]);
    await client.query('release savepoint numbers');
    const total = Number(rows[0]?.total ?? 0);
    const findings = rows.slice(0, limit).map((row) => describe(series, row));
    return { findings, omitted: total - findings.length, compared: true };
  } catch (error) {
    if (sqlstateOf(error) !== '42501') throw error;
    await client.query('rollback to savepoint numbers');
    const hint =
      'Run verify as the owner of the table, or as a role that may select from it and bypasses row security.';
    return { findings: [unchecked(series, (error as Error).message, hint)], omitted: 0, compared: false };
  }
}

/** One SELECT for each attached table that is still there: group_key, period, number. */
async function readSources(client: Client, seriesId: number): Promise<string[]> {
  const { rows } = await client.query<{ source: string }>(
    `select format(
        'select (%s) collate "C" as group_key, %s as period, i.%I::int8 as number from %s as i where i.%I is not null',
        seqctl._group_expression('i.', a.target, a.group_columns),
        seqctl._period_expression(
            s.reset,
            s.fiscal_year_start,
            seqctl._date_expression('i.' || quote_ident(a.date_column), seqctl._base_type(d.atttypid), s.time_zone)
        ),
        a.number_column,
        a.target,
        a.number_column
    ) as source
    from seqctl.attachment as a
    join seqctl.series as s on s.id = a.series_id
    join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
    left join pg_attribute as d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
    where s.id = $1
    order by a.id`,
    [seriesId],
  );
  return rows.map(({ source }) => source);
}

/**
 * No sort of all numbers: they are summed up by 64 in a bit map each, which hashes, runs in parallel and spills to disk. A bit
 * map without a hole is one run; one with holes is taken apart. The duplicates are looked up in a second pass, which reads
 * nothing where no bit map has more rows than bits.
 */
function numbersQuery(series: SeriesToCheck, sources: readonly string[]): string {
  const first = series.firstNumber;
  const none = `select null::text as group_key, null::date as period, null::int8 as number where false`;
  return `
with numbered as not materialized (
${sources.length === 0 ? none : sources.join('\nunion all\n')}
),
summed as (
    select
        group_key,
        period,
        number >> 6 as part,
        bit_or(1::int8 << (number & 63)::int4) as bits,
        min(number) as low,
        max(number) as high,
        count(*) as row_count
    from numbered
    group by group_key, period, number >> 6
),
bitmap as materialized (
    select *, bit_count(bits::bit(64)) as bit_count
    from summed
),
run as (
    select group_key, period, low, high
    from bitmap
    where bit_count = high - low + 1
    union all
    select m.group_key, m.period, n.number, n.number
    from bitmap as m
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
        and (select coalesce(bool_or(x.row_count > x.bit_count), false) from bitmap as x)
    group by n.group_key, n.period, n.number
    having count(*) > 1
),
counter as (
    select group_key collate "C" as group_key, period, last_number
    from seqctl.counter
    where series_id = ${series.id}
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
odd as (
    select
        'missing' as kind, group_key, period, greatest(${first}, previous + 1) as low, before as high, low as number, last_number,
        1::int8 as row_count
    from joined
    where (previous is null or previous < before) and before >= greatest(${first}, previous + 1)
        and group_key is not null and period is not null
    union all
    select 'duplicate', group_key, period, number, number, number, null, row_count
    from duplicate
    union all
    select 'below_first', group_key, period, low, low, low, last_number, 1
    from joined
    where previous is null and low < ${first}
    union all
    select 'counter_ahead', group_key, period, greatest(${first}, high + 1), last_number, high, last_number, 1
    from joined
    where next is null and last_number > coalesce(high, ${first} - 1) and last_number >= ${first}
    union all
    select 'counter_behind', group_key, period, last_number, high, high, last_number, 1
    from joined
    where next is null and last_number < high
    union all
    select 'counter_missing', group_key, period, high, high, high, null, 1
    from joined
    where next is null and last_number is null and group_key is not null and period is not null
    union all
    select 'without_counter', group_key, period, high, high, high, null, 1
    from joined
    where next is null and (group_key is null or period is null)
    union all
    select 'counter_below_first', group_key, period, last_number, last_number, high, last_number, 1
    from joined
    where next is null and last_number < ${first} - 1
)
select
    o.kind,
    o.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, o.period) as period,
    o.low,
    o.high,
    o.number,
    o.last_number,
    o.row_count,
    count(*) over () as total
from odd as o
cross join seqctl.series as s
where s.id = ${series.id}
order by o.group_key, o.period, o.low, o.kind
limit greatest($1::bigint, 1)`;
}

type OddKind =
  | 'missing'
  | 'duplicate'
  | 'below_first'
  | 'counter_ahead'
  | 'counter_behind'
  | 'counter_missing'
  | 'without_counter'
  | 'counter_below_first';

interface OddRow {
  readonly kind: OddKind;
  readonly group_key: string | null;
  readonly period: string | null;
  readonly low: string;
  readonly high: string;
  /** The number in the table, or null where there is none. */
  readonly number: string | null;
  readonly last_number: string | null;
  readonly row_count: string;
  readonly total: string;
}

function describe(series: SeriesToCheck, row: OddRow): Finding {
  const tables = series.attachments.map(({ target }) => target).join(', ');
  const range = row.low === row.high ? `number ${row.low}` : `numbers ${row.low} to ${row.high}`;
  const are = row.low === row.high ? 'is' : 'are';
  const lost =
    `Look for deleted rows in ${tables}. Numbers taken with next_number() or allocate(), or by a table that was ` +
    `detached, are in no attached table and show up here, too.`;
  const wrongCounter =
    'Only seqctl may write seqctl.counter: find out who changed it, or the numbers in the table.';
  const texts: Record<OddKind, readonly [kind: string, what: string, hint: string]> = {
    missing: ['missing_numbers', `${range} ${are} missing`, lost],
    duplicate: [
      'duplicate_numbers',
      `number ${row.low} stands on ${row.row_count} rows`,
      `Find them in ${tables} and decide which one is right; then look how the others came in.`,
    ],
    below_first: [
      'number_below_first',
      `number ${row.low} is below the first number of the series, ${series.firstNumber}`,
      'seqctl never gave it: find out who wrote it.',
    ],
    counter_ahead: [
      'counter_ahead',
      `the counter is at ${row.last_number ?? ''}, the highest number in the table is ${row.number ?? 'none'}: ${range} ${are} missing`,
      lost,
    ],
    counter_behind: [
      'counter_behind',
      `the counter is at ${row.last_number ?? ''}, but the table has numbers up to ${row.high}`,
      wrongCounter,
    ],
    counter_missing: [
      'counter_missing',
      `there is no counter, but the table has numbers up to ${row.high}`,
      wrongCounter,
    ],
    without_counter: [
      'number_without_counter',
      `a number up to ${row.high} stands on a row without a ${row.group_key === null ? 'group' : 'date'}`,
      'Give the row its group and date back: they say which counter its number is from.',
    ],
    counter_below_first: [
      'counter_below_first',
      `the counter is at ${row.last_number ?? ''}, below the first number of the series, ${series.firstNumber}`,
      wrongCounter,
    ],
  };
  const [kind, what, hint] = texts[row.kind];
  const counter: CounterRange = {
    series: series.name,
    group: row.group_key,
    period: row.period,
    from: BigInt(row.low),
    to: BigInt(row.high),
  };
  return { severity: 'error', area: 'numbers', kind, object: describeCounter(counter), what, hint, counter };
}

/** e.g. `invoice / acme / 2026` */
export function describeCounter({ series, group, period }: CounterRange): string {
  return [series, group ?? '(no group)', period ?? '(no date)'].filter((part) => part !== '').join(' / ');
}

function unchecked(series: SeriesToCheck, reason: string, hint: string): Finding {
  const what = `its numbers were not checked: ${reason}`;
  return {
    severity: 'error',
    area: 'numbers',
    kind: 'numbers_unchecked',
    object: `series ${series.name}`,
    what,
    hint,
  };
}
