import { expect, test } from 'vitest';

import { end, runClients } from '../support/clients.js';
import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

test.each([
  [16, 25],
  [64, 7],
])(
  '%i clients: drafts inserted, changed and issued at once (insert mode), also across the year boundary in Rome',
  async (clients, transactions) => {
    const t = await makeDocuments(database, `busy_${clients}`, {
      dateType: 'timestamptz',
      series: `time_zone => 'Europe/Rome', format => '{group}/{year}/{number}'`,
    });
    const parts = await makeDocuments(database, `busy_${clients}_parts`, {
      dateType: 'timestamptz',
      sharedSeries: t,
      suffix: 'partition by list (company)',
      key: 'company, id',
      beforeAttach: `create table busy_${clients}_c0 partition of busy_${clients}_parts for values in ('c0', 'c1')`,
    });
    await database.execute(`create table busy_${clients}_rest partition of ${parts} default`);
    const errors = await runClients(
      database,
      clients,
      transactions,
      ['22012', '40001', '40P01'],
      async (work) => {
        const { random, query } = work;
        await query(`set timezone = '${['UTC', 'Asia/Tokyo', 'America/New_York'][random(3)]}'`);
        await query(random(6) === 0 ? 'begin isolation level repeatable read' : 'begin');
        for (let k = 1 + random(3); k > 0; k -= 1) {
          const table = random(2) === 0 ? t : parts;
          const statement = [
            `insert into ${table} (company, issued_on) values ('c${random(4)}', '2025-12-31 ${21 + random(3)}:30+00')`,
            `insert into ${table} (company, status, issued_on) select 'c' || n % 4, case n % 2 when 0 then 'issued' else 'draft' end, timestamptz '2025-12-31 20:00+00' + n * interval '20 min' from generate_series(1, ${1 + random(20)}) n`,
            `update ${table} set status = 'issued' where id in (select id from ${table} where number is null order by id for update skip locked limit ${1 + random(5)})`,
            `update ${table} set company = 'c${random(4)}', issued_on = issued_on + interval '30 min', status = 'issued' where id in (select id from ${table} where number is null order by id desc for update skip locked limit ${1 + random(3)})`,
          ][random(4)];
          if (statement === undefined) continue;
          if (random(3) === 0) {
            await query('savepoint s');
            await query(statement);
            await query(random(2) === 0 ? 'rollback to s' : 'release s');
          } else {
            await query(statement);
          }
        }
        await end(work);
      },
    );
    expect([...errors.values()].reduce((sum, n) => sum + n, 0)).toBeLessThan(clients * transactions);
    await expectExact(database);
  },
);
