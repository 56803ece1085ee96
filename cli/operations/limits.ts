import type { Client } from 'pg';

/** A counter that has used 90 % of its numbers or more. */
export interface NearLimit {
  readonly series: string;
  readonly group: string;
  readonly period: string;
  readonly lastNumber: bigint;
  /** The last number that is possible. */
  readonly lastPossible: bigint;
  /** How many numbers are left. */
  readonly left: bigint;
  readonly limitedBy: 'max_number' | 'integer column' | 'max_length';
}

export interface NearLimits {
  /** Those with the fewest numbers left. */
  readonly counters: readonly NearLimit[];
  /** How many there are in all. */
  readonly total: number;
}

interface Row {
  readonly series: string;
  readonly group: string;
  readonly period: string;
  readonly last: string;
  readonly possible: string;
  readonly reason: NearLimit['limitedBy'];
  readonly total: string;
}

/** Of one series or, with null, of all; at most `limit` of them. */
export async function readNearLimits(
  client: Client,
  series: string | null,
  limit: number,
): Promise<NearLimits> {
  const { rows } = await client.query<Row>(
    `select
        s.name as series,
        n.group_key as "group",
        seqctl._period_label(s.reset, s.fiscal_year_start, n.period) as period,
        n.last_number as last,
        n.last_possible as possible,
        n.reason,
        count(*) over () as total
     from seqctl.series as s
     cross join lateral seqctl._near_limit(s.id) as n
     where $1::text is null or s.name = $1
     order by n.last_possible - n.last_number, s.name, n.group_key collate "C", n.period
     limit $2`,
    [series, limit],
  );
  return {
    total: Number(rows[0]?.total ?? 0),
    counters: rows.map(({ series: name, group, period, last, possible, reason }) => ({
      series: name,
      group,
      period,
      lastNumber: BigInt(last),
      lastPossible: BigInt(possible),
      left: BigInt(possible) - BigInt(last),
      limitedBy: reason,
    })),
  };
}
