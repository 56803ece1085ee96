import { setTimeout as delay } from 'node:timers/promises';

import type pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import {
  awaitDurable,
  type Durability,
  OutcomeUnknownError,
  transactionStatus,
  withNumber,
  withTransaction,
} from '../../client/index.js';
import { poolCutAt } from '../support/cut.js';
import { useDatabase } from '../support/database.js';
import { expectExact } from '../support/numbering.js';
import { usePools } from '../support/pool.js';
import { waitUntilPidBlocked } from '../support/session.js';
import type { Fate } from '../support/proxy.js';

const database = useDatabase();
const openPool = usePools(database);

beforeAll(async () => {
  await database.execute(`
    create table taken (series text, group_key text, period date, number bigint, order_id integer unique);
    select seqctl.create_series('invoice', reset => 'never')`);
});

const cutAt = (text: string, fate: Fate): Promise<pg.Pool> => poolCutAt(database, openPool, { text, fate });

let lastOrder = 0;

/** A document for an order of its own; returns what was thrown, if anything. */
async function write(
  pool: pg.Pool,
  durability: Durability,
): Promise<{ order: number; runs: number; error: unknown }> {
  const order = (lastOrder += 1);
  let runs = 0;
  const error: unknown = await withNumber(
    pool,
    { series: 'invoice', durability },
    async ({ number }, client) => {
      runs += 1;
      await client.query(`insert into taken values ('invoice', '', '-infinity', $1, $2)`, [number, order]);
    },
  ).catch((caught: unknown) => caught);
  return { order, runs, error };
}

/** The documented way to find out. */
async function isStored(error: OutcomeUnknownError, order: number): Promise<boolean> {
  const pool = openPool();
  while ((await transactionStatus(pool, error.transactionId)) === 'in progress') await delay(20);
  await awaitDurable(pool);
  const { rowCount } = await pool.query('select from taken where order_id = $1', [order]);
  return rowCount === 1;
}

test.each([
  ['cut', 'commit', false, 'rolled back'],
  ['cut after it', 'commit', true, 'committed'],
  ['cut', 'group', false, 'rolled back'],
  ['cut after it', 'group', true, 'committed'],
] as const)('COMMIT is %s (durability %s): %s', async (fate, durability, stored, status) => {
  const { order, runs, error } = await write(await cutAt('commit\0', fate), durability);
  if (!(error instanceof OutcomeUnknownError)) throw error;
  expect(runs).toBe(1);
  expect(error).toMatchObject({
    code: 'OUTCOME_UNKNOWN',
    isCommitted: false,
    message: 'the outcome of the transaction is unknown: COMMIT was sent, and no answer came',
    cause: expect.objectContaining({ message: 'Connection terminated unexpectedly' }) as unknown,
  });
  expect(await isStored(error, order)).toBe(stored);
  expect(await transactionStatus(openPool(), error.transactionId)).toBe(status);
  await expectExact(database);
});

test.each(['cut', 'cut after it'] as const)('await_durable() is %s: committed, and said so', async (fate) => {
  const { order, error } = await write(await cutAt('await_durable', fate), 'group');
  if (!(error instanceof OutcomeUnknownError)) throw error;
  expect(error).toMatchObject({
    isCommitted: true,
    message: expect.stringContaining('committed') as string,
  });
  expect(await isStored(error, order)).toBe(true);
});

test('await_durable() is refused: told with its reason, and not run again although the SQLSTATE could be', async () => {
  const pool = openPool();
  await database.execute(`alter function seqctl.await_durable() rename to kept;
    create function seqctl.await_durable() returns void language plpgsql as $$
    begin raise exception using errcode = '55P03', message = 'made up'; end $$`);
  const { order, runs, error } = await write(pool, 'group');
  await database.execute(`drop function seqctl.await_durable();
    alter function seqctl.kept() rename to await_durable`);
  if (!(error instanceof OutcomeUnknownError)) throw error;
  expect(error).toMatchObject({ isCommitted: true, cause: { code: '55P03' } });
  expect(runs).toBe(1);
  expect(await isStored(error, order)).toBe(true);
});

test('the signal aborts while COMMIT is under way', async () => {
  const pool = openPool();
  const holder = await database.session('holder');
  // A deferred trigger that waits for a lock: COMMIT takes as long as somebody wants.
  await database.execute(`
    create table gate ();
    create function wait_at_gate() returns trigger language plpgsql as $$ begin lock table gate; return null; end $$;
    create constraint trigger wait_at_gate after insert on taken deferrable initially deferred
      for each row execute function wait_at_gate()`);
  await holder.query('begin');
  await holder.query('lock table gate');
  const controller = new AbortController();
  const order = (lastOrder += 1);
  let pid = 0;
  const writing = withNumber(
    pool,
    { series: 'invoice', signal: controller.signal },
    async ({ number }, client) => {
      await client.query(`insert into taken values ('invoice', '', '-infinity', $1, $2)`, [number, order]);
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      pid = rows[0]?.pid ?? 0;
    },
  );
  writing.catch(() => undefined);
  while (pid === 0) await delay(5);
  await waitUntilPidBlocked(database.url, pid, 'COMMIT', holder);
  controller.abort();
  const error: unknown = await writing.catch((caught: unknown) => caught);
  if (!(error instanceof OutcomeUnknownError)) throw error;
  expect(error.cause).toMatchObject({ name: 'AbortError' });
  expect(await transactionStatus(openPool(), error.transactionId)).toBe('in progress');
  await holder.query('commit');
  // Nobody is there to hear it, but COMMIT was sent.
  expect(await isStored(error, order)).toBe(true);
  expect(pool.totalCount).toBe(0);
  await database.execute('drop function wait_at_gate cascade');
  await expectExact(database);
});

test('pg gives up on COMMIT by itself (query_timeout)', async () => {
  const pool = openPool({ query_timeout: 100 });
  await database.execute(`
    create function take_time() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return null; end $$;
    create constraint trigger take_time after insert on taken deferrable initially deferred
      for each row execute function take_time()`);
  const { order, error } = await write(pool, 'commit');
  if (!(error instanceof OutcomeUnknownError)) throw error;
  expect(error.cause).toMatchObject({ message: 'Query read timeout' });
  expect(await isStored(error, order)).toBe(true);
  expect(pool.totalCount).toBe(0);
  await database.execute('drop function take_time cascade');
});

test('a connection that is cut before COMMIT: nothing is unknown', async () => {
  const pool = await cutAt('pg_sleep', 'cut');
  const cut = withTransaction(pool, {}, (client) => client.query('select pg_sleep(0)'));
  await expect(cut).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});

test('the status of a transaction that the server does not know', async () => {
  const pool = openPool();
  expect(await transactionStatus(pool, '9223372036854775807')).toBe('unknown');
  await expect(transactionStatus(pool, 'nonsense')).rejects.toBeInstanceOf(TypeError);
});
