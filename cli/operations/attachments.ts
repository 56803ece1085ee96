import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { findTable, type WriteOptions, withWrite } from '../session/write.js';

export interface Attachment {
  /** As SQL writes it, e.g. `public.invoices`; an oid when the table was dropped. */
  readonly target: string;
  readonly numberColumn: string;
  readonly series: string;
  readonly dateColumn: string | null;
  readonly groupColumns: readonly string[];
  readonly documentNumberColumn: string | null;
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
    const { rows } = await client.query<{ message: string }>(
      `select seqctl.attach(
          $1::oid::regclass,
          series => $2,
          number_column => $3::text::name,
          date_column => $4::text::name,
          group_columns => $5::text[]::name[],
          document_number_column => $6::text::name
       ) as message`,
      [
        table,
        settings.series,
        settings.numberColumn,
        settings.dateColumn ?? null,
        settings.groupColumns,
        settings.documentNumberColumn ?? null,
      ],
    );
    const attachment = (await readAttachments(client, null, table)).find(
      ({ numberColumn }) => numberColumn === settings.numberColumn,
    );
    if (attachment === undefined) throw new Error('the attachment that was just made cannot be found');
    return { attachment, message: rows[0]?.message ?? '' };
  });
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
