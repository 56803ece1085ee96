import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { findTable, type WriteOptions, withWrite } from '../session/write.js';

export const assigns = ['insert', 'commit', 'manual'] as const;
/** When a row gets its number. */
export type Assign = (typeof assigns)[number];

export const chronologies = ['off', 'enforce', 'stamp'] as const;
/** Whether the dates of numbers may go back: they may, are refused, or are set by seqctl. */
export type Chronology = (typeof chronologies)[number];

export interface Attachment {
  /** As SQL writes it, e.g. `public.invoices`; an oid when the table was dropped. */
  readonly target: string;
  readonly numberColumn: string;
  readonly series: string;
  readonly dateColumn: string | null;
  readonly groupColumns: readonly string[];
  readonly documentNumberColumn: string | null;
  /** The condition under which a row is issued, as PostgreSQL writes it; null: every row is. */
  readonly issueWhen: string | null;
  readonly assign: Assign;
  readonly chronology: Chronology;
  readonly protect: boolean;
  /** What the hash chain of the series covers besides number, document number, group and date. */
  readonly chainColumns: readonly string[];
  readonly uniqueIndex: string | null;
  readonly attachedAt: Date;
  readonly attachedBy: string;
}

export interface AttachSettings {
  readonly series: string;
  readonly numberColumn: string;
  readonly dateColumn?: string | undefined;
  readonly groupColumns: readonly string[];
  readonly documentNumberColumn?: string | undefined;
  readonly issueWhen?: string | undefined;
  readonly assign?: Assign | undefined;
  readonly chronology?: Chronology | undefined;
  readonly protect?: boolean | undefined;
  readonly chainColumns?: readonly string[] | undefined;
}

type Options = Omit<WriteOptions, 'doing'>;

/** @throws SeqctlError */
export async function attach(
  connection: ConnectionSettings,
  target: string,
  settings: AttachSettings,
  options: Options,
): Promise<{ attachment: Attachment; message: string }> {
  return withWrite(connection, { ...options, doing: 'attach the table' }, async (client) => {
    const table = await findTable(client, target);
    const given = argumentsOf(settings);
    const { rows } = await client.query<{ message: string }>(
      `select seqctl.attach($1::oid::regclass, ${given.map(({ sql }, n) => sql(n + 2)).join(', ')}) as message`,
      [table, ...given.map(({ value }) => value)],
    );
    const attachment = (await readAttachments(client, null, table)).find(
      ({ numberColumn }) => numberColumn === settings.numberColumn,
    );
    if (attachment === undefined) throw new Error('the attachment that was just made cannot be found');
    return { attachment, message: rows[0]?.message ?? '' };
  });
}

/** In named notation; what is not given has its default in SQL alone. */
export function argumentsOf(
  settings: AttachSettings,
): { sql: (position: number) => string; value: unknown }[] {
  const all: [name: string, cast: string, value: unknown][] = [
    ['series', 'text', settings.series],
    ['number_column', 'text::name', settings.numberColumn],
    ['date_column', 'text::name', settings.dateColumn],
    ['group_columns', 'text[]::name[]', settings.groupColumns],
    ['document_number_column', 'text::name', settings.documentNumberColumn],
    ['issue_when', 'text', settings.issueWhen],
    ['assign', 'text', settings.assign],
    ['chronology', 'text', settings.chronology],
    ['protect', 'boolean', settings.protect],
    ['chain_columns', 'text[]::name[]', settings.chainColumns],
  ];
  return all
    .filter(([, , value]) => value !== undefined)
    .map(([name, cast, value]) => ({ sql: (position) => `${name} => $${position}::${cast}`, value }));
}

/** Returns what was detached. @throws SeqctlError */
export async function detach(
  connection: ConnectionSettings,
  target: string,
  numberColumn: string,
  options: Options,
): Promise<Attachment | null> {
  return withWrite(connection, { ...options, doing: 'detach the table' }, async (client) => {
    const table = await findTable(client, target);
    const attachments = await readAttachments(client, null, table);
    await client.query('select seqctl.detach($1::oid::regclass, $2::text::name)', [table, numberColumn]);
    return attachments.find((attachment) => attachment.numberColumn === numberColumn) ?? null;
  });
}

/** All of them, or those of one series or table. */
export async function readAttachments(
  client: Client,
  series: string | null = null,
  table: number | null = null,
): Promise<Attachment[]> {
  const { rows } = await client.query<Attachment>(
    `select
        a.target::text as target,
        a.number_column as "numberColumn",
        a.series,
        a.date_column as "dateColumn",
        a.group_columns::text[] as "groupColumns",
        a.document_number_column as "documentNumberColumn",
        a.issue_when as "issueWhen",
        a.assign,
        a.chronology,
        a.protect,
        a.chain_columns::text[] as "chainColumns",
        a.unique_index as "uniqueIndex",
        a.attached_at as "attachedAt",
        a.attached_by as "attachedBy"
     from seqctl.attachments as a
     where ($1::text is null or a.series = $1) and ($2::oid is null or a.target = $2)
     order by a.target::text, a.number_column`,
    [series, table],
  );
  return rows;
}
