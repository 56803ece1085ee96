import { readFileSync } from 'node:fs';

import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { UsageError } from '../errors.js';
import { withSnapshot } from '../session/read.js';
import { requireSeries } from './series.js';

/** The last link of a counter's hash chain. */
export interface ChainHead {
  readonly series: string;
  readonly group: string;
  /** e.g. `2026-Q1`; `''` in a series that never resets. */
  readonly period: string;
  /** First day of the period; null in a series that never resets. */
  readonly periodStart: string | null;
  /** How many links the chain has. */
  readonly links: bigint;
  /** The number that the last link is about. */
  readonly number: bigint;
  readonly issuedAt: Date;
  /** SHA-256, in hexadecimal digits. */
  readonly hash: string;
}

/** What was written down of a head. */
export type NotedHead = Pick<ChainHead, 'series' | 'group' | 'period' | 'periodStart' | 'links' | 'hash'>;

interface HeadRow extends Omit<ChainHead, 'links' | 'number'> {
  readonly links: string;
  readonly number: string;
}

/** By series, group and period. @throws SeqctlError, also for an unknown series */
export async function listChainHeads(
  connection: ConnectionSettings,
  series: string | undefined,
  signal: AbortSignal,
): Promise<ChainHead[]> {
  return withSnapshot(connection, { doing: 'list the heads of the chains', signal }, async (client) => {
    if (series !== undefined) await requireSeries(client, series);
    return readChainHeads(client, series ?? null);
  });
}

export async function readChainHeads(
  client: Client,
  series: string | null,
  limit: number | null = null,
): Promise<ChainHead[]> {
  const { rows } = await client.query<HeadRow>(
    `select
        h.series,
        h.group_key as "group",
        h.period,
        h.period_start::text as "periodStart",
        h.ordinal as links,
        h.number,
        h.issued_at as "issuedAt",
        h.hash
     from seqctl.chain_heads as h
     where $1::text is null or h.series = $1
     order by h.series, h.group_key collate "C", h.period_start
     limit $2`,
    [series, limit],
  );
  return rows.map((row) => ({ ...row, links: BigInt(row.links), number: BigInt(row.number) }));
}

/** Reads what `seqctl chain-heads --json` printed. @throws UsageError when the file is something else */
export function readNotedHeads(file: string): NotedHead[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`could not read ${file}: ${(error as Error).message}`, { cause: error });
  }
  const hint = 'It is what seqctl chain-heads --json printed, unchanged.';
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is no JSON document: ${(error as Error).message}`, { hint, cause: error });
  }
  const heads = isRecord(document) ? document['heads'] : undefined;
  if (!Array.isArray(heads)) throw new UsageError(`${file} has no list of heads`, { hint });
  return heads.map((head: unknown, index) => {
    const noted = isRecord(head) ? toNotedHead(head) : undefined;
    if (noted === undefined) throw new UsageError(`head ${index + 1} in ${file} is not complete`, { hint });
    return noted;
  });
}

function toNotedHead(head: Record<string, unknown>): NotedHead | undefined {
  const { series, group, period, periodStart, links, hash } = head;
  if (typeof series !== 'string' || typeof group !== 'string' || typeof period !== 'string') return undefined;
  if (periodStart !== null && (typeof periodStart !== 'string' || !/^\d{4,7}-\d\d-\d\d$/.test(periodStart))) {
    return undefined;
  }
  if (typeof links !== 'string' || !/^[1-9]\d{0,17}$/.test(links)) return undefined;
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  return { series, group, period, periodStart, links: BigInt(links), hash };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
