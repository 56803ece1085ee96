import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { bigint, pgTable, text } from 'drizzle-orm/pg-core';
import knex from 'knex';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';

import { fromDrizzle } from '../../client/adapters/drizzle.js';
import { fromKnex } from '../../client/adapters/knex.js';
import { fromKysely } from '../../client/adapters/kysely.js';
import {
  allocate,
  checkout,
  finalize,
  nextNumber,
  NotInTransactionError,
  type Queryable,
  release,
  SeqctlError,
  withTransaction,
} from '../../client/index.js';
import { useDatabase } from '../support/database.js';
import { usePools } from '../support/pool.js';

const database = useDatabase();
const openPool = usePools(database);

beforeAll(async () => {
  await database.execute(`create table note (text text, number bigint)`);
});

const rollBack = new Error('roll back');

/** What holds in a transaction of any of them; `inTransaction` runs the work and commits. */
async function expectNumbers(
  series: string,
  inTransaction: <T>(work: (transaction: Queryable) => Promise<T>) => Promise<T>,
): Promise<void> {
  await database.rows(`select seqctl.create_series($1, format => '{group}{year}-{number:3}')`, [series]);
  const request = { series, group: 'acme ?', date: '2026-03-09' };
  expect(await inTransaction((transaction) => nextNumber(transaction, request))).toBe(1n);
  const undone = inTransaction(async (transaction) => {
    await allocate(transaction, { ...request, howMany: 5 });
    throw rollBack;
  });
  await expect(undone).rejects.toBe(rollBack);
  expect(await inTransaction((transaction) => allocate(transaction, { ...request, howMany: 2 }))).toEqual([
    { number: 2n, documentNumber: 'acme ?2026-002' },
    { number: 3n, documentNumber: 'acme ?2026-003' },
  ]);
  const several = { ...request, group: ['acme', 'till $1'] };
  expect(await inTransaction((transaction) => nextNumber(transaction, several))).toBe(1n);

  const key = { series, correlationId: 'order ?' };
  const out = await inTransaction((transaction) =>
    checkout(transaction, { ...request, ...key, ttl: '1 hour' }),
  );
  expect(out).toEqual({
    ...key,
    number: 4n,
    documentNumber: 'acme ?2026-004',
    expiresAt: expect.any(Date) as Date,
  });
  expect(Math.abs(out.expiresAt.getTime() - Date.now() - 3_600_000)).toBeLessThan(60_000);
  expect(await inTransaction((transaction) => release(transaction, key))).toBe(4n);
  expect(await inTransaction((transaction) => checkout(transaction, { ...request, ...key }))).toMatchObject({
    number: 4n,
  });
  expect(await inTransaction((transaction) => finalize(transaction, { ...key, reference: 'a $1 ?' }))).toBe(
    4n,
  );
  expect(
    await database.rows('select reference from seqctl.checkouts where series = $1 and state = $2', [
      series,
      'finalized',
    ]),
  ).toEqual([{ reference: 'a $1 ?' }]);

  const refused = inTransaction((transaction) => nextNumber(transaction, { series }));
  const error: unknown = await refused.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SeqctlError);
  expect(error).toMatchObject({ code: 'SQ011' });
}

/** The connection of the query builder, without a transaction. */
async function expectRefused(outside: Queryable): Promise<void> {
  await database.execute(
    `select seqctl.create_series('outside', reset => 'never') where not exists (select from seqctl.series where name = 'outside')`,
  );
  await expect(nextNumber(outside, { series: 'outside' })).rejects.toThrow(NotInTransactionError);
  await expect(allocate(outside, { series: 'outside' })).rejects.toThrow(NotInTransactionError);
  expect(await database.rows(`select from seqctl.counters where series = 'outside'`)).toEqual([]);
}

describe('Kysely', () => {
  test.each([[], [new CamelCasePlugin()]])('a transaction, with plugins %s', async (...plugins) => {
    const db = new Kysely<Record<string, never>>({
      dialect: new PostgresDialect({ pool: openPool() }),
      plugins,
    });
    await expectNumbers(`kysely ${plugins.length}`, (work) =>
      db.transaction().execute((transaction) => work(fromKysely(transaction))),
    );
    await expectRefused(fromKysely(db));
  });
});

describe('Drizzle', () => {
  const note = pgTable('note', { text: text(), number: bigint({ mode: 'bigint' }) });

  test('a transaction', async () => {
    const db = drizzle({ client: openPool() });
    await expectNumbers('drizzle', (work) =>
      db.transaction((transaction) => work(fromDrizzle(transaction, sql))),
    );
    await expectRefused(fromDrizzle(db, sql));
  });

  test('on the client of withTransaction, which runs it again', async () => {
    const pool = openPool();
    let runs = 0;
    await withTransaction(pool, { retry: { baseDelayMs: 0 } }, async (client) => {
      runs += 1;
      const db = drizzle({ client });
      await db.insert(note).values({ text: `run ${runs}`, number: BigInt(runs) });
      // Drizzle wraps what pg throws.
      if (runs === 1) await db.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`);
    });
    expect(await drizzle({ client: pool }).select().from(note)).toEqual([{ text: 'run 2', number: 2n }]);
  });
});

describe('Knex', () => {
  test('a transaction', async () => {
    const db = knex({ client: 'pg', connection: database.url });
    try {
      await expectNumbers('knex', (work) => db.transaction((transaction) => work(fromKnex(transaction))));
      await expectRefused(fromKnex(db));
    } finally {
      await db.destroy();
    }
  });
});
