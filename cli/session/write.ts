import type { Client } from 'pg';

import { type ConnectionSettings, describeConnection } from '../connection/settings.js';
import { OperationError, type SeqctlError, sqlstateOf, toOperationError } from '../errors.js';
import { refuseUnfitServer } from '../installer/state.js';
import { type TransactionOptions, withInstallerTransaction } from '../installer/transaction.js';
import { requireInstalled } from './installed.js';

/** What PostgreSQL said besides the result: a NOTICE, WARNING, … */
export interface Notice {
  /** `NOTICE`, `WARNING`, `INFO`, `LOG` or `DEBUG`. */
  readonly severity: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

export interface WriteOptions extends TransactionOptions {
  /** What the work does, for an error: "could not … : permission denied". */
  readonly doing: string;
  /** Which role may do it, where that is not level admin. */
  readonly rights?: string | undefined;
  readonly onNotice?: ((notice: Notice) => void) | undefined;
}

/**
 * Runs `work` in one transaction of a database that has seqctl, while no install or other administration runs in it; a dry
 * run is rolled back. Names are resolved in pg_catalog alone, but see `findTable`.
 *
 * @throws SeqctlError; nothing was changed then
 */
export async function withWrite<T>(
  settings: ConnectionSettings,
  options: WriteOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  try {
    return await withInstallerTransaction(settings, options, async (client) => {
      refuseUnfitServer(await requireInstalled(client));
      client.on('notice', ({ severity = 'NOTICE', message = '', detail, hint }) =>
        options.onNotice?.({ severity, message, detail, hint }),
      );
      await client.query('set local client_min_messages = notice');
      return work(client);
    });
  } catch (error) {
    throw explain(
      toOperationError(error, `${options.doing} in ${describeConnection(settings)}`),
      options.rights,
    );
  }
}

/** The database does not know the words of the command line: which level gives a right, which option gives a date. */
function explain(error: SeqctlError, rights: string | undefined): SeqctlError {
  const { message, detail, sqlstate } = error;
  if (sqlstate === 'SQ011' && /^series '.*': the date is NULL$/s.test(message)) {
    const hint = 'Name a day of the period, for example --date 2025-12-31.';
    return new OperationError(message, { detail, sqlstate, hint, cause: error });
  }
  if (sqlstate !== '42501' || error.hint !== undefined) return error;
  const hint = rights ?? 'It needs level admin: have the owner of schema seqctl run seqctl grant ROLE admin.';
  return new OperationError(message, { detail, sqlstate, hint, cause: error });
}

/**
 * The oid of a table that the user named as in SQL (or by oid): with or without a schema, folded to lower case unless quoted, looked up
 * in the search_path of the connection.
 */
export async function findTable(client: Client, name: string): Promise<number> {
  // What is left of a table that was dropped; a real name of digits stands in double quotes.
  if (/^\d{1,10}$/.test(name)) return Number(name);
  await client.query('set local search_path to default');
  try {
    const { rows } = await client.query<{ oid: number }>(
      'select $1::pg_catalog.text::pg_catalog.regclass::pg_catalog.oid as oid',
      [name],
    );
    await client.query('set local search_path = pg_catalog');
    return rows[0]?.oid ?? 0;
  } catch (error) {
    const sqlstate = sqlstateOf(error);
    const isUnknown = ['42P01', '3F000', '42602', '42601'].includes(sqlstate ?? '');
    if (!isUnknown) throw error;
    throw new OperationError(`no such table: ${(error as Error).message}`, {
      sqlstate,
      hint: `Write it as in SQL, with its schema: public.invoices, or '"My Table"' where the name has capitals or blanks.`,
      cause: error,
    });
  }
}
