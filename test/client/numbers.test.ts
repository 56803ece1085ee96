import type pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import {
  allocate,
  type AttachmentRow,
  awaitDurable,
  checkout,
  type CheckoutRow,
  type CounterRow,
  finalize,
  type InTransaction,
  nextNumber,
  NotInTransactionError,
  SeqctlError,
  type SeriesRow,
  withNumber,
  withTransaction,
} from '../../client/index.js';
import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices } from '../support/numbering.js';
import { usePools } from '../support/pool.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();
const openPool = usePools(database);

beforeAll(async () => {
  await database.execute(`
    create table taken (series text, group_key text, period date, number bigint);
    select seqctl.create_series('invoice', format => '{group}-{year}-{number:3}');
    select seqctl.create_series('plain', reset => 'never');
    select seqctl.create_series('huge', reset => 'never', first_number => 9007199254740993)`);
});

const request = { series: 'invoice', group: 'acme', date: '2026-03-09' };

test('withNumber: the number and what is written with it are stored together, or neither is', async () => {
  const pool = openPool();
  const write = (fails: boolean): Promise<string> =>
    withNumber(pool, request, async ({ number, documentNumber }, client) => {
      await client.query(`insert into taken values ('invoice', 'acme', '2026-01-01', $1)`, [number]);
      if (fails) throw new Error('mine');
      return `${number} ${documentNumber}`;
    });
  expect(await write(false)).toBe('1 acme-2026-001');
  await expect(write(true)).rejects.toThrow('mine');
  expect(await write(false)).toBe('2 acme-2026-002');
  await expectExact(database);
});

test.each([
  { isolationLevel: 'read committed', durability: 'commit' },
  { isolationLevel: 'serializable', durability: 'commit' },
  { isolationLevel: 'repeatable read', durability: 'group' },
] as const)('16 clients on one counter, $isolationLevel, $durability', async (options) => {
  const pool = openPool({ max: 16 });
  let runs = 0;
  const retry = { attempts: 1000, baseDelayMs: 2, maxDelayMs: 50 };
  const numbers = await Promise.all(
    Array.from({ length: 16 }, async (_, client) => {
      const mine: bigint[] = [];
      for (let n = 0; n < 5; n += 1) {
        const number = withNumber(
          pool,
          { ...request, date: '2027-01-01', ...options, retry },
          async ({ number }, connection) => {
            runs += 1;
            await connection.query(`insert into taken values ('invoice', 'acme', '2027-01-01', $1)`, [
              number,
            ]);
            if (client % 4 === 0 && n === 2) throw new Error('mine');
            return number;
          },
        );
        mine.push(await number.catch(() => 0n));
      }
      return mine;
    }),
  );
  const given = numbers.flat().filter((number) => number > 0n);
  expect(given).toHaveLength(76);
  expect(new Set(given).size).toBe(76);
  if (options.isolationLevel === 'read committed') expect(runs).toBe(80);
  await expectExact(database);
});

test('nextNumber and allocate, in a transaction', async () => {
  const pool = openPool();
  const client = await pool.connect();
  await client.query('begin');
  expect(await nextNumber(client, { series: 'plain' })).toBe(1n);
  expect(await allocate(client, { series: 'plain', howMany: 3 })).toEqual([
    { number: 2n, documentNumber: '2' },
    { number: 3n, documentNumber: '3' },
    { number: 4n, documentNumber: '4' },
  ]);
  expect(await allocate(client, { series: 'plain' })).toHaveLength(1);
  await client.query('rollback');
  client.release();
  await withTransaction(pool, {}, async (scoped) => {
    expect(await nextNumber(scoped, { series: 'plain' })).toBe(1n);
    await scoped.query(`insert into taken values ('plain', '', '-infinity', 1)`);
  });
  await expectExact(database);
});

test('nextNumber and allocate outside of a transaction: refused, and no number is taken', async () => {
  const pool = openPool();
  const client = await pool.connect();
  const plain = { query: (text: string, values: unknown[]) => client.query(text, values) };
  for (const outside of [pool as unknown as InTransaction, client, plain as InTransaction]) {
    for (const call of [nextNumber, allocate]) {
      const error: unknown = await call(outside, { series: 'plain' }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(NotInTransactionError);
      expect(error).toMatchObject({
        code: 'NOT_IN_TRANSACTION',
        message: expect.stringMatching(/^(a pool|the client) is in no transaction$/) as string,
        hint: expect.stringContaining('withNumber()') as string,
      });
    }
  }
  await expectExact(database);
  client.release();
});

test('a client of pg is not asked whether it is in a transaction, another one is', async () => {
  const client = await openPool().connect();
  const sent: string[] = [];
  const query = (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
    sent.push(text.split(' ')[0] ?? '');
    return client.query(text, values);
  };
  const ofPg = { query, getTransactionStatus: () => client.getTransactionStatus() };
  await client.query('begin');
  await nextNumber(ofPg, { series: 'plain' });
  expect(sent.splice(0)).toEqual(['select']);
  await nextNumber({ query }, { series: 'plain' });
  await nextNumber({ query }, { series: 'plain' });
  expect(sent).toEqual(['lock', 'select', 'lock', 'select']);
  await client.query('rollback');
  client.release();
});

test('a BEGIN that is still in the queue of the client counts', async () => {
  const client = await openPool().connect();
  const [, number] = await Promise.all([client.query('begin'), nextNumber(client, { series: 'plain' })]);
  expect(number).toBe(2n);
  await client.query('rollback');
  client.release();
});

test('a role that may take numbers and no more can ask, too', async () => {
  const role = await makeRole('numbers');
  await database.execute(`select seqctl.grant_access('${role.name}', 'issue')`);
  const pool = openPool({ connectionString: database.urlAs(role.name, role.password) });
  const client = await pool.connect();
  const plain = { query: (text: string, values?: unknown[]) => client.query(text, values) };
  await client.query('begin');
  expect(await nextNumber(plain, { series: 'plain' })).toBe(2n);
  await client.query('rollback');
  client.release();
});

test('numbers that no JavaScript number can hold', async () => {
  const pool = openPool();
  const stored = await withNumber(pool, { series: 'huge' }, async ({ number, documentNumber }, client) => {
    expect(documentNumber).toBe('9007199254740993');
    const { rows } = await client.query<{ is: boolean }>(
      'select $1::bigint = last_number as is from seqctl.counters where series = $2',
      [number, 'huge'],
    );
    return rows[0]?.is;
  });
  expect(stored).toBe(true);
  await database.execute(`insert into taken values ('huge', '', '-infinity', 9007199254740993)`);
});

test('a group of several values is that of several group columns', async () => {
  const t = await makeInvoices(database, 'till', { groupColumns: '{company,note}' });
  await database.execute(`insert into ${t} (company, note) values ('acme', 'till 1')`);
  const client = await openPool().connect();
  const next = async (series: string, group: string | string[]): Promise<bigint> => {
    await client.query('begin');
    const number = await nextNumber(client, { series, group, date: '2026-03-09' });
    await client.query('rollback');
    return number;
  };
  expect(await next(t, ['acme', 'till 1'])).toBe(2n);
  expect(await next(t, ['acme', 'till 2'])).toBe(1n);
  // One value is that of one group column.
  expect(await next('invoice', ['acme'])).toBe(await next('invoice', 'acme'));
  client.release();
});

test.each([
  [{ series: 'nothing' }, 'SQ001', 'series'],
  [{ series: 'invoice', group: 'acme' }, 'SQ011', 'date'],
  [{ series: 'invoice', group: 'x'.repeat(1001), date: '2026-03-09' }, 'SQ010', 'group'],
  [{ series: 'plain', howMany: 0 }, 'SQ016', 'how_many'],
])('%j: %s', async (wrong, code, text) => {
  const taken = withTransaction(openPool(), {}, (client) => allocate(client, wrong));
  const error: unknown = await taken.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SeqctlError);
  expect(error).toMatchObject({
    name: 'SeqctlError',
    code,
    message: expect.stringContaining(text) as string,
    hint: expect.stringMatching(/\w/) as string,
  });
});

test.each(['9.3.2026', '2026-3-9', '2026-03-09T00:00:00Z', new Date() as unknown as string])(
  'date %s: refused, because only YYYY-MM-DD is the same day everywhere',
  async (date) => {
    const taken = withTransaction(openPool(), {}, (client) =>
      nextNumber(client, { series: 'invoice', date }),
    );
    await expect(taken).rejects.toThrow(TypeError);
  },
);

test.each([5, null, [], { company: 'acme' }])('group %j: refused by its name', async (wrong) => {
  const group = wrong as unknown as string;
  const taken = withNumber(openPool(), { ...request, group }, () => Promise.resolve());
  await expect(taken).rejects.toThrow(
    new TypeError(
      `group is ${JSON.stringify(wrong)}; give a string, or an array of strings with one for each group column`,
    ),
  );
});

test('a day that is not in the calendar: what PostgreSQL says', async () => {
  const impossible = withTransaction(openPool(), {}, (client) =>
    nextNumber(client, { series: 'invoice', date: '2026-02-30' }),
  );
  await expect(impossible).rejects.toMatchObject({ code: '22008' });
});

test('withNumber when there is no number to be had: the callback is not called', async () => {
  const pool = openPool();
  const never = (): never => {
    throw new Error('called');
  };
  await expect(withNumber(pool, { series: 'nothing' }, never)).rejects.toMatchObject({ code: 'SQ001' });
  await expect(withNumber(pool, { series: 'invoice', date: 'today' }, never)).rejects.toThrow(TypeError);
  expect(pool.idleCount).toBe(pool.totalCount);
});

test('awaitDurable', async () => {
  await awaitDurable(openPool());
});

test('the row types are what the views and tables give', async () => {
  const pool = openPool();
  const [counter] = (await pool.query<CounterRow>(`select * from seqctl.counters where series = 'invoice'`))
    .rows;
  expect(counter).toEqual({
    series: 'invoice',
    group_key: 'acme',
    period: '2026',
    first_number: '1',
    last_number: '2',
    given: '2',
    max_number: null,
    period_start: new Date(2026, 0, 1),
    closed: false,
  } satisfies CounterRow);
  const never = await pool.query<CounterRow>(`select * from seqctl.counters where series = 'plain'`);
  expect(never.rows).toMatchObject([{ period: '', period_start: null }]);

  const [attachment] = (await pool.query<AttachmentRow>('select * from seqctl.attachments')).rows;
  expect(attachment).toEqual({
    target: 'till',
    number_column: 'number',
    series: 'till',
    date_column: 'issued_on',
    group_columns: '{company,note}',
    document_number_column: 'document_number',
    issue_when: null,
    assign: 'insert',
    chronology: 'off',
    protect: true,
    chain_columns: '{}',
    unique_index: 'till_number_seqctl_key',
    attached_at: expect.any(Date) as Date,
    attached_by: new URL(database.url).username,
  } satisfies AttachmentRow);

  const [series] = (await pool.query<SeriesRow>(`select * from seqctl.series where name = 'huge'`)).rows;
  expect(series).toEqual({
    id: expect.any(Number) as number,
    name: 'huge',
    format: '{number}',
    reset: 'never',
    fiscal_year_start: '01-01',
    time_zone: 'UTC',
    first_number: '9007199254740993',
    max_number: null,
    max_length: null,
    chain: false,
    external_code: null,
    purpose: null,
    on_checkout: 'wait',
    ttl_action: 'keep',
    periods_changed_at: expect.any(Date) as Date,
    created_at: expect.any(Date) as Date,
    created_by: new URL(database.url).username,
  } satisfies SeriesRow);

  const user = new URL(database.url).username;
  await checkout(pool, { series: 'invoice', group: 'out', date: '2026-03-09', correlationId: 'order 1' });
  await finalize(pool, { series: 'invoice', correlationId: 'order 1', reference: 'here' });
  await checkout(pool, { series: 'huge', correlationId: 'order 2' });
  const { rows } = await pool.query<CheckoutRow>('select * from seqctl.checkouts');
  expect(rows).toEqual([
    {
      series: 'invoice',
      group_key: 'out',
      period: '2026',
      number: '1',
      document_number: 'out-2026-001',
      correlation_id: 'order 1',
      state: 'finalized',
      opened_at: expect.any(Date) as Date,
      opened_by: user,
      expires_at: expect.any(Date) as Date,
      settled_at: expect.any(Date) as Date,
      settled_by: user,
      settled_how: 'finalize',
      reference: 'here',
      waits: false,
      on_date: new Date(2026, 2, 9),
      period_start: new Date(2026, 0, 1),
    } satisfies CheckoutRow,
    expect.objectContaining({
      state: 'open',
      settled_at: null,
      settled_by: null,
      settled_how: null,
      reference: null,
      on_date: null,
      period_start: null,
    } satisfies Partial<CheckoutRow>) as CheckoutRow,
  ]);
});
