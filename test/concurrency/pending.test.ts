import { expect, test } from 'vitest';

import { end, runClients } from '../support/clients.js';
import { useDatabase } from '../support/database.js';
import { isolationLevels, makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

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

test('a period that is closed while a batch is running: the batch goes before', async () => {
  const t = await makeDocuments(database, 'close_after', { assign: 'manual' });
  const batch = await database.session('batch');
  const clerk = await database.session('clerk');
  await batch.query(
    `insert into ${t} (status, issued_on) values ('issued', '2026-03-09'), ('issued', '2026-03-10')`,
  );
  await batch.query('begin');
  expect(await batch.value(`select seqctl.number_pending('${t}')`)).toBe('2');
  const closing = clerk.start(`select seqctl.close_period('${t}', '2026-12-31')`);
  await waitUntilBlocked(clerk, batch);
  await batch.query('commit');
  await closing.result;
  await batch.query(`insert into ${t} (status, issued_on) values ('issued', '2026-03-11')`);
  await expect(batch.query(`select seqctl.number_pending('${t}')`)).rejects.toMatchObject({ code: 'SQ020' });
  await batch.query(`delete from ${t} where number is null`);
  await expectExact(database);
});

test.each(isolationLevels)(
  'a batch while a period is being closed: it waits, and numbers nothing; %s',
  async (level) => {
    const t = await makeDocuments(database, `close_before_${level.replaceAll(' ', '_')}`, {
      assign: 'manual',
    });
    const batch = await database.session('batch');
    const clerk = await database.session('clerk');
    await batch.query(`insert into ${t} (status, issued_on) values ('issued', '2026-03-09')`);
    await batch.query(`select seqctl.number_pending('${t}')`);
    await batch.query(`insert into ${t} (status, issued_on) values ('issued', '2026-03-10')`);
    await clerk.query('begin');
    await clerk.query(`select seqctl.close_period('${t}', '2026-12-31')`);
    await batch.query(`begin isolation level ${level}`);
    const numbering = batch.start(`select seqctl.number_pending('${t}')`);
    await waitUntilBlocked(batch, clerk);
    await clerk.query('commit');
    await expect(numbering.result).rejects.toMatchObject({
      code: level === 'read committed' ? 'SQ020' : '40001',
    });
    await batch.query('rollback');
    expect(await batch.value(`select count(number) from ${t}`)).toBe('1');
    await batch.query(`delete from ${t} where number is null`);
    await expectExact(database);
  },
);
