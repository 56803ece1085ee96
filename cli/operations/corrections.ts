import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { type WriteOptions, withWrite } from '../session/write.js';

export interface CounterChoice {
  readonly series: string;
  /** Left out: the one group of a series without groups. */
  readonly group?: string | undefined;
  /** A day of the period, e.g. `2025-12-31`; left out for a series that never resets. */
  readonly date?: string | undefined;
}

export interface Correction {
  readonly series: string;
  readonly group: string;
  /** e.g. `2025`; `''` in a series that never resets. */
  readonly period: string;
  readonly kind: 'lowered' | 'removed';
  /** The last number that the counter had. */
  readonly from: bigint;
  /** The last number that it has since; null: it was removed. */
  readonly to: bigint | null;
  readonly reason: string;
}

type Options = Omit<WriteOptions, 'doing' | 'rights'>;

const rights =
  'Only the owner of schema seqctl, and members of that role, may correct a counter; no level of access has it.';

/** Sets a counter back to `to` (digits), as far as no higher number is in use. @throws SeqctlError */
export async function lowerCounter(
  connection: ConnectionSettings,
  { series, group = '', date }: CounterChoice,
  to: string,
  reason: string,
  options: Options,
): Promise<Correction> {
  return withWrite(connection, { ...options, doing: 'lower the counter', rights }, async (client) => {
    const { rows } = await client.query<CorrectedRow>(
      'select period, previous_number as "from" from seqctl.lower_counter($1, $2, $3::date, $4::bigint, $5)',
      [series, group, date ?? null, to, reason],
    );
    return { series, group, ...corrected(rows), kind: 'lowered', to: BigInt(to), reason };
  });
}

/** Removes a counter none of whose numbers is in use. @throws SeqctlError */
export async function removeCounter(
  connection: ConnectionSettings,
  { series, group = '', date }: CounterChoice,
  reason: string,
  options: Options,
): Promise<Correction> {
  return withWrite(connection, { ...options, doing: 'remove the counter', rights }, async (client) => {
    const { rows } = await client.query<CorrectedRow>(
      'select period, previous_number as "from" from seqctl.remove_counter($1, $2, $3::date, $4)',
      [series, group, date ?? null, reason],
    );
    return { series, group, ...corrected(rows), kind: 'removed', to: null, reason };
  });
}

interface CorrectedRow {
  readonly period: string;
  readonly from: string;
}

function corrected([row]: readonly CorrectedRow[]): { period: string; from: bigint } {
  if (row === undefined) throw new Error('the server returned no row about the counter');
  return { period: row.period, from: BigInt(row.from) };
}

/** A correction as it was recorded. */
export interface RecordedCorrection extends Correction {
  readonly recordedAt: Date;
  readonly recordedBy: string;
}

type RecordedRow = Omit<RecordedCorrection, 'from' | 'to'> & {
  readonly from: string;
  readonly to: string | null;
};

/** The corrected counters of a series, the latest correction first. */
export async function readCorrections(
  client: Client,
  series: string,
  limit: number,
): Promise<RecordedCorrection[]> {
  const { rows } = await client.query<RecordedRow>(
    `select
        series,
        group_key as "group",
        period,
        kind,
        from_number as "from",
        to_number as "to",
        reason,
        recorded_at as "recordedAt",
        recorded_by as "recordedBy"
     from seqctl.counter_corrections
     where series = $1
     order by recorded_at desc
     limit $2`,
    [series, limit],
  );
  return rows.map((row) => ({ ...row, from: BigInt(row.from), to: row.to === null ? null : BigInt(row.to) }));
}

export async function countCorrections(client: Client, series: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    'select count(*) as count from seqctl.counter_corrections where series = $1',
    [series],
  );
  return Number(rows[0]?.count ?? 0);
}
