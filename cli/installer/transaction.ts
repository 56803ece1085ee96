import type { Client } from 'pg';

import { withConnection } from '../connection/connect.js';
import type { ConnectionSettings } from '../connection/settings.js';
import { OperationError, sqlstateOf } from '../errors.js';
import { type BlockerWatch, cancelBackend, installerLockKey, watchBlockers } from './lock.js';
import { standbyError } from './state.js';

export interface TransactionOptions {
  /** Rolls back at the end, whatever happened. */
  readonly dryRun: boolean;
  /** false: others may install and administer meanwhile. */
  readonly exclusive?: boolean | undefined;
  /** How long to wait for any one lock; 0 waits for ever. */
  readonly lockTimeoutMs: number;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal?: AbortSignal | undefined;
  /** Hears what is worth telling a waiting user. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

export const defaultLockTimeoutMs = 10_000;

/**
 * Runs `work` in one transaction that, unless told otherwise, no other seqctl runs at the same time in this database. It is committed
 * unless this is a dry run, something fails, or the signal is aborted; a signal also ends a statement that runs.
 *
 * @throws OperationError when it waited too long for a lock or was interrupted; else what `work` throws
 */
export async function withInstallerTransaction<T>(
  settings: ConnectionSettings,
  options: TransactionOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return withConnection(settings, async (client) => {
    const pid = await backendPid(client);
    const watch = watchBlockers(settings, pid, (who) =>
      options.onProgress?.(`waiting for a lock held by ${who}`),
    );
    const interrupt = (): void => {
      // Without an answer the connection is cut: the server rolls back when it notices.
      cancelBackend(settings, pid).catch(() => client.connection.stream.destroy());
    };
    options.signal?.addEventListener('abort', interrupt);
    try {
      return await runTransaction(client, options, work);
    } catch (error) {
      throw explain(error, options, watch);
    } finally {
      options.signal?.removeEventListener('abort', interrupt);
      await watch.stop();
    }
  });
}

async function runTransaction<T>(
  client: Client,
  options: TransactionOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  // Spelled out, because a role or database may have other defaults.
  await client.query('begin transaction isolation level read committed, read write');
  try {
    await client.query(`set local lock_timeout = ${options.lockTimeoutMs}`);
    await client.query('set local search_path = pg_catalog');
    await client.query('set local client_min_messages = warning');
    if (options.exclusive !== false) await client.query(`select pg_advisory_xact_lock(${installerLockKey})`);
    const result = await work(client);
    options.signal?.throwIfAborted();
    await client.query(options.dryRun ? 'rollback' : 'commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function backendPid(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

function explain(error: unknown, options: TransactionOptions, watch: BlockerWatch): unknown {
  if (options.signal?.aborted === true) {
    return new OperationError('interrupted: the transaction was rolled back', {
      hint: 'Nothing was changed; run the command again.',
      cause: error,
    });
  }
  if (sqlstateOf(error) === '0A000' && (error as Error).message.includes('during recovery'))
    return standbyError();
  if (sqlstateOf(error) === '55P03') {
    return new OperationError(`waited longer than ${options.lockTimeoutMs / 1000} s for a lock`, {
      sqlstate: '55P03',
      detail: `It is held by ${watch.latest() ?? 'a session that could not be determined'}.`,
      hint: 'Nothing was changed. Wait until that session ends, end it, or give more time with --lock-timeout.',
      cause: error,
    });
  }
  return error;
}
