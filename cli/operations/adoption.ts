import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { findTable, type WriteOptions, withWrite } from '../session/write.js';
import { argumentsOf, type AttachSettings } from './attachments.js';

/** One line of the report, as `seqctl.adopt()` gives it. */
export interface AdoptionFinding {
  /** error: it must be corrected first. warning: it is accepted. info: what would be taken over. */
  readonly severity: 'error' | 'warning' | 'info';
  /** e.g. `gap`, `duplicate`, `counter` */
  readonly finding: string;
  readonly group: string | null;
  readonly period: string | null;
  readonly from: bigint | null;
  readonly to: bigint | null;
  readonly documentNumber: string | null;
  /** How many rows, or missing numbers, it is about. */
  readonly rows: bigint | null;
  readonly detail: string;
  /** How many findings of this severity and kind there are; not all of them are listed. */
  readonly total: bigint;
}

export interface Adoption {
  readonly target: string;
  readonly findings: readonly AdoptionFinding[];
}

interface Row {
  readonly target: string;
  readonly severity: AdoptionFinding['severity'];
  readonly finding: string;
  readonly group_key: string | null;
  readonly period: string | null;
  readonly from_number: string | null;
  readonly to_number: string | null;
  readonly document_number: string | null;
  readonly row_count: string | null;
  readonly detail: string;
  readonly total: string;
}

type Options = Omit<WriteOptions, 'doing' | 'exclusive' | 'dryRun'>;

/** What adopting a table would find; changes nothing and locks nobody out. @throws SeqctlError */
export async function reportAdoption(
  connection: ConnectionSettings,
  table: string,
  settings: AttachSettings,
  maxFindings: string,
  options: Options,
): Promise<Adoption> {
  const rolledBack = { ...options, doing: 'read the table', exclusive: false, dryRun: true };
  return withWrite(connection, rolledBack, (client) => adopt(client, table, settings, maxFindings, null));
}

/** Takes the table over, in one transaction. @throws SeqctlError; nothing was changed then */
export async function applyAdoption(
  connection: ConnectionSettings,
  table: string,
  settings: AttachSettings,
  maxFindings: string,
  reason: string,
  options: Options,
): Promise<Adoption> {
  const write = { ...options, doing: 'adopt the table', dryRun: false };
  return withWrite(connection, write, (client) => adopt(client, table, settings, maxFindings, reason));
}

async function adopt(
  client: Client,
  name: string,
  settings: AttachSettings,
  maxFindings: string,
  reason: string | null,
): Promise<Adoption> {
  const table = await findTable(client, name);
  const given = argumentsOf(settings);
  const { rows: named } = await client.query<{ target: string }>('select $1::oid::regclass::text as target', [
    table,
  ]);
  // The triggers of the table are the user's, and find their own tables as ever.
  await client.query('set local search_path to default');
  const { rows } = await client.query<Row>(
    `select * from seqctl.adopt(
        $1::pg_catalog.oid::pg_catalog.regclass,
        apply => $2::pg_catalog.bool,
        reason => $3::pg_catalog.text,
        max_findings => $4::pg_catalog.int4,
        ${given.map(({ sql }, n) => sql(n + 5)).join(', ')}
     )`,
    [table, reason !== null, reason, maxFindings, ...given.map(({ value }) => value)],
  );
  return {
    target: named[0]?.target ?? name,
    findings: rows.map((row) => ({
      severity: row.severity,
      finding: row.finding,
      group: row.group_key,
      period: row.period,
      from: toBigInt(row.from_number),
      to: toBigInt(row.to_number),
      documentNumber: row.document_number,
      rows: toBigInt(row.row_count),
      detail: row.detail,
      total: BigInt(row.total),
    })),
  };
}

function toBigInt(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}
