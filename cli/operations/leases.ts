import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { withSnapshot } from '../session/read.js';
import { type WriteOptions, withWrite } from '../session/write.js';
import { requireSeries } from './series.js';

/** A number that was checked out, and what became of it. */
export interface Lease {
  readonly series: string;
  /** `''` in a series without groups. */
  readonly group: string;
  /** e.g. `2026-Q1`; `''` in a series that never resets. */
  readonly period: string;
  readonly number: bigint;
  readonly documentNumber: string;
  readonly correlationId: string;
  /** `expired` is open, and past its time. */
  readonly state: 'open' | 'expired' | 'finalized' | 'released';
  readonly openedAt: Date;
  readonly openedBy: string;
  readonly expiresAt: Date;
  /** null while it is open. */
  readonly settledAt: Date | null;
  readonly settledBy: string | null;
  /** `expired`: released by the next caller, as the series' ttl_action says. */
  readonly settledHow: 'finalize' | 'release' | 'expired' | null;
  readonly reference: string | null;
  /** It was released, and its number waits to be given again (on_checkout recycle). */
  readonly waits: boolean;
}

export interface LeaseFilter {
  readonly series?: string | undefined;
  /** Those that are settled, too. */
  readonly all?: boolean | undefined;
}

/** The open ones, those that expire first at the top; then, where asked for, the settled ones, the latest first. @throws SeqctlError */
export async function listLeases(
  connection: ConnectionSettings,
  { series, all = false }: LeaseFilter,
  signal: AbortSignal,
): Promise<Lease[]> {
  return withSnapshot(connection, { doing: 'list the checkouts', signal }, async (client) => {
    if (series !== undefined) await requireSeries(client, series);
    return readLeases(
      client,
      `($1::text is null or k.series = $1) and ($2 or k.state in ('open', 'expired'))`,
      [series ?? null, all],
    );
  });
}

export interface LeaseChoice {
  readonly series: string;
  readonly correlationId: string;
  /** What the number is taken to be; refused (SQ038) if the checkout has another. */
  readonly number?: string | undefined;
}

type Options = Omit<WriteOptions, 'doing'>;

/** The number belongs to a document, which `reference` may name. @throws SeqctlError */
export async function finalizeLease(
  connection: ConnectionSettings,
  choice: LeaseChoice,
  reference: string | undefined,
  options: Options,
): Promise<Lease> {
  const call = 'select seqctl.finalize($1, $2, number => $3, reference => $4) as number';
  return settle(connection, choice, call, [reference ?? null], {
    ...options,
    doing: 'finalize the checkout',
  });
}

/** The number is given back. @throws SeqctlError */
export async function releaseLease(
  connection: ConnectionSettings,
  choice: LeaseChoice,
  options: Options,
): Promise<Lease> {
  const call = 'select seqctl.release($1, $2, number => $3) as number';
  return settle(connection, choice, call, [], { ...options, doing: 'release the checkout' });
}

async function settle(
  connection: ConnectionSettings,
  { series, correlationId, number }: LeaseChoice,
  call: string,
  values: readonly (string | null)[],
  options: WriteOptions,
): Promise<Lease> {
  return withWrite(connection, options, async (client) => {
    await client.query(call, [series, correlationId, number ?? null, ...values]);
    const leases = await readLeases(client, 'k.series = $1 and k.correlation_id = $2', [
      series,
      correlationId,
    ]);
    // Those before it were released, and the id used again.
    const lease = leases.find(({ state }) => state !== 'released') ?? leases[0];
    if (lease === undefined) throw new Error(`the checkout of ${correlationId} is gone`);
    return lease;
  });
}

type LeaseRow = Omit<Lease, 'number'> & { readonly number: string };

/** Of the view `k`. */
export async function readLeases(
  client: Client,
  condition: string,
  values: readonly (string | boolean | null | readonly string[])[],
  limit: number | null = null,
): Promise<Lease[]> {
  const { rows } = await client.query<LeaseRow>(
    `select
        k.series,
        k.group_key as "group",
        k.period,
        k.number,
        k.document_number as "documentNumber",
        k.correlation_id as "correlationId",
        k.state,
        k.opened_at as "openedAt",
        k.opened_by as "openedBy",
        k.expires_at as "expiresAt",
        k.settled_at as "settledAt",
        k.settled_by as "settledBy",
        k.settled_how as "settledHow",
        k.reference,
        k.waits
     from seqctl.checkouts as k
     where ${condition}
     order by k.settled_at desc nulls first, k.expires_at, k.opened_at
     limit $${values.length + 1}`,
    [...values, limit],
  );
  return rows.map((row) => ({ ...row, number: BigInt(row.number) }));
}
