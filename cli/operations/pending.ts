import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { OperationError, sqlstateOf } from '../errors.js';
import { withSnapshot } from '../session/read.js';
import { findTable, type WriteOptions, withWrite } from '../session/write.js';
import type { Attachment } from './attachments.js';

/** Rows that meet the condition of their attachment and have no number. */
export interface AttachmentStatus extends Attachment {
  /** null: not counted, because it would take too long, has to wait, or the role may not read the table. */
  readonly pendingRows: bigint | null;
}

/** How many rows of one counter are pending. */
export interface PendingCounter {
  readonly group: string | null;
  /** e.g. `2026-Q1`; `''` in a series that never resets, null for rows without a date. */
  readonly period: string | null;
  readonly rows: bigint;
}

export interface PendingTable {
  /** As SQL writes it. */
  readonly target: string;
  readonly numberColumn: string;
  readonly series: string;
}

export interface PendingReport extends PendingTable {
  readonly pendingRows: bigint;
  readonly counters: readonly PendingCounter[];
  /** Counters beyond `shownCounters`. */
  readonly omittedCounters: number;
}

/** What makes the SQL about the pending rows of one attachment. */
interface PendingSource extends PendingTable {
  readonly table: number;
  /** FROM and WHERE over the pending rows, as `i`. */
  readonly from: string;
  readonly groupKey: string;
  readonly period: string;
  readonly order: string;
  /** The columns can be NULL at all. */
  readonly mayPend: boolean;
}

/** More than anybody reads; the rest is counted. */
const shownCounters = 1000;

/** Statuses are asked for often: they give up soon. */
const countPatienceMs = 1000;

/** Adds to each attachment how many of its rows are pending. */
export async function withPendingRows(
  client: Client,
  attachments: readonly Attachment[],
): Promise<AttachmentStatus[]> {
  const sources = new Map(
    (await readPendingSources(client)).map((source) => [`${source.target} ${source.numberColumn}`, source]),
  );
  const result: AttachmentStatus[] = [];
  for (const attachment of attachments) {
    const source = sources.get(`${attachment.target} ${attachment.numberColumn}`);
    const pendingRows = source === undefined ? null : await countPatiently(client, source);
    result.push({ ...attachment, pendingRows });
  }
  return result;
}

/** The number of pending rows, and of which counters they are. Reads only. @throws SeqctlError */
export async function listPending(
  settings: ConnectionSettings,
  name: string,
  numberColumn: string,
  { maxRows, signal }: { readonly maxRows?: string | undefined; readonly signal: AbortSignal },
): Promise<PendingReport> {
  return withSnapshot(settings, { doing: 'count the pending rows', signal }, async (client) => {
    await client.query('set local row_security = off');
    const { target, series, ...source } = await requireSource(client, name, numberColumn);
    const counting = client.query<{
      group: string | null;
      period: string | null;
      rows: string;
      all_rows: string;
      all_counters: string;
    }>(
      `with pending as materialized (
          select ${source.groupKey} as group_key, ${source.period} as period
          ${source.from}
          order by ${source.order}
          limit $2
       ),
       counted as (
          select group_key, period, count(*) as row_count
          from pending
          group by group_key, period
       )
       select
          c.group_key as "group",
          seqctl._period_label(s.reset, s.fiscal_year_start, c.period) as period,
          c.row_count as rows,
          sum(c.row_count) over () as all_rows,
          count(*) over () as all_counters
       from counted as c
       cross join seqctl.series as s
       where s.name = $1
       order by c.group_key collate "C", c.period
       limit ${shownCounters}`,
      [series, maxRows ?? null],
    );
    const { rows } = await counting.catch((error: unknown) => {
      throw explainCounting(error, target);
    });
    return {
      target,
      numberColumn,
      series,
      pendingRows: BigInt(rows[0]?.all_rows ?? 0),
      counters: rows.map((row) => ({ group: row.group, period: row.period, rows: BigInt(row.rows) })),
      omittedCounters: Number(rows[0]?.all_counters ?? 0) - rows.length,
    };
  });
}

/** Numbers are given without a right on the table; to look into it is another thing. */
function explainCounting(error: unknown, target: string): unknown {
  if (sqlstateOf(error) !== '42501') return error;
  return new OperationError(`could not count the pending rows of ${target}: ${(error as Error).message}`, {
    sqlstate: '42501',
    hint: 'To count them, the role needs SELECT on the table, and to bypass its row security. Without --check and --dry-run, it numbers them all the same.',
    cause: error,
  });
}

/** Whose rows they are, and how many; null when this role may not read the table. @throws SeqctlError */
export async function countPending(
  settings: ConnectionSettings,
  name: string,
  numberColumn: string,
  signal: AbortSignal,
): Promise<PendingTable & { readonly pendingRows: bigint | null }> {
  return withSnapshot(settings, { doing: 'count the pending rows', signal }, async (client) => {
    const { target, series, from } = await requireSource(client, name, numberColumn);
    await client.query('set local row_security = off; savepoint count');
    try {
      return { target, numberColumn, series, pendingRows: await countRows(client, from) };
    } catch (error) {
      if (sqlstateOf(error) !== '42501') throw error;
      await client.query('rollback to savepoint count');
      return { target, numberColumn, series, pendingRows: null };
    }
  });
}

/** Numbers at most `maxRows` rows in one transaction, which a dry run takes back; returns how many. @throws SeqctlError; nothing was changed then */
export async function numberPending(
  settings: ConnectionSettings,
  name: string,
  numberColumn: string,
  maxRows: bigint | null,
  options: Omit<WriteOptions, 'doing' | 'exclusive'>,
): Promise<bigint> {
  const write = { ...options, doing: 'number the pending rows', exclusive: false };
  return withWrite(settings, write, async (client) => {
    const table = await findTable(client, name);
    // The triggers of the table are the user's, and find their own tables as ever.
    await client.query('set local search_path to default');
    const { rows } = await client.query<{ count: string }>(
      `select seqctl.number_pending(
          $1::pg_catalog.oid::pg_catalog.regclass, $2::pg_catalog.text::pg_catalog.name, $3::pg_catalog.int8
       ) as count`,
      [table, numberColumn, maxRows?.toString() ?? null],
    );
    return BigInt(rows[0]?.count ?? 0);
  });
}

async function requireSource(client: Client, name: string, numberColumn: string): Promise<PendingSource> {
  const table = await findTable(client, name);
  const source = (await readPendingSources(client)).find(
    (one) => one.table === table && one.numberColumn === numberColumn,
  );
  if (source !== undefined) return source;
  throw new OperationError(`column ${numberColumn} of ${name} is not attached`, {
    sqlstate: 'SQ009',
    hint: 'seqctl status lists what is attached.',
  });
}

async function countPatiently(client: Client, { from, mayPend }: PendingSource): Promise<bigint | null> {
  if (!mayPend) return 0n;
  await client.query('begin transaction read only');
  try {
    await client.query(
      `set local statement_timeout = ${countPatienceMs}; set local lock_timeout = ${countPatienceMs}; set local row_security = off`,
    );
    return await countRows(client, from);
  } catch (error) {
    // Too long, a lock, no right to read the table, a column of the condition that is gone: verify says which.
    if (!['57014', '55P03', '42501', '42703'].includes(sqlstateOf(error) ?? '')) throw error;
    return null;
  } finally {
    await client.query('rollback');
  }
}

async function countRows(client: Client, from: string): Promise<bigint> {
  const { rows } = await client.query<{ count: string }>(`select count(*) as count ${from}`);
  return BigInt(rows[0]?.count ?? 0);
}

/** One for each attached table that is still there. The search_path must be pg_catalog alone. */
async function readPendingSources(client: Client): Promise<PendingSource[]> {
  const { rows } = await client.query<Omit<PendingSource, 'table'> & { table: string }>(`
    select
        a.target::oid::bigint as table,
        a.target::text as target,
        a.number_column as "numberColumn",
        s.name as series,
        format(
            'from %s as i where i.%I is null and (%s)',
            a.target, a.number_column, coalesce(a.issue_when, 'true')
        ) as "from",
        seqctl._group_expression('i.', a.target, a.group_columns) as "groupKey",
        seqctl._period_expression(
            s.reset,
            s.fiscal_year_start,
            seqctl._date_expression('i.' || quote_ident(a.date_column), seqctl._base_type(d.atttypid), s.time_zone)
        ) as period,
        concat_ws(
            ', ',
            'i.' || quote_ident(a.date_column),
            (
                select string_agg('i.' || quote_ident(k.attname), ', ' order by array_position(x.indkey, k.attnum))
                from pg_index as x
                join pg_attribute as k on k.attrelid = x.indrelid and k.attnum = any (x.indkey)
                where x.indrelid = a.target and x.indisprimary
            ),
            'i.ctid'
        ) as "order",
        not n.attnotnull as "mayPend"
    from seqctl.attachment as a
    join seqctl.series as s on s.id = a.series_id
    join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
    join pg_attribute as n on n.attrelid = a.target and n.attname = a.number_column and not n.attisdropped
    left join pg_attribute as d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
    order by a.id`);
  return rows.map((row) => ({ ...row, table: Number(row.table) }));
}
