import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { type WriteOptions, withWrite } from '../session/write.js';

export interface VoidRequest {
  readonly series: string;
  /** Left out: the one group of a series without groups. */
  readonly group?: string | undefined;
  /** A day of the period, e.g. `2025-12-31`; left out for a series that never resets. */
  readonly date?: string | undefined;
  /** Digits. */
  readonly from: string;
  /** Digits; left out: one number. */
  readonly to?: string | undefined;
  readonly reason: string;
}

export interface VoidEntry {
  readonly series: string;
  readonly group: string;
  /** e.g. `2025`; `''` in a series that never resets. */
  readonly period: string;
  readonly from: bigint;
  readonly to: bigint;
  readonly reason: string;
}

/** Adds an entry to the void register. @throws SeqctlError */
export async function voidNumbers(
  connection: ConnectionSettings,
  { series, group = '', date, from, to = from, reason }: VoidRequest,
  options: Omit<WriteOptions, 'doing'>,
): Promise<VoidEntry> {
  return withWrite(connection, { ...options, doing: 'void the number' }, async (client) => {
    const { rows } = await client.query<{ period: string }>(
      'select v.period from seqctl.void($1, $2, $3::date, $4::bigint, $5::bigint, $6) as v',
      [series, group, date ?? null, from, to, reason],
    );
    return { series, group, period: rows[0]?.period ?? '', from: BigInt(from), to: BigInt(to), reason };
  });
}

/** An entry as the register has it. */
export interface RecordedVoid extends VoidEntry {
  /** `before adoption`: it was missing already when the table was taken over. */
  readonly kind: 'void' | 'before adoption';
  readonly recordedAt: Date;
  readonly recordedBy: string;
}

type RecordedRow = Omit<RecordedVoid, 'from' | 'to'> & { readonly from: string; readonly to: string };

/** The register of a series, the latest entry first. */
export async function readVoids(client: Client, series: string, limit: number): Promise<RecordedVoid[]> {
  const { rows } = await client.query<RecordedRow>(
    `select
        series,
        group_key as "group",
        period,
        from_number as "from",
        to_number as "to",
        kind,
        reason,
        recorded_at as "recordedAt",
        recorded_by as "recordedBy"
     from seqctl.voids
     where series = $1
     order by recorded_at desc, group_key collate "C", period_start desc, from_number
     limit $2`,
    [series, limit],
  );
  return rows.map((row) => ({ ...row, from: BigInt(row.from), to: BigInt(row.to) }));
}
