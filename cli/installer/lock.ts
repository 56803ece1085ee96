import type { Client } from 'pg';

import { withConnection } from '../connection/connect.js';
import type { ConnectionSettings } from '../connection/settings.js';

/** Chosen once, at random: every seqctl that changes the schema of a database takes this advisory lock. */
export const installerLockKey = '7390481625512077431';

const firstLookMs = 1_000;
const lookEveryMs = 1_000;

/** Keeps an eye on who blocks a backend, because after a lock timeout nobody can tell any more. */
export interface BlockerWatch {
  /** e.g. `process 4711 (psql, role joe, idle in transaction)`; undefined while nothing blocked. */
  latest(): string | undefined;
  stop(): Promise<void>;
}

/**
 * Looks once a second, on a connection of its own, which it opens only if the work takes longer than that.
 * `onBlocked` hears of each new blocker.
 */
export function watchBlockers(
  settings: ConnectionSettings,
  pid: number,
  onBlocked: (who: string) => void,
): BlockerWatch {
  let latest: string | undefined;
  let wake: () => void = () => undefined;
  let stopped = false;
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const watch = async (): Promise<void> => {
    await pause(firstLookMs);
    if (stopped) return;
    await withConnection(settings, async (client) => {
      while (!stopped) {
        const who = await describeBlockers(client, pid);
        if (who !== undefined && who !== latest) onBlocked(who);
        latest = who ?? latest;
        await pause(lookEveryMs);
      }
    });
  };
  // Without a second connection the work goes on as well; it only cannot name who blocks it.
  const finished = watch().catch(() => undefined);
  return {
    latest: () => latest,
    stop: () => {
      stopped = true;
      wake();
      return finished;
    },
  };
}

async function describeBlockers(client: Client, pid: number): Promise<string | undefined> {
  const { rows } = await client.query<{ pid: number; application: string; role: string; state: string }>(
    `select pid, coalesce(application_name, '') as application, coalesce(usename, '?') as role,
            coalesce(state, 'state hidden') as state
     from pg_catalog.pg_stat_activity
     where pid = any (pg_blocking_pids($1))
     order by pid`,
    [pid],
  );
  if (rows.length === 0) return undefined;
  return rows
    .map((row) => {
      const facts = [row.application, `role ${row.role}`, row.state].filter((fact) => fact !== '');
      return `process ${row.pid} (${facts.join(', ')})`;
    })
    .join(', ');
}

/** Asks the server to give up what the backend is doing, e.g. waiting for a lock. */
export async function cancelBackend(settings: ConnectionSettings, pid: number): Promise<void> {
  await withConnection(settings, (client) => client.query('select pg_cancel_backend($1)', [pid]));
}
