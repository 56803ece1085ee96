import { EventEmitter } from 'node:events';

import pg from 'pg';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import {
  AlreadyInTransactionError,
  ConnectionLostError,
  NotForCallbackError,
  type PgPool,
  PoolExhaustedError,
  SeqctlError,
  TransactionEndedError,
  type TransactionOptions,
  TransactionOverError,
  TransactionRolledBackError,
  UnsupportedClientError,
  withTransaction,
} from '../../client/index.js';
import { useDatabase } from '../support/database.js';
import { usePools } from '../support/pool.js';
import { waitUntilBlocked, waitUntilPidBlocked } from '../support/session.js';

const database = useDatabase();
const openPool = usePools(database);

beforeAll(async () => {
  await database.execute(`create table note (id bigint generated always as identity, text text unique);
    select seqctl.create_series('invoice', reset => 'never')`);
});

afterEach(async () => {
  await database.execute('truncate note');
});

async function notes(): Promise<string[]> {
  const rows = await database.rows<{ text: string }>('select text from note order by id');
  return rows.map(({ text }) => text);
}

const note = (client: pg.ClientBase, text: string): Promise<unknown> =>
  client.query('insert into note (text) values ($1)', [text]);

/** The SQLSTATEs of the server, raised at will. */
const raise = (client: pg.ClientBase, code: string): Promise<unknown> =>
  client.query(`do $$ begin raise exception using errcode = '${code}', message = 'made up'; end $$`);

/** A pool that hands over its connections in another way. */
function poolOf(
  connect: (callback: (error: Error | undefined, client: pg.PoolClient | undefined) => void) => void,
): PgPool<pg.PoolClient> {
  return { totalCount: 1, idleCount: 0, waitingCount: 0, connect } as PgPool<pg.PoolClient>;
}

const quick = { baseDelayMs: 0 };

test.each([
  [{ durability: 'x' }, `durability is "x"; it is one of 'commit', 'group'`],
  [
    { isolationLevel: 'Serializable' },
    `isolationLevel is "Serializable"; it is one of 'read committed', 'repeatable read', 'serializable'`,
  ],
  [
    { isolationLevel: 'toString' },
    `isolationLevel is "toString"; it is one of 'read committed', 'repeatable read', 'serializable'`,
  ],
])('%j: refused by its name, before anything is begun', async (options, message) => {
  const pool = openPool();
  const done = withTransaction(pool, options as TransactionOptions, () => Promise.resolve());
  await expect(done).rejects.toThrow(new RangeError(message));
  expect(pool.totalCount).toBe(0);
});

test('commits, returns what the callback returned, and the connection goes back to the pool', async () => {
  const pool = openPool();
  const result = await withTransaction(pool, {}, async (client) => {
    await note(client, 'a');
    return 42;
  });
  expect(result).toBe(42);
  expect(await notes()).toEqual(['a']);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});

test('rolls back when the callback throws, and throws the same', async () => {
  const pool = openPool();
  const mine = new Error('mine');
  const failing = withTransaction(pool, {}, async (client) => {
    await note(client, 'a');
    throw mine;
  });
  await expect(failing).rejects.toBe(mine);
  const notAsync = withTransaction(pool, {}, () => {
    throw mine;
  });
  await expect(notAsync).rejects.toBe(mine);
  expect(await notes()).toEqual([]);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});

test('works with a connected client, which stays open', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await withTransaction(client, {}, (inner) => note(inner, 'a'));
  await expect(withTransaction(client, {}, (inner) => raise(inner, 'P0001'))).rejects.toThrow('made up');
  await withTransaction(client, {}, (inner: pg.Client) => note(inner, 'b'));
  expect(await notes()).toEqual(['a', 'b']);
  await client.end();
});

test('refuses a client in a transaction, which goes on', async () => {
  const pool = openPool();
  const client = await pool.connect();
  await client.query('begin');
  await note(client, 'a');
  const nested = withTransaction(client, { durability: 'group' }, () => Promise.resolve());
  await expect(nested).rejects.toBeInstanceOf(AlreadyInTransactionError);
  expect((await client.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
  await client.query('commit');
  client.release();
  expect(await notes()).toEqual(['a']);

  const inner = withTransaction(pool, {}, (outer) =>
    withTransaction(outer, {}, () => Promise.resolve('never')),
  );
  await expect(inner).rejects.toThrow(/in a transaction already/);
});

test.each(['read committed', 'repeatable read', 'serializable'] as const)(
  'isolation level %s',
  async (level) => {
    const pool = openPool();
    const shown = await withTransaction(pool, { isolationLevel: level }, async (client) => {
      const { rows } = await client.query<{ level: string }>(
        `select current_setting('transaction_isolation') as level`,
      );
      return rows[0]?.level;
    });
    expect(shown).toBe(level);
  },
);

describe('retries', () => {
  test.each(['40001', '40P01', '55P03'])('%s from the server: all of it again', async (code) => {
    const pool = openPool();
    const seen: [unknown, number][] = [];
    let runs = 0;
    const retry = { ...quick, onRetry: (error: unknown, attempt: number) => seen.push([error, attempt]) };
    await withTransaction(pool, { retry }, async (client) => {
      runs += 1;
      await note(client, `run ${runs}`);
      if (runs < 3) await raise(client, code);
    });
    expect(await notes()).toEqual(['run 3']);
    expect(seen).toMatchObject([
      [{ code }, 1],
      [{ code }, 2],
    ]);
    expect(pool.totalCount).toBe(1);
  });

  test('a real 40001, a real deadlock, a real lock_timeout', async () => {
    const pool = openPool();
    const other = await database.session('other');
    await other.query(`insert into note (text) values ('row')`);
    for (const cause of ['40001', '55P03']) {
      let runs = 0;
      await withTransaction(pool, { isolationLevel: 'repeatable read', retry: quick }, async (client) => {
        runs += 1;
        if (runs === 1 && cause === '40001') await other.query(`update note set text = 'row'`);
        if (runs === 1 && cause === '55P03') {
          await other.query('begin');
          await other.query('select from note for update');
        }
        await client.query(`set local lock_timeout = '20ms'`);
        try {
          await client.query(`update note set text = 'row'`);
        } finally {
          if (runs === 1 && cause === '55P03') await other.query('commit');
        }
      });
      expect(runs).toBe(2);
    }

    // The one that waits second is chosen as the victim; the other gets on.
    let runs = 0;
    await other.query(`insert into note (text) values ('second')`);
    await other.query(`set deadlock_timeout = '60s'`);
    await withTransaction(pool, { retry: quick }, async (client) => {
      runs += 1;
      if (runs > 1) return;
      await client.query(`set local deadlock_timeout = '10ms'`);
      await client.query(`select from note where text = 'row' for update`);
      await other.query('begin');
      await other.query(`select from note where text = 'second' for update`);
      const blocked = other.start(`select from note where text = 'row' for update`);
      await waitUntilBlocked(other);
      try {
        await client.query(`select from note where text = 'second' for update`);
      } finally {
        void blocked.result.then(() => other.query('commit'));
      }
    });
    expect(runs).toBe(2);
  });

  test('at COMMIT: a deferred constraint that fails is not tried again, a serialization failure is', async () => {
    const pool = openPool();
    await database.execute(`
      create function complain() returns trigger language plpgsql as $$
      begin raise exception using errcode = new.text, message = 'at commit'; end $$;
      create constraint trigger complain after insert on note deferrable initially deferred
        for each row when (new.text ~ '^[0-9]') execute function complain()`);
    let runs = 0;
    await withTransaction(pool, { retry: quick }, async (client) => {
      runs += 1;
      await note(client, runs < 3 ? '40001' : 'fine');
    });
    expect(runs).toBe(3);
    runs = 0;
    const failing = withTransaction(pool, { retry: quick }, async (client) => {
      runs += 1;
      await note(client, '23514');
    });
    await expect(failing).rejects.toMatchObject({ code: '23514', message: 'at commit' });
    expect(runs).toBe(1);
    expect(await notes()).toEqual(['fine']);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
    await database.execute('drop function complain cascade');
  });

  test('bounded: the last error of PostgreSQL is thrown as it is', async () => {
    const pool = openPool();
    let runs = 0;
    const failing = withTransaction(pool, { retry: { ...quick, attempts: 4 } }, async (client) => {
      runs += 1;
      await raise(client, '40001');
    });
    await expect(failing).rejects.toBeInstanceOf(pg.DatabaseError);
    expect(runs).toBe(4);
    const once = withTransaction(pool, { retry: false }, async (client) => {
      runs += 1;
      await raise(client, '40001');
    });
    await expect(once).rejects.toMatchObject({ code: '40001' });
    expect(runs).toBe(5);
  });

  const notRetried: Readonly<Record<string, (client: pg.PoolClient, pool: pg.Pool) => Promise<unknown>>> = {
    'an error of the caller that only looks like one': () =>
      Promise.reject(Object.assign(new Error('mine'), { code: '40001', severity: 'ERROR', routine: 'x' })),
    'a DatabaseError that the caller made': () => {
      const made = new pg.DatabaseError('mine', 4, 'error');
      made.code = '40001';
      return Promise.reject(made);
    },
    'the same from another connection': async (_client, pool) => {
      const other = await pool.connect();
      try {
        await raise(other, '40001');
      } finally {
        other.release();
      }
    },
    'an error of the caller after it dealt with a real one': async (client) => {
      await client.query('savepoint s');
      await raise(client, '40001').catch(() => client.query('rollback to s'));
      throw new Error('mine');
    },
    'a unique violation': async (client) => {
      await note(client, 'twice');
      await note(client, 'twice');
    },
    'a real one after the callback committed by itself': async (client) => {
      await client.query('commit');
      await raise(client, '40001');
    },
  };
  test.each(Object.keys(notRetried))('not: %s', async (name) => {
    const pool = openPool();
    let runs = 0;
    const failing = withTransaction(pool, { retry: quick }, async (client) => {
      runs += 1;
      await notRetried[name]?.(client, pool);
    });
    await expect(failing).rejects.toThrow();
    expect(runs).toBe(1);
    expect(pool.idleCount).toBe(pool.totalCount);
  });

  test('also when a query builder wrapped it, or a later statement only says that the transaction is aborted', async () => {
    const pool = openPool();
    const ways: ((client: pg.PoolClient) => Promise<unknown>)[] = [
      (client) =>
        raise(client, '40001').catch((cause: unknown) => {
          throw new Error('query failed', { cause });
        }),
      async (client) => {
        await raise(client, '40001').catch(() => undefined);
        await client.query('select 1');
      },
      (client) => raise(client, '40001').catch(() => undefined),
    ];
    for (const way of ways) {
      let runs = 0;
      await withTransaction(pool, { retry: quick }, async (client) => {
        runs += 1;
        if (runs === 1) await way(client);
      });
      expect(runs).toBe(2);
    }
  });

  test('a policy that makes no sense is refused', async () => {
    const pool = openPool();
    for (const retry of [{ attempts: 0 }, { attempts: 1.5 }, { baseDelayMs: -1 }, { maxDelayMs: NaN }]) {
      await expect(withTransaction(pool, { retry }, () => Promise.resolve())).rejects.toThrow(RangeError);
    }
  });
});

describe('AbortSignal', () => {
  test('a callback that hangs: rolled back, the connection is closed, the reason is thrown', async () => {
    const pool = openPool();
    const controller = new AbortController();
    const reason = new Error('too slow');
    const hanging = withTransaction(pool, { signal: controller.signal }, async (client) => {
      await note(client, 'a');
      setImmediate(() => controller.abort(reason));
      await new Promise(() => undefined);
    });
    await expect(hanging).rejects.toBe(reason);
    expect(pool.totalCount).toBe(0);
    // Waits for the row's unique key if the server has not rolled back yet.
    await withTransaction(pool, {}, (client) => note(client, 'a'));
    expect(await notes()).toEqual(['a']);
  });

  test('a statement that hangs is cancelled, so that its locks are free', async () => {
    const pool = openPool();
    const controller = new AbortController();
    const hanging = withTransaction(pool, { signal: controller.signal }, async (client) => {
      await client.query(`select seqctl.next_number('invoice')`);
      setImmediate(() => controller.abort());
      await client.query('select pg_sleep(600)');
    });
    await expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
    await database.rows(`select seqctl.next_number('invoice')`);
  });

  test('a statement that waits for a lock', async () => {
    const pool = openPool();
    const holder = await database.session('holder');
    await holder.query('begin');
    await holder.query(`select seqctl.next_number('invoice')`);
    const controller = new AbortController();
    const hanging = withTransaction(pool, { signal: controller.signal }, async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      const waiting = client.query(`select seqctl.next_number('invoice')`);
      waiting.catch(() => undefined);
      await waitUntilPidBlocked(database.url, rows[0]?.pid ?? 0, 'client', holder);
      controller.abort();
      await waiting;
    });
    await expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
    await holder.query('commit');
  });

  test('what an aborted callback still does is refused', async () => {
    const pool = openPool();
    const controller = new AbortController();
    let late: Promise<unknown> = Promise.resolve();
    const aborted = withTransaction(pool, { signal: controller.signal }, async (client) => {
      await note(client, 'a');
      late = new Promise((resolve) => setTimeout(resolve, 50)).then(() => note(client, 'late'));
      late.catch(() => undefined);
      controller.abort();
      await late;
    });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    await expect(late).rejects.toBeInstanceOf(TransactionOverError);
    expect(await notes()).toEqual([]);
  });

  test('before it starts, while it waits for a connection, and between two attempts', async () => {
    const pool = openPool({ max: 1 });
    let runs = 0;
    const count = (): Promise<void> => {
      runs += 1;
      return Promise.resolve();
    };
    await expect(withTransaction(pool, { signal: AbortSignal.abort() }, count)).rejects.toThrow(/aborted/);

    const only = await pool.connect();
    const controller = new AbortController();
    const waiting = withTransaction(pool, { signal: controller.signal }, count);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    only.release();
    expect(runs).toBe(0);

    const later = new AbortController();
    const reason = new Error('enough');
    const retry = {
      baseDelayMs: 600_000,
      maxDelayMs: 600_000,
      onRetry: () => setImmediate(() => later.abort(reason)),
    };
    const failing = withTransaction(pool, { signal: later.signal, retry }, (client) =>
      raise(client, '40001'),
    );
    await expect(failing).rejects.toBe(reason);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  });

  test('a plain client is closed, because nobody can tell what state it is in', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const controller = new AbortController();
    const hanging = withTransaction(client, { signal: controller.signal }, async (inner) => {
      setImmediate(() => controller.abort());
      await inner.query('select pg_sleep(600)');
    });
    await expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
    await expect(client.query('select 1')).rejects.toThrow();
  });
});

describe('a callback that does what it should not', () => {
  test.each([
    ['commit', ['before', 'after']],
    ['rollback', ['after']],
    ['commit and chain', ['before']],
    ['rollback and chain', []],
    ['rollback; begin', []],
    ['commit; begin', ['before']],
    [`prepare transaction 'behind'`, ['after']],
  ])('%s: the library says so', async (ending, left) => {
    const pool = openPool();
    const ended = withTransaction(pool, {}, async (client) => {
      await note(client, 'before');
      await client.query(ending);
      // In autocommit, where there is no transaction any more: that is the damage.
      await note(client, 'after');
    });
    await expect(ended).rejects.toBeInstanceOf(TransactionEndedError);
    await database
      .rows(`rollback prepared 'behind'`)
      .catch((error: unknown) => expect(error).toMatchObject({ code: '42704' }));
    expect(await notes()).toEqual(left);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  });

  test('a commit that it did not await', async () => {
    const pool = openPool();
    const ended = withTransaction(pool, {}, async (client) => {
      await note(client, 'a');
      client.query('commit').catch(() => undefined);
    });
    await expect(ended).rejects.toBeInstanceOf(TransactionEndedError);
  });

  test('savepoints are fine', async () => {
    const pool = openPool();
    await withTransaction(pool, {}, async (client) => {
      await note(client, 'a');
      await client.query('savepoint s');
      await note(client, 'a').catch(() => client.query('rollback to s'));
      await client.query('release s');
      await note(client, 'b');
    });
    expect(await notes()).toEqual(['a', 'b']);
  });

  test('swallows an error: the transaction cannot be committed, and the cause is told', async () => {
    const pool = openPool();
    const going = withTransaction(pool, {}, async (client) => {
      await note(client, 'a');
      await client.query('select 1 / 0').catch(() => undefined);
    });
    const error: unknown = await going.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TransactionRolledBackError);
    expect(error).toMatchObject({ cause: { code: '22012' }, detail: 'division by zero' });
    const unawaited = withTransaction(pool, {}, async (client) => {
      await note(client, 'a');
      client.query('select 1 / 0').catch(() => undefined);
    });
    await expect(unawaited).rejects.toMatchObject({
      code: 'TRANSACTION_ROLLED_BACK',
      cause: { code: '22012' },
    });
    expect(await notes()).toEqual([]);
  });

  test('goes on in the background after it threw', async () => {
    const pool = openPool();
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    let late: Promise<unknown> = Promise.resolve();
    const failing = withTransaction(pool, {}, async (client) => {
      late = gate.then(() => note(client, 'late'));
      late.catch(() => undefined);
      await raise(client, 'P0001');
    });
    await expect(failing).rejects.toThrow('made up');
    go();
    await expect(late).rejects.toBeInstanceOf(TransactionOverError);
    expect(await notes()).toEqual([]);
  });

  test('releases or ends its client', async () => {
    const pool = openPool();
    const releasing = withTransaction(pool, {}, (client) => {
      client.release();
      return Promise.resolve();
    });
    await expect(releasing).rejects.toBeInstanceOf(NotForCallbackError);
    await expect(withTransaction(pool, {}, (client) => client.end())).rejects.toThrow(/end\(\)/);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  });
});

describe('connections', () => {
  test('an exhausted pool: says so, and names the way out', async () => {
    const pool = openPool({ max: 2, connectionTimeoutMillis: 100 });
    const nested = withTransaction(pool, {}, () =>
      withTransaction(pool, {}, () => withTransaction(pool, {}, () => Promise.resolve())),
    );
    const error: unknown = await nested.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PoolExhaustedError);
    expect(error).toMatchObject({
      code: 'POOL_EXHAUSTED',
      message: 'no connection became free in the pool: all 2 are in use',
      hint: expect.stringContaining('use its client instead of the pool') as string,
    });
    expect([pool.totalCount, pool.idleCount]).toEqual([2, 2]);
  });

  test('a server that is not there: what pg says', async () => {
    const pool = openPool({ connectionString: 'postgres://nobody@127.0.0.1:1/nothing' });
    await expect(withTransaction(pool, {}, () => Promise.resolve())).rejects.toThrow(/ECONNREFUSED/);
  });

  test.each(['during a statement', 'between two statements', 'before the next one'])(
    'the backend is killed %s: nothing is stored, and the pool has no dead connection',
    async (when) => {
      const pool = openPool();
      let runs = 0;
      const killed = withTransaction(pool, { retry: quick }, async (client) => {
        runs += 1;
        await note(client, 'a');
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        const pid = rows[0]?.pid ?? 0;
        if (when === 'during a statement') await client.query('select pg_terminate_backend($1)', [pid]);
        else {
          const lost = new Promise((resolve) => client.once('end', resolve));
          await database.rows('select pg_terminate_backend($1, 10000)', [pid]);
          await lost;
        }
        if (when === 'before the next one') await note(client, 'b');
      });
      await expect(killed).rejects.toBeInstanceOf(ConnectionLostError);
      expect(runs).toBe(1);
      expect(await notes()).toEqual([]);
      expect(pool.totalCount).toBe(0);
      await withTransaction(pool, {}, (client) => note(client, 'a'));
      expect(await notes()).toEqual(['a']);
    },
  );

  test('pg gives up on a statement (query_timeout): it is cancelled, so that its locks are free', async () => {
    const pool = openPool({ query_timeout: 100 });
    const slow = withTransaction(pool, {}, async (client) => {
      await client.query(`select seqctl.next_number('invoice')`);
      await client.query('select pg_sleep(600)');
    });
    await expect(slow).rejects.toThrow('Query read timeout');
    expect(pool.totalCount).toBe(0);
    await database.rows(`select seqctl.next_number('invoice')`);
  });

  test('a connection that somebody released in the middle of a transaction is not used', async () => {
    const pool = openPool();
    const careless = await pool.connect();
    await careless.query('begin');
    await note(careless, 'left over');
    careless.release();
    await withTransaction(pool, {}, (client) => note(client, 'a'));
    expect(await notes()).toEqual(['a']);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  });

  test('a client that is not supported goes back unused', async () => {
    let released = 0;
    const client = Object.assign(new EventEmitter(), { release: () => (released += 1) });
    const old = poolOf((callback) => callback(undefined, client as unknown as pg.PoolClient));
    await expect(withTransaction(old, {}, () => Promise.resolve())).rejects.toBeInstanceOf(
      UnsupportedClientError,
    );
    expect(released).toBe(1);
  });

  test('an error of the connection in the moment when the pool hands it over does not end the process', async () => {
    const pool = openPool();
    const dying = poolOf((callback) =>
      pool.connect((error, client) => {
        callback(error, client);
        client?.emit('error', new Error('terminating connection'));
      }),
    );
    await withTransaction(dying, {}, (client) => note(client, 'a'));
    expect(await notes()).toEqual(['a']);
  });

  test('no listener is left on a connection of the pool', async () => {
    const pool = openPool({ max: 1 });
    const countListeners = async (): Promise<number[]> => {
      const client = await pool.connect();
      const { connection } = client;
      const counts = ['errorMessage', 'commandComplete', 'readyForQuery'].map((name) =>
        connection.listenerCount(name),
      );
      counts.push(client.listenerCount('error'));
      client.release();
      return counts;
    };
    const before = await countListeners();
    for (let n = 0; n < 20; n += 1) await withTransaction(pool, {}, () => Promise.resolve());
    expect(await countListeners()).toEqual(before);
  });
});

test('a refusal of seqctl is a SeqctlError, whoever asked for the number', async () => {
  const pool = openPool();
  const refused = withTransaction(pool, {}, (client) => client.query(`select seqctl.next_number('nothing')`));
  const error: unknown = await refused.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SeqctlError);
  expect(error).toMatchObject({
    code: 'SQ001',
    message: `series 'nothing' does not exist`,
    hint: expect.stringContaining('create_series') as string,
    cause: expect.any(pg.DatabaseError) as unknown,
  });
});

test('waits for the counter, as any transaction does', async () => {
  const pool = openPool();
  const holder = await database.session('holder');
  await holder.query('begin');
  await holder.query(`select seqctl.next_number('invoice')`);
  const second = await database.session('second');
  const waiting = withTransaction(second.client, {}, (client) =>
    client.query(`select seqctl.next_number('invoice')`),
  );
  waiting.catch(() => undefined);
  await waitUntilBlocked(second, holder);
  await holder.query('commit');
  await waiting;
  expect(pool.totalCount).toBe(0);
});
