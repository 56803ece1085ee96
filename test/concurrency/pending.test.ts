import { expect, test } from 'vitest';

import { end, runClients } from '../support/clients.js';
import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

test.each([
  [16, 20],
  [64, 6],
])(
  '%i clients: number_pending from many sessions while others insert, change and delete drafts',
  async (clients, transactions) => {
    const t = await makeDocuments(database, `batch_${clients}`, { assign: 'manual' });
    const errors = await runClients(
      database,
      clients,
      transactions,
      ['22012', '40001', '40P01'],
      async (work) => {
        const { random, query } = work;
        await query(random(8) === 0 ? 'begin isolation level repeatable read' : 'begin');
        for (let k = 1 + random(2); k > 0; k -= 1) {
          switch (random(6)) {
            case 0:
            case 1:
              await query(
                `select seqctl.number_pending('${t}', max_rows => ${random(2) === 0 ? 'null' : 1 + random(20)})`,
              );
              break;
            case 2:
              await query(`update ${t} set company = 'c${random(4)}', status = 'issued' where id in (
            select id from ${t} where number is null order by id for update skip locked limit ${random(4)})`);
              break;
            case 3:
              await query(
                `delete from ${t} where id in (select id from ${t} where number is null order by id for update skip locked limit 1)`,
              );
              break;
            default:
              await query(`insert into ${t} (company, status, issued_on)
            select 'c' || n % 4, case n % 3 when 0 then 'draft' else 'issued' end, date '2025-11-01' + (n * 17) % 120
            from generate_series(1, ${1 + random(8)}) n`);
          }
        }
        await end(work);
      },
    );
    expect([...errors.values()].reduce((sum, n) => sum + n, 0)).toBeLessThan(clients * transactions);
    await expectExact(database);
    const before = await database.rows<{ n: number }>(
      `select count(*)::int as n from ${t} where number is null and status = 'issued'`,
    );
    expect(await database.rows(`select seqctl.number_pending('${t}')::int as n`)).toEqual(before);
    await expectExact(database);
  },
);

test('eight callers of small steps share a pile: every row once, none left', async () => {
  const t = await makeDocuments(database, 'pile', { assign: 'manual', issueWhen: null });
  await database.execute(
    `insert into ${t} (company, issued_on) select 'c' || n % 20, date '2025-06-01' + n % 400 from generate_series(1, 2000) n`,
  );
  const sessions = await Promise.all(Array.from({ length: 8 }, (_, n) => database.session(`caller ${n}`)));
  const counts = await Promise.all(
    sessions.map(async (session) => {
      let sum = 0;
      for (;;) {
        const n = await session.value<number>(`select seqctl.number_pending('${t}', max_rows => 90)::int`);
        if (n === 0) return sum;
        sum += n;
      }
    }),
  );
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(2000);
  await expectExact(database);
  expect(await database.rows(`select from ${t} where number is null`)).toEqual([]);
});

test('a caller whose backend is killed leaves nothing; the next one does the work', async () => {
  const t = await makeDocuments(database, 'killed_batch', { assign: 'manual', issueWhen: null });
  await database.execute(`insert into ${t} (company) select 'c' || n % 5 from generate_series(1, 200) n`);
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query(`select seqctl.number_pending('${t}', max_rows => 150)`);
  await a.kill();
  expect(await b.value(`select seqctl.number_pending('${t}')::int`)).toBe(200);
  await expectExact(database);
});
