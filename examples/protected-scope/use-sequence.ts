import type pg from 'pg';
import { withNumber } from 'seqctl';

/** A sequence as applications keep it in a record of their own. */
export interface Sequence {
  readonly name: string;
  readonly prefix: string;
  readonly numberOfDigits: number;
}

/** What such a record has for each customer. */
export interface SequenceValues {
  /** The last value that a document has; 0n: none yet. */
  readonly appliedValue: bigint;
  /** The value that is next, unless somebody else is faster. */
  readonly nextValue: bigint;
}

/** Once, when the application is set up. */
export async function defineSequence(
  pool: pg.Pool,
  { name, prefix, numberOfDigits }: Sequence,
): Promise<void> {
  // Braces in a format stand for fields, unless they are doubled.
  const format = `${prefix.replaceAll(/[{}]/g, '$&$&')}{number:${numberOfDigits}}`;
  await pool.query(`select seqctl.create_series($1, format => $2, reset => 'never')`, [name, format]);
}

/**
 * The protected scope: leases the next value of a customer's sequence, runs `work` with it, and applies it. When `work` throws, what it
 * wrote is rolled back together with the lease, and the next caller gets the value.
 */
export function useSequence<T>(
  pool: pg.Pool,
  name: string,
  customer: string,
  work: (documentNumber: string, client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return withNumber(pool, { series: name, group: customer }, ({ documentNumber }, client: pg.PoolClient) =>
    work(documentNumber, client),
  );
}

export async function valuesOf(pool: pg.Pool, name: string, customer: string): Promise<SequenceValues> {
  const { rows } = await pool.query<{ applied: string; next: string }>(
    `select coalesce(c.last_number, 0) as applied, p.number as next
     from seqctl.peek($1, $2) p
     left join seqctl.counters c on c.series = $1 and c.group_key = $2`,
    [name, customer],
  );
  return { appliedValue: BigInt(rows[0]?.applied ?? 0), nextValue: BigInt(rows[0]?.next ?? 1) };
}
