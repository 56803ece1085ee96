import type { Client } from 'pg';

import type { Listed } from './report.js';

/** The counters of one period together. */
export interface PeriodSummary {
  /** e.g. `2026-Q1`; `''` in a series that never resets. */
  readonly period: string;
  readonly counters: number;
  /** How many of them are closed. */
  readonly closed: number;
  readonly firstNumber: bigint;
  /** The highest of their last numbers. */
  readonly lastNumber: bigint;
  readonly given: bigint;
}

interface Row {
  readonly period: string;
  readonly counters: string;
  readonly closed: string;
  readonly first: string;
  readonly last: string;
  readonly given: string;
  readonly total: string;
}

/** The latest first. */
export async function readPeriods(
  client: Client,
  series: string,
  limit: number,
): Promise<Listed<PeriodSummary>> {
  const { rows } = await client.query<Row>(
    `select
        period,
        count(*) as counters,
        count(*) filter (where closed) as closed,
        min(first_number) as first,
        max(last_number) as last,
        sum(given) as given,
        count(*) over () as total
     from seqctl.counters
     where series = $1
     group by period, period_start
     order by period_start desc
     limit $2`,
    [series, limit],
  );
  return {
    total: Number(rows[0]?.total ?? 0),
    entries: rows.map(({ period, counters, closed, first, last, given }) => ({
      period,
      counters: Number(counters),
      closed: Number(closed),
      firstNumber: BigInt(first),
      lastNumber: BigInt(last),
      given: BigInt(given),
    })),
  };
}
