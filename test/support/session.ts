import { setTimeout as delay } from 'node:timers/promises';

import type { Client, QueryResult, QueryResultRow } from 'pg';

import { withClient } from './connect.js';

const pollMs = 5;
const patienceMs = 20_000;

/** A named connection. Its name is its application_name, so that pg_stat_activity tells who is who. */
export class Session {
  /** Statements sent and not answered yet. */
  #running = 0;
  #closed = false;

  private constructor(
    readonly name: string,
    readonly url: string,
    /** Process id of the backend. */
    readonly pid: number,
    readonly client: Client,
  ) {}

  /** On a connection that nobody else uses. */
  static async open(client: Client, url: string, name: string): Promise<Session> {
    const { rows } = await client.query<{ pid: number }>(
      `select pg_backend_pid() as pid, set_config('application_name', $1, false)`,
      [name],
    );
    return new Session(name, url, rows[0]?.pid ?? 0, client);
  }

  /** Runs one statement and waits for its end. */
  async query<R extends QueryResultRow = QueryResultRow>(
    sql: string,
    values: unknown[] = [],
  ): Promise<QueryResult<R>> {
    this.#running += 1;
    try {
      return await this.client.query<R>(sql, values.length === 0 ? undefined : values);
    } finally {
      this.#running -= 1;
    }
  }

  /** The rows of one statement. */
  async rows<R extends QueryResultRow = QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> {
    return (await this.query<R>(sql, values)).rows;
  }

  /** The first column of the only row. bigint comes as a string, as pg gives it. */
  async value<T = unknown>(sql: string, values: unknown[] = []): Promise<T> {
    const rows = await this.rows<Record<string, T>>(sql, values);
    const row = rows[0];
    if (rows.length !== 1 || row === undefined) throw new Error(`${rows.length} rows, not one: ${sql}`);
    return Object.values(row)[0] as T;
  }

  /** Sends a statement and returns at once; await the result later, after `waitUntilBlocked` for example. */
  start<R extends QueryResultRow = QueryResultRow>(
    sql: string,
    values: unknown[] = [],
  ): { readonly result: Promise<QueryResult<R>> } {
    const result = this.query<R>(sql, values);
    // It may fail before the test awaits it; that is no unhandled rejection.
    result.catch(() => undefined);
    // Wrapped, so that `await session.start(…)` by mistake does not wait for the statement.
    return { result };
  }

  /** Ends the backend as an administrator would. */
  async kill(): Promise<void> {
    await withClient(this.url, async (client) => {
      await client.query('select pg_terminate_backend($1, 10000)', [this.pid]);
    });
  }

  /** Disconnects; a statement that still runs is ended with its backend. */
  async close(): Promise<void> {
    const client = await this.leave();
    await client?.end().catch(() => undefined);
  }

  /** Ends it without disconnecting, and returns the connection if it is still one. */
  async leave(): Promise<Client | undefined> {
    if (this.#closed) return undefined;
    this.#closed = true;
    if (this.#running === 0) return this.client;
    await this.kill();
    await this.client.end().catch(() => undefined);
    return undefined;
  }
}

/**
 * Returns as soon as the session waits for a lock, which is held (or queued for earlier) by `by` if given.
 * @throws Error when that does not happen within 20 seconds
 */
export async function waitUntilBlocked(session: Session, by?: Session): Promise<void> {
  await waitUntilPidBlocked(session.url, session.pid, session.name, by);
}

/** The same for any backend of the server, such as that of a spawned command. */
export async function waitUntilPidBlocked(
  url: string,
  pid: number,
  name = `backend ${pid}`,
  by?: Session,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  await withClient(url, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ pids: number[] }>('select pg_blocking_pids($1) as pids', [pid]);
      const pids = rows[0]?.pids ?? [];
      if (by === undefined ? pids.length > 0 : pids.includes(by.pid)) return;
      if (Date.now() > deadline) {
        const blocker = by === undefined ? 'anybody' : by.name;
        throw new Error(`${name} is not blocked by ${blocker} (blocked by: ${pids.join(', ') || 'nobody'})`);
      }
      await delay(pollMs);
    }
  });
}

/**
 * Process id of the one backend with this application_name (`seqctl` for the spawned command), as soon as there is one.
 * Not asked on a session in a transaction: there, pg_stat_activity does not change.
 */
export async function waitForBackend(url: string, applicationName: string): Promise<number> {
  const deadline = Date.now() + patienceMs;
  return withClient(url, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ pid: number }>(
        'select pid from pg_stat_activity where application_name = $1 and datname = current_database()',
        [applicationName],
      );
      if (rows[0] !== undefined && rows.length === 1) return rows[0].pid;
      if (Date.now() > deadline) throw new Error(`${rows.length} backends of "${applicationName}", not one`);
      await delay(pollMs);
    }
  });
}
