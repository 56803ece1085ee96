import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { withSnapshot } from '../session/read.js';
import { requireSeries } from './series.js';

export interface Counter {
  readonly series: string;
  /** `''` in a series without groups. */
  readonly group: string;
  /** e.g. `2026-Q1`; `''` in a series that never resets. */
  readonly period: string;
  readonly firstNumber: bigint;
  readonly lastNumber: bigint;
  /** How many numbers were given. */
  readonly given: bigint;
  readonly maxNumber: bigint | null;
  /** Its period is closed: no number is given. */
  readonly closed: boolean;
}

/** Exact values; what is left out is not filtered. */
export interface CounterFilter {
  readonly series?: string | undefined;
  readonly group?: string | undefined;
  readonly period?: string | undefined;
}

/** @throws SeqctlError, also for an unknown series */
export async function listCounters(
  connection: ConnectionSettings,
  filter: CounterFilter,
  signal: AbortSignal,
): Promise<Counter[]> {
  return withSnapshot(connection, { doing: 'list the counters', signal }, async (client) => {
    if (filter.series !== undefined) await requireSeries(client, filter.series);
    return readCounters(client, filter);
  });
}

interface CounterRow {
  readonly series: string;
  readonly group: string;
  readonly period: string;
  readonly first: string;
  readonly last: string;
  readonly given: string;
  readonly max: string | null;
  readonly closed: boolean;
}

const matches = `
    where ($1::text is null or c.series = $1)
        and ($2::text is null or c.group_key = $2)
        and ($3::text is null or c.period = $3)`;

export async function readCounters(
  client: Client,
  filter: CounterFilter,
  limit: number | null = null,
): Promise<Counter[]> {
  const { rows } = await client.query<CounterRow>(
    `select
        c.series,
        c.group_key as "group",
        c.period,
        c.first_number as first,
        c.last_number as last,
        c.given,
        c.max_number as max,
        c.closed
     from seqctl.counters as c ${matches}
     order by c.series, c.group_key collate "C", c.period_start
     limit $4`,
    [...valuesOf(filter), limit],
  );
  return rows.map(({ series, group, period, first, last, given, max, closed }) => ({
    series,
    group,
    period,
    firstNumber: BigInt(first),
    lastNumber: BigInt(last),
    given: BigInt(given),
    maxNumber: max === null ? null : BigInt(max),
    closed,
  }));
}

/** How many counters there are, and how many numbers they gave. */
export async function sumCounters(
  client: Client,
  filter: CounterFilter,
): Promise<{ counters: number; numbers: bigint }> {
  const { rows } = await client.query<{ counters: string; numbers: string }>(
    `select count(*) as counters, coalesce(sum(c.given), 0) as numbers from seqctl.counters as c ${matches}`,
    valuesOf(filter),
  );
  return { counters: Number(rows[0]?.counters ?? 0), numbers: BigInt(rows[0]?.numbers ?? 0) };
}

export async function countCounters(client: Client, filter: CounterFilter): Promise<number> {
  return (await sumCounters(client, filter)).counters;
}

function valuesOf({ series, group, period }: CounterFilter): (string | null)[] {
  return [series ?? null, group ?? null, period ?? null];
}
