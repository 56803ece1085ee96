import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { type Session, waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

const openMany = (count: number): Promise<Session[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => database.session(`client ${n}`)));

test.each(['read committed', 'repeatable read'])(
  'the first number of a period from 16 sessions at once, %s',
  async (level) => {
    const t = await makeInvoices(database, `first_${level.replace(' ', '_')}`);
    const sessions = await openMany(16);
    for (let year = 2020; year < 2030; year += 1) {
      const results = await Promise.allSettled(
        sessions.map(async (session) => {
          await session.query(`begin isolation level ${level}`);
          try {
            await session.query(`insert into ${t} (issued_on) values ('${year}-01-01')`);
            await session.query('commit');
          } catch (error) {
            await session.query('rollback');
            throw error;
          }
        }),
      );
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: '40001' });
      }
      const landed = results.filter((result) => result.status === 'fulfilled').length;
      expect(landed).toBe(level === 'read committed' ? 16 : Math.max(1, landed));
    }
    await expectExact(database);
  },
);

/** A generator of its own for each client, so that a run can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Errors that a busy system gives; everything else is a bug. */
const expected = new Set(['40001', '40P01', '57P01', '22012', 'terminated']);

async function runClient(
  name: string,
  tables: readonly string[],
  transactions: number,
  seed: number,
): Promise<number> {
  const random = randomFrom(seed);
  const open = async (): Promise<Session> => {
    const opened = await database.session(name);
    await opened.query(`set deadlock_timeout = '30ms'`);
    return opened;
  };
  let session = await open();
  let committed = 0;
  const insert = (): string => {
    const t = tables[random(tables.length)] ?? '';
    const company = `c${random(4)}`;
    const date = `20${24 + random(3)}-03-09`;
    switch (random(6)) {
      case 0:
        return `insert into ${t} (company, issued_on) select 'c' || n % 4, '${date}' from generate_series(1, ${1 + random(20)}) n`;
      case 1:
        return `insert into ${t} (company, issued_on, external) select '${company}', '${date}', n from generate_series(${random(300)}, ${random(300)}) n on conflict do nothing`;
      case 2:
        return `insert into ${t} (company, issued_on, external) values ('${company}', '${date}', ${random(300)}) on conflict do nothing`;
      default:
        return `insert into ${t} (company, issued_on) values ('${company}', '${date}')`;
    }
  };
  for (let n = 0; n < transactions; n += 1) {
    try {
      if (random(3) === 0) {
        await session.query(insert());
      } else {
        await session.query(random(5) === 0 ? 'begin isolation level repeatable read' : 'begin');
        for (let k = random(4); k >= 0; k -= 1) {
          if (random(3) === 0) {
            await session.query('savepoint s');
            await session.query(insert());
            await session.query(random(2) === 0 ? 'rollback to s' : 'release s');
          } else {
            await session.query(insert());
          }
        }
        const end = random(12);
        if (end === 0) {
          // Its connection is ended in mid-transaction, from within or from without.
          if (random(2) === 0) await session.kill();
          await session.query('select pg_terminate_backend(pg_backend_pid())');
        }
        if (end === 1) await session.query('select 1 / 0');
        await session.query(end < 5 ? 'rollback' : 'commit');
      }
      committed += 1;
    } catch (error) {
      const {
        code = String(error).includes('terminated') || String(error).includes('not queryable')
          ? 'terminated'
          : '',
      } = error as {
        code?: string;
      };
      expect(expected, String(error)).toContain(code);
      if (code === 'terminated' || code === '57P01') session = await open();
      else await session.query('rollback');
    }
  }
  return committed;
}

test.each([
  [16, 20],
  [64, 5],
])(
  '%i clients: inserts, rollbacks, savepoints, ON CONFLICT, killed backends',
  async (clients, transactions) => {
    const t = await makeInvoices(database, `busy_${clients}`);
    const other = await makeInvoices(database, `busy_${clients}_other`, { sharedSeries: t });
    const parts = await makeInvoices(database, `busy_${clients}_parts`, {
      suffix: 'partition by list (company)',
      beforeAttach: `create table busy_${clients}_c0 partition of busy_${clients}_parts for values in ('c0', 'c1')`,
    });
    await database.execute(`create table busy_${clients}_rest partition of ${parts} default`);
    const committed = await Promise.all(
      Array.from({ length: clients }, (_, n) =>
        runClient(`client ${n}`, [t, other, parts], transactions, 1000 * clients + n),
      ),
    );
    expect(committed.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(clients);
    await expectExact(database);
  },
);

test('a waiting session sees the freed number after the holder rolls back', async () => {
  const t = await makeInvoices(database, 'freed');
  await database.execute(`insert into ${t} default values`);
  const a = await database.session('A');
  const b = await database.session('B');
  const c = await database.session('C');
  for (const [end, expectedNumber] of [
    ['rollback', '2'],
    ['commit', '4'],
  ] as const) {
    await a.query('begin');
    await a.query(`insert into ${t} default values`);
    const second = b.start<{ number: string }>(`insert into ${t} default values returning number`);
    await waitUntilBlocked(b, a);
    const third = c.start<{ number: string }>(`insert into ${t} default values returning number`);
    await waitUntilBlocked(c);
    await a.query(end);
    const numbers = [(await second.result).rows[0]?.number, (await third.result).rows[0]?.number].sort();
    expect(numbers[0]).toBe(end === 'rollback' ? expectedNumber : '5');
  }
  await expectExact(database);
  expect((await numbersOf(database, t))['acme 2026']?.split(' ').length).toBe(6);
});

test('a waiting session goes on when the backend of the holder is killed', async () => {
  const t = await makeInvoices(database, 'freed_by_kill');
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query(`insert into ${t} default values`);
  const waiting = b.start<{ number: string }>(
    `insert into ${t} (company) values ('acme'), ('acme') returning number`,
  );
  await waitUntilBlocked(b, a);
  await a.kill();
  expect((await waiting.result).rows.map((row) => row.number)).toEqual(['1', '2']);
  await expectExact(database);
});

test('a savepoint that is rolled back lets a waiting session take the number', async () => {
  const t = await makeInvoices(database, 'freed_by_savepoint');
  await database.execute(`insert into ${t} default values`);
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query('savepoint s');
  await a.query(`insert into ${t} default values`);
  const waiting = b.start(`insert into ${t} default values`);
  await waitUntilBlocked(b, a);
  await a.query('rollback to s');
  await waiting.result;
  // B has taken number 2 in the meantime.
  await a.query(`insert into ${t} default values`);
  await a.query('commit');
  await expectExact(database);
});

test('other groups and periods do not wait', async () => {
  const t = await makeInvoices(database, 'independent');
  await database.execute(`insert into ${t} (company) values ('acme'), ('globex')`);
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query(`insert into ${t} (company) values ('acme')`);
  await b.query(`set lock_timeout = '10s'`);
  await b.query(`insert into ${t} (company) values ('globex'), ('third')`);
  await b.query(`insert into ${t} (company, issued_on) values ('acme', '2027-01-01')`);
  await b.query(`set lock_timeout = '20ms'`);
  await expect(b.query(`insert into ${t} (company) values ('acme')`)).rejects.toMatchObject({
    code: '55P03',
  });
  await a.query('commit');
  await expectExact(database);
});

test('two groups taken in opposite order: a deadlock is reported as such, and nothing is lost', async () => {
  const t = await makeInvoices(database, 'deadlock');
  await database.execute(`insert into ${t} (company) values ('a'), ('b')`);
  const a = await database.session('A');
  const b = await database.session('B');
  for (const session of [a, b]) await session.query(`set deadlock_timeout = '50ms'`);
  await a.query('begin');
  await b.query('begin');
  await a.query(`insert into ${t} (company) values ('a')`);
  await b.query(`insert into ${t} (company) values ('b')`);
  const first = a.start(`insert into ${t} (company) values ('b')`);
  await waitUntilBlocked(a, b);
  const second = b.start(`insert into ${t} (company) values ('a')`);
  const results = await Promise.allSettled(
    [first.result.then(() => a.query('commit')), second.result.then(() => b.query('commit'))].map(
      (result, n) =>
        result.catch(async (error: unknown) => {
          await (n === 0 ? a : b).query('rollback');
          throw error;
        }),
    ),
  );
  const lost = results.filter((result) => result.status === 'rejected');
  expect(lost.map((result) => result.reason as { code: string })).toMatchObject([{ code: '40P01' }]);
  await expectExact(database);
});
