import { expect, test } from 'vitest';

import { end, runClients } from '../support/clients.js';
import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

test.each([
  [16, 25],
  [64, 7],
])(
  '%i clients take random groups in random order, numbered at commit: no deadlock',
  async (clients, transactions) => {
    const t = await makeDocuments(database, `order_${clients}`, { assign: 'commit', issueWhen: null });
    const other = await makeDocuments(database, `order_${clients}_other`, {
      assign: 'commit',
      issueWhen: null,
      sharedSeries: t,
    });
    const third = await makeDocuments(database, `order_${clients}_third`, {
      assign: 'commit',
      issueWhen: null,
    });
    const errors = await runClients(database, clients, transactions, ['22012'], async (work) => {
      const { random, query } = work;
      await query('begin');
      for (let k = 1 + random(5); k > 0; k -= 1) {
        const into = [t, other, third][random(3)];
        const year = 2024 + random(3);
        const insert =
          random(3) === 0
            ? `insert into ${into} (company, issued_on) select 'c' || (n * 7) % 5, '${year}-02-02' from generate_series(${random(9)}, ${random(20)}) n`
            : `insert into ${into} (company, issued_on) values ('c${random(5)}', '${year}-03-03')`;
        if (random(3) === 0) {
          await query('savepoint s');
          await query(insert);
          await query(random(2) === 0 ? 'rollback to s' : 'release s');
        } else {
          await query(insert);
        }
        if (random(6) === 0)
          await query(`delete from ${into} where number is null and id % 3 = 0 and note is null`);
      }
      await end(work);
    });
    expect(errors.get('40P01')).toBeUndefined();
    await expectExact(database);
  },
);

test.each([
  [16, 25],
  [64, 7],
])(
  '%i clients: drafts, issued later by others, insert and commit mode in one series',
  async (clients, transactions) => {
    const t = await makeDocuments(database, `issue_${clients}`, { assign: 'commit' });
    const now = await makeDocuments(database, `issue_${clients}_now`, { sharedSeries: t });
    const errors = await runClients(
      database,
      clients,
      transactions,
      ['22012', '40001', '40P01'],
      async (work) => {
        const { random, query } = work;
        await query(random(6) === 0 ? 'begin isolation level repeatable read' : 'begin');
        for (let k = 1 + random(3); k > 0; k -= 1) {
          const table = random(2) === 0 ? t : now;
          switch (random(4)) {
            case 0:
              await query(
                `insert into ${table} (company, status) select 'c' || n % 4, case n % 3 when 0 then 'issued' else 'draft' end from generate_series(1, ${1 + random(9)}) n`,
              );
              break;
            case 1:
              await query(`insert into ${table} (company) values ('c${random(4)}')`);
              break;
            case 2:
              await query(
                `update ${table} set status = 'issued' where id = (select id from ${table} where number is null and status = 'draft' order by id for update skip locked limit 1)`,
              );
              break;
            default:
              await query(`update ${table} set status = 'issued', company = 'c${random(4)}' where id in (
            select id from ${table} where number is null and status = 'draft' order by id for update skip locked limit ${random(12)})`);
          }
        }
        await end(work);
      },
    );
    expect([...errors.values()].reduce((sum, n) => sum + n, 0)).toBeLessThan(clients * transactions);
    await expectExact(database);
  },
);

test.each([
  [16, 12],
  [64, 4],
])(
  '%i clients: commit mode with chronology stamp, over the turn of nothing but a transaction',
  async (clients, transactions) => {
    const t = await makeDocuments(database, `stamped_${clients}`, {
      assign: 'commit',
      issueWhen: null,
      chronology: 'stamp',
      dateType: 'timestamptz',
    });
    await runClients(database, clients, transactions, ['22012'], async (work) => {
      const { random, query } = work;
      await query('begin');
      for (let k = 1 + random(3); k > 0; k -= 1)
        await query(`insert into ${t} (company) values ('c${random(3)}')`);
      await end(work);
    });
    await expectExact(database);
  },
);

test('the first number of a period from 16 commits at once', async () => {
  const t = await makeDocuments(database, 'first', { assign: 'commit', issueWhen: null });
  const sessions = await Promise.all(Array.from({ length: 16 }, (_, n) => database.session(`client ${n}`)));
  for (let year = 2020; year < 2026; year += 1) {
    await Promise.all(
      sessions.map(async (session) => {
        await session.query('begin');
        await session.query(
          `insert into ${t} (company, issued_on) values ('a', '${year}-01-01'), ('b', '${year}-01-01')`,
        );
        await session.query('commit');
      }),
    );
  }
  await expectExact(database);
  expect(await database.rows(`select count(*)::int as n, max(number)::int as high from ${t}`)).toEqual([
    { n: 192, high: 16 },
  ]);
});

test('a backend that is killed while it waits to commit, and one that holds the counter', async () => {
  const t = await makeDocuments(database, 'killed', { assign: 'commit', issueWhen: null });
  const [a, b, c] = await Promise.all(['A', 'B', 'C'].map((name) => database.session(name)));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three sessions');
  await a.query(`insert into ${t} default values`);
  for (const session of [a, b, c]) {
    await session.query('begin');
    await session.query(`insert into ${t} (note) values ('${session.name}')`);
  }
  await a.query('set constraints all immediate');
  const second = b.start('commit');
  await waitUntilBlocked(b, a);
  const third = c.start('commit');
  await waitUntilBlocked(c);
  await b.kill();
  await expect(second.result).rejects.toThrow();
  await a.kill();
  await third.result;
  await expectExact(database);
  expect(await database.rows(`select note, number::int from ${t} order by number`)).toEqual([
    { note: null, number: 1 },
    { note: 'C', number: 2 },
  ]);
});

test('who waits sees what was committed in the meantime, in the same order', async () => {
  const t = await makeDocuments(database, 'waits', { assign: 'commit', issueWhen: null });
  const a = await database.session('A');
  const b = await database.session('B');
  for (const finish of ['commit', 'rollback']) {
    await a.query('begin');
    await a.query(`insert into ${t} (company) values ('a'), ('b')`);
    await a.query('set constraints all immediate');
    await b.query('begin');
    await b.query(`insert into ${t} (company) values ('b'), ('a'), ('c')`);
    const waiting = b.start('commit');
    await waitUntilBlocked(b, a);
    await a.query(finish);
    await waiting.result;
  }
  await expectExact(database);
});
