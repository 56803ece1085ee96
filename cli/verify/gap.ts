import type { Client } from 'pg';

import type { CheckoutKind } from './checkouts.js';
import type { CounterRange } from './finding.js';
import type { NumberSource } from './sources.js';

/** Numbers that were given and are in no attached table, from `from` to `to`; between two gaps with one explanation is a number or another explanation. */
export interface Gap extends CounterRange {
  readonly group: string;
  readonly period: string;
  /** From the void register, or a checkout; null: unexplained. */
  readonly explanation: Explanation | null;
  /** The nearest number below that is there; null at the start of the counter. */
  readonly before: Neighbour | null;
  /** The nearest number above that is there; null at the end of the counter. */
  readonly after: Neighbour | null;
}

export interface Explanation {
  readonly kind: 'void' | 'before adoption' | CheckoutKind;
  readonly reason: string;
  readonly recordedBy: string;
  readonly recordedAt: Date;
}

export interface Neighbour {
  readonly number: bigint;
  /** The date of its row, in the series' time zone, e.g. `2026-03-09`; null where rows have none. */
  readonly date: string | null;
}

/** A number of a counter whose date is asked for; `period` as PostgreSQL writes the date. */
export interface WantedNumber {
  readonly group: string;
  readonly period: string;
  readonly number: bigint;
}

export function keyOf({ group, period, number }: WantedNumber): string {
  return `${number} ${period} ${group}`;
}

/** Looks up the dates of some numbers, in one more pass over the tables; by `keyOf`. */
export async function readDates(
  client: Client,
  sources: readonly NumberSource[],
  wanted: readonly WantedNumber[],
): Promise<Map<string, string>> {
  const dated = sources.filter(({ hasDate }) => hasDate);
  if (wanted.length === 0 || dated.length === 0) return new Map();
  const parts = dated.map(
    ({ columns, from, number }) => `${columns} ${from} and ${number} = any ($3::int8[])`,
  );
  const { rows } = await client.query<Omit<WantedNumber, 'number'> & { number: string; date: string }>(
    `with wanted (group_key, period, number) as (
        select w.group_key collate "C", w.period, w.number
        from rows from (unnest($1::text[]), unnest($2::date[]), unnest($3::int8[])) as w (group_key, period, number)
    )
    select n.group_key as "group", n.period::text as period, n.number, to_char(min(n.dated), 'YYYY-MM-DD') as date
    from (
${parts.join('\nunion all\n')}
    ) as n
    join wanted as w on w.group_key = n.group_key and w.period = n.period and w.number = n.number
    where n.dated is not null
    group by 1, n.period, 3`,
    [
      wanted.map(({ group }) => group),
      wanted.map(({ period }) => period),
      wanted.map(({ number }) => number.toString()),
    ],
  );
  return new Map(rows.map((row) => [keyOf({ ...row, number: BigInt(row.number) }), row.date]));
}

/** e.g. `between 3 (2026-01-04) and 9 (2026-05-01)`, `after 3`; nothing for a counter without a row. */
export function describeNeighbours({ before, after }: Gap): string {
  if (before !== null && after !== null) return `between ${describe(before)} and ${describe(after)}`;
  if (before !== null) return `after ${describe(before)}`;
  return after === null ? '' : `before ${describe(after)}`;
}

function describe({ number, date }: Neighbour): string {
  return date === null ? number.toString() : `${number} (${date})`;
}
