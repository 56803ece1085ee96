import type { Client } from 'pg';

import { type Lease, readLeases } from '../operations/leases.js';
import type { Gap } from '../verify/gap.js';
import type { GapMap } from '../verify/gap-map.js';
import type { Listed } from './report.js';

/** The checkouts of a series. Listed are those about which there is something to say; of the others it is known how many they are. */
export interface Checkouts extends Listed<Lease> {
  /** Within their time. */
  readonly open: number;
  /** Past their time, and not settled. */
  readonly expired: number;
  /** Finalized, and no attached table has the number; null where numbers were not compared. They are among the finalized ones. */
  readonly withoutRow: number | null;
  /** Released, and nobody has the number yet. They are among the released ones. */
  readonly waiting: number;
  readonly finalized: number;
  readonly released: number;
}

/** Those that are not settled, those that expire first at the top; then the settled ones, the latest first. */
export async function readCheckouts(
  client: Client,
  series: string,
  gaps: readonly Gap[],
  map: GapMap | undefined,
  limit: number,
): Promise<Checkouts> {
  const sums = await sumCheckouts(client, series);
  const missing = gaps.filter(({ explanation }) => explanation?.kind === 'finalized');
  const withoutRow = map?.periods.reduce((sum, period) => sum + period.finalized, 0) ?? null;
  const entries = await readLeases(
    client,
    `k.series = $1 and (
        k.state in ('open', 'expired')
        or k.waits
        or k.state = 'finalized' and (k.group_key, k.period, k.number) in (
            select m.group_key, m.period, m.number
            from rows from (unnest($2::text[]), unnest($3::text[]), unnest($4::int8[])) as m (group_key, period, number)
        )
     )`,
    [
      series,
      missing.map(({ group }) => group),
      missing.map(({ period }) => period),
      missing.map(({ from }) => from.toString()),
    ],
    limit,
  );
  return { entries, total: sums.open + sums.expired + sums.waiting + (withoutRow ?? 0), ...sums, withoutRow };
}

type Sums = Pick<Checkouts, 'open' | 'expired' | 'waiting' | 'finalized' | 'released'>;

async function sumCheckouts(client: Client, series: string): Promise<Sums> {
  const { rows } = await client.query<Record<keyof Sums, string>>(
    `select
        count(*) filter (where k.state = 'open') as open,
        count(*) filter (where k.state = 'expired') as expired,
        count(*) filter (where k.waits) as waiting,
        count(*) filter (where k.state = 'finalized') as finalized,
        count(*) filter (where k.state = 'released') as released
     from seqctl.checkouts as k
     where k.series = $1`,
    [series],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the server returned no row about checkouts');
  return {
    open: Number(row.open),
    expired: Number(row.expired),
    waiting: Number(row.waiting),
    finalized: Number(row.finalized),
    released: Number(row.released),
  };
}
