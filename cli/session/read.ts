import type { Client } from 'pg';

import { withConnection } from '../connection/connect.js';
import type { ConnectionSettings } from '../connection/settings.js';
import { describeConnection } from '../connection/settings.js';
import { OperationError, toOperationError } from '../errors.js';
import { cancelBackend, watchBlockers } from '../installer/lock.js';
import { type InstalledState, requireInstalled } from './installed.js';

export interface ReadOptions {
  /** What the work does, for an error: "could not … : permission denied". */
  readonly doing: string;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal?: AbortSignal | undefined;
  /** Hears who blocks the work, as `DROP TABLE` in an open transaction does. */
  readonly onWaiting?: ((text: string) => void) | undefined;
}

/**
 * Runs `work` in one read-only snapshot of a database that has seqctl: everything it reads is of the same moment. Takes no
 * lock that a writer waits for, and works on a standby. Names are resolved in pg_catalog alone.
 *
 * @throws SeqctlError
 */
export async function withSnapshot<T>(
  settings: ConnectionSettings,
  { doing, signal, onWaiting }: ReadOptions,
  work: (client: Client, state: InstalledState) => Promise<T>,
): Promise<T> {
  try {
    return await withConnection(settings, (client) =>
      attended(settings, client, { signal, onWaiting }, async () => {
        await client.query('begin transaction isolation level repeatable read, read only');
        await client.query('set local search_path = pg_catalog');
        const result = await work(client, await requireInstalled(client));
        await client.query('commit');
        return result;
      }),
    );
  } catch (error) {
    throw toOperationError(error, `${doing} in ${describeConnection(settings)}`);
  }
}

/** Ends the work when it is interrupted, and says who keeps it waiting. */
async function attended<T>(
  settings: ConnectionSettings,
  client: Client,
  { signal, onWaiting }: Omit<ReadOptions, 'doing'>,
  work: () => Promise<T>,
): Promise<T> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  const watch =
    onWaiting && watchBlockers(settings, pid, (who) => onWaiting(`waiting for a lock held by ${who}`));
  const interrupt = (): void => {
    cancelBackend(settings, pid).catch(() => client.connection.stream.destroy());
  };
  signal?.addEventListener('abort', interrupt);
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    if (signal?.aborted === true) {
      throw new OperationError('interrupted', { hint: 'Run the command again.', cause: error });
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', interrupt);
    await watch?.stop();
  }
}
