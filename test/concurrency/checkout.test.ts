import { setTimeout as delay } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { codeOf, end, runClients } from '../support/clients.js';
import { useDatabase } from '../support/database.js';
import { expectAccounted, makeInvoices } from '../support/numbering.js';

const database = useDatabase();
const on = '2026-03-09';
// 40001: RR; 40P01: two counters; 55P03, SQ034, SQ036: checked out; SQ035: expired; SQ012, SQ038: somebody else settled it or stored it.
const expected = [
  '40001',
  '40P01',
  '55P03',
  '22012',
  'SQ012',
  'SQ013',
  'SQ034',
  'SQ035',
  'SQ036',
  'SQ038',
  'SQ039',
];

/** Many sessions check out, insert, store, finalize, release, roll back and are killed; then the books must balance. */
async function fight(policy: string, ttlAction: string, clients: number): Promise<Map<string, number>> {
  const t = await makeInvoices(database, `fight_${policy}_${ttlAction}_${clients}`, {
    series: `format => '{group}-{year}-{number:3}', on_checkout => '${policy}', ttl_action => '${ttlAction}'`,
  });
  const groups = ['a', 'b'];
  const errors = await runClients(database, clients, 40, expected, async (work) => {
    const { random, query, session } = work;
    await query(`set lock_timeout = '300ms'`);
    // Who fails at once tries again in a moment.
    if (policy === 'fail') await delay(random(20));
    const group = groups[random(2)] ?? '';
    const id = `order ${random(clients)}`;
    const checkout = `select * from seqctl.checkout('${t}', '${id} ${group}', '${group}', '${on}', '1 s')`;
    const level = ['read committed', 'read committed', 'repeatable read', 'serializable'][random(4)] ?? '';
    // Rows for finalized numbers, unless another session is quicker: only here a duplicate key is in order.
    const store = async (): Promise<void> => {
      await query(`insert into ${t} (company, number)
        select k.group_key, k.number from seqctl.checkouts k
        where k.series = '${t}' and k.state = 'finalized'
          and not exists (select from ${t} i where i.company = k.group_key and i.number = k.number)
        order by random() limit 2`).catch((error: unknown) => {
        if (codeOf(error) !== '23505') throw error;
        throw Object.assign(new Error('stored by another session'), { code: 'SQ012' });
      });
    };
    const act = async (): Promise<void> => {
      switch (random(8)) {
        case 0:
          return query(`insert into ${t} (company) select g from unnest('{a,b,a}'::text[]) g`);
        case 1:
          return query(
            `insert into ${t} (company, external) values ('${group}', 'x'), ('${group}', null) on conflict do nothing`,
          );
        case 2:
          return store();
        case 3:
          return query(`savepoint s; insert into ${t} (company) values ('${group}'); rollback to s`);
        default:
          return query(`insert into ${t} (company) values ('${group}')`);
      }
    };
    if (random(3) === 0) {
      await query(`begin isolation level ${level}`);
      for (let n = random(3); n >= 0; n -= 1) await act();
      await end(work);
      return;
    }
    // Work outside the database: it ends well, badly, or not at all.
    const { rowCount } = await session.query(checkout);
    expect(rowCount).toBe(1);
    const how = random(30);
    if (how === 0) await query('select pg_terminate_backend(pg_backend_pid())');
    await query(`begin isolation level ${level}`);
    if (how > 1 && how < 14) {
      await query(`select seqctl.finalize('${t}', '${id} ${group}')`);
      if (how < 8) await act();
    } else if (how >= 14) {
      await query(`select seqctl.release('${t}', '${id} ${group}')`);
      if (how < 22) await act();
    }
    await end(work);
  });
  await expectAccounted(database, t);
  // What is still open is settled by hand; then all goes on as if nothing had been.
  await database.rows(
    `select case when k.number % 2 = 0 then seqctl.release(k.series, k.correlation_id) else seqctl.finalize(k.series, k.correlation_id) end
     from seqctl.checkouts k where k.series = '${t}' and k.state in ('open', 'expired')`,
  );
  await database.execute(
    `insert into ${t} (company) select g from unnest('{a,b}'::text[]) g, generate_series(1, 40)`,
  );
  await expectAccounted(database, t);
  expect(await database.rows(`select from seqctl.checkouts where series = '${t}' and waits`)).toEqual([]);
  return errors;
}

test.each([
  ['wait', 'release', 12],
  ['wait', 'keep', 8],
  ['fail', 'release', 12],
  ['recycle', 'release', 12],
  ['recycle', 'keep', 24],
] as const)('%s, %s: %i clients, no number twice, none lost', async (policy, ttlAction, clients) => {
  const errors = await fight(policy, ttlAction, clients);
  expect(errors.has('terminated') || errors.has('57P01')).toBe(true);
});
