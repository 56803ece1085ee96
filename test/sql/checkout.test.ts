import { setTimeout as delay } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectAccounted, makeInvoices, numbersOf } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { type Session, waitUntilBlocked } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

const on = '2026-03-09';
const levels = ['read committed', 'repeatable read', 'serializable'];
const series = (policy: string, more = ''): string =>
  `format => '{group}-{year}-{number:3}', on_checkout => '${policy}'${more}`;

/** SQL of a call, for group acme and the day of the test rows. */
const checkout = (name: string, id: string, more = ''): string =>
  `select * from seqctl.checkout('${name}', '${id}', 'acme', '${on}'${more})`;
const finalize = (name: string, id: string, reference?: string): string =>
  `select seqctl.finalize('${name}', '${id}'${reference === undefined ? '' : `, '${reference}'`})`;
const release = (name: string, id: string): string => `select seqctl.release('${name}', '${id}')`;

interface Lease extends Record<string, unknown> {
  number: string;
  document_number: string;
  expires_at: Date;
}

const call = async (sql: string): Promise<Lease> => {
  const [row] = await database.rows<Lease>(sql);
  if (row === undefined) throw new Error(`no row: ${sql}`);
  return row;
};
const states = async (name: string): Promise<string[]> =>
  database
    .rows<{ line: string }>(
      `select concat_ws(' ', number, correlation_id, state, settled_how, reference, case when waits then 'waits' end) as line
       from seqctl.checkouts where series = $1`,
      [name],
    )
    .then((rows) => rows.map(({ line }) => line));
const stopped = async (name: string): Promise<unknown[]> =>
  database.rows(
    `select c.group_key, c.last_number, c.stopped from seqctl.counter c join seqctl.series s on s.id = c.series_id
     where s.name = $1 order by 1`,
    [name],
  );
/** Expired, whatever the clock says. */
const expire = async (name: string): Promise<void> =>
  database.execute(
    `update seqctl.checkout set expires_at = opened_at - interval '1 s'
     where series_id = (select id from seqctl.series where name = '${name}') and state = 'open'`,
  );
/** Returns as soon as the session naps in _await_checkout. */
async function waitUntilNapping(session: Session): Promise<void> {
  for (let n = 0; n < 2000; n += 1) {
    const [row] = await database.rows<{ naps: boolean }>(
      `select wait_event = 'PgSleep' as naps from pg_stat_activity where pid = $1`,
      [session.pid],
    );
    if (row?.naps === true) return;
    await delay(5);
  }
  throw new Error(`${session.name} does not wait for a checkout`);
}

test('a number leaves the database, comes back with its document, and the next one goes on', async () => {
  const t = await makeInvoices(database, 'whole', { series: series('wait') });
  await database.execute(`insert into ${t} default values`);
  const lease = await call(checkout(t, 'order-1', `, interval '1 hour'`));
  expect(lease).toMatchObject({ number: '2', document_number: 'acme-2026-002' });
  expect(lease.expires_at.getTime() - Date.now()).toBeGreaterThan(3_500_000);
  expect(await stopped(t)).toEqual([{ group_key: 'acme', last_number: '1', stopped: true }]);
  // The same again, while it is open and when it was finalized.
  expect(await call(checkout(t, 'order-1'))).toEqual(lease);
  expect(await call(finalize(t, 'order-1', 'INV 2'))).toEqual({ finalize: '2' });
  expect(await call(checkout(t, 'order-1', `, interval '1 s'`))).toEqual(lease);
  expect(await call(finalize(t, 'order-1', 'INV 2'))).toEqual({ finalize: '2' });
  expect(await call(finalize(t, 'order-1'))).toEqual({ finalize: '2' });
  expect(await stopped(t)).toEqual([{ group_key: 'acme', last_number: '2', stopped: false }]);
  await database.execute(`insert into ${t} default values`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 3' });
  expect(await states(t)).toEqual(['2 order-1 finalized finalize INV 2']);
});

test('a released number goes to the next INSERT, and its correlation id may be used again', async () => {
  const t = await makeInvoices(database, 'given_back', { series: series('wait') });
  expect(await call(checkout(t, 'order-1'))).toMatchObject({ number: '1' });
  expect(await call(release(t, 'order-1'))).toEqual({ release: '1' });
  expect(await call(release(t, 'order-1'))).toEqual({ release: '1' });
  await expect(database.rows(finalize(t, 'order-1'))).rejects.toMatchObject({
    code: 'SQ038',
    message: `number 1 of period 2026 of series '${t}', group 'acme', was released already`,
  });
  await database.execute(`insert into ${t} default values`);
  // A retried order has the same id.
  expect(await call(checkout(t, 'order-1'))).toMatchObject({ number: '2' });
  expect(await call(finalize(t, 'order-1'))).toEqual({ finalize: '2' });
  await expect(database.rows(release(t, 'order-1'))).rejects.toMatchObject({
    code: 'SQ038',
    message: `number 2 of period 2026 of series '${t}', group 'acme', was finalized already`,
    hint: expect.stringContaining('seqctl.void') as string,
  });
  await expect(database.rows(finalize(t, 'order-1', 'INV 2'))).rejects.toMatchObject({
    code: 'SQ038',
    message: `number 2 of period 2026 of series '${t}', group 'acme', was finalized already, without a reference`,
  });
  expect(await states(t)).toEqual(['1 order-1 released release', '2 order-1 finalized finalize']);
});

test('what makes no sense is refused: ids, ttls, other groups and dates, unknown ids', async () => {
  const t = await makeInvoices(database, 'nonsense', { series: series('fail') });
  const bad: [string, string][] = [
    [`checkout('${t}', null, 'acme', '${on}')`, 'SQ033'],
    [`checkout('${t}', '  ', 'acme', '${on}')`, 'SQ033'],
    [`checkout('${t}', repeat('x', 1001), 'acme', '${on}')`, 'SQ033'],
    ...['0', '999 ms', '-1 hour', '31 days', '1 year'].map((ttl): [string, string] => [
      `checkout('${t}', 'x', 'acme', '${on}', '${ttl}')`,
      'SQ033',
    ]),
    [`checkout('${t}', 'x', 'acme', '${on}', null)`, 'SQ033'],
    [`checkout('unknown', 'x')`, 'SQ001'],
    [`checkout('${t}', 'x', null, '${on}')`, 'SQ010'],
    [`checkout('${t}', 'x', 'acme', null)`, 'SQ011'],
    [`finalize('${t}', 'x')`, 'SQ037'],
    [`release('${t}', 'x')`, 'SQ037'],
    [`finalize('${t}', null)`, 'SQ033'],
    [`release('unknown', 'x')`, 'SQ001'],
  ];
  for (const [sql, code] of bad) {
    await expect(database.rows(`select seqctl.${sql}`), sql).rejects.toMatchObject({ code });
  }
  if (
    (await call(`select current_setting('server_version_num')::int >= 170000 as newer`))['newer'] === true
  ) {
    await expect(
      database.rows(`select seqctl.checkout('${t}', 'x', 'acme', '${on}', 'infinity')`),
    ).rejects.toMatchObject({ code: 'SQ033' });
  }
  await call(checkout(t, 'order-1'));
  for (const other of [`'globex', '${on}'`, `'acme', '2026-03-10'`, `'acme', '2025-03-09'`]) {
    await expect(database.rows(`select seqctl.checkout('${t}', 'order-1', ${other})`)).rejects.toMatchObject({
      code: 'SQ038',
      message: `correlation id 'order-1' stands for number 1 of period 2026 of series '${t}', group 'acme' already`,
    });
  }
  // Another series may use the same id.
  const u = await makeInvoices(database, 'nonsense_too');
  expect(await call(checkout(u, 'order-1'))).toMatchObject({ number: '1' });
  expect(await states(t)).toEqual(['1 order-1 open']);
  // A refused checkout leaves nothing behind, also where it met its own id only when it wrote: two counters at once.
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query(`select seqctl.checkout('${u}', 'both', 'a', '${on}')`);
  const second = b.start(`select seqctl.checkout('${u}', 'both', 'b', '${on}')`);
  await waitUntilBlocked(b, a);
  await a.query('commit');
  await expect(second.result).rejects.toMatchObject({ code: 'SQ038' });
  expect(await stopped(u)).toEqual([
    { group_key: 'a', last_number: '0', stopped: true },
    { group_key: 'acme', last_number: '0', stopped: true },
  ]);
});

const attempts = (t: string): string[] => [
  `insert into ${t} (issued_on) values ('${on}') returning number`,
  `insert into ${t} (company) values ('free'), ('acme')`,
  `insert into ${t} (note) select n from generate_series(1, 30) n`,
  `insert into ${t} (external) values ('x') on conflict do nothing`,
  `select seqctl.next_number('${t}', 'acme', '${on}')`,
  `select seqctl.allocate('${t}', 'acme', '${on}', 3)`,
  checkout(t, 'other'),
];

test.each(levels)('fail, %s: nobody passes a number that is out', async (level) => {
  const t = await makeInvoices(database, `fail_${level.slice(0, 4)}`, { series: series('fail') });
  await database.execute(`insert into ${t} default values`);
  await call(checkout(t, 'order-1'));
  const a = await database.session('A');
  for (const attempt of attempts(t)) {
    await a.query(`begin isolation level ${level}`);
    await expect(a.query(attempt), attempt).rejects.toMatchObject({
      code: 'SQ034',
      message: `number 2 of period 2026 of series '${t}', group 'acme', is checked out`,
      detail: expect.stringMatching(
        /^Checked out by \w+ on .* UTC for correlation id 'order-1', until .* UTC\. No number was used\.$/,
      ) as string,
    });
    await a.query('rollback');
  }
  // Another group has a counter of its own.
  await a.query(`insert into ${t} (company) values ('globex')`);
  await call(release(t, 'order-1'));
  for (const attempt of attempts(t).slice(0, 4)) await a.query(attempt);
  await expectAccounted(database, t);
});

test.each(levels)('wait, %s: lock_timeout, statement_timeout and a cancel end the wait', async (level) => {
  const t = await makeInvoices(database, `late_${level.slice(0, 4)}`, { series: series('wait') });
  await database.execute(`insert into ${t} default values`);
  await call(checkout(t, 'order-1'));
  const a = await database.session('A');
  await a.query(`set lock_timeout = '40ms'`);
  for (const attempt of attempts(t)) {
    await a.query(`begin isolation level ${level}`);
    await expect(a.query(attempt), attempt).rejects.toMatchObject({
      code: '55P03',
      message: `number 2 of period 2026 of series '${t}', group 'acme', is checked out, and lock_timeout (40ms) is over`,
    });
    await a.query('rollback');
  }
  await a.query(`set lock_timeout = 0`);
  await a.query(`set statement_timeout = '150ms'`);
  await a.query(`begin isolation level ${level}`);
  await expect(a.query(`insert into ${t} default values`)).rejects.toMatchObject({ code: '57014' });
  await a.query('rollback');
  await a.query(`set statement_timeout = 0`);
  await a.query(`begin isolation level ${level}`);
  const waiting = a.start(`insert into ${t} default values`);
  await waitUntilNapping(a);
  await database.rows('select pg_cancel_backend($1)', [a.pid]);
  await expect(waiting.result).rejects.toMatchObject({ code: '57014' });
  await a.query('rollback');
  await call(finalize(t, 'order-1'));
  expect(await stopped(t)).toEqual([{ group_key: 'acme', last_number: '2', stopped: false }]);
});

test.each(['finalize', 'release'] as const)('wait: an INSERT goes on after %s', async (how) => {
  const t = await makeInvoices(database, `wait_${how}`, { series: series('wait') });
  await call(checkout(t, 'order-1'));
  const a = await database.session('A');
  const b = await database.session('B');
  const c = await database.session('C');
  const first = a.start<{ number: string }>(`insert into ${t} default values returning number`);
  const second = b.start(checkout(t, 'order-2'));
  // A retry of the saga that waits meanwhile gets its own number at once.
  await waitUntilNapping(a);
  await waitUntilNapping(b);
  expect(await call(checkout(t, 'order-1'))).toMatchObject({ number: '1' });
  await c.query(`set lock_timeout = '2s'`);
  await c.query(`select seqctl.${how}('${t}', 'order-1')`);
  // Whoever looks first comes first; the other one waits again.
  await Promise.race([first.result, second.result]);
  await delay(300);
  const { rows } = await c.query<{ state: string }>(
    `select state from seqctl.checkouts where series = '${t}' and correlation_id = 'order-2'`,
  );
  if (rows[0]?.state === 'open') await c.query(release(t, 'order-2'));
  await Promise.all([first.result, second.result]);
  const lowest = how === 'finalize' ? 2 : 1;
  expect([String(lowest), String(lowest + 1)]).toContain((await first.result).rows[0]?.number);
});

test.each(levels.slice(1))('wait, %s: a checkout that is settled meanwhile is a 40001', async (level) => {
  const t = await makeInvoices(database, `settled_${level.slice(0, 4)}`, { series: series('wait') });
  for (const attempt of attempts(t)) {
    await call(checkout(t, 'order-1'));
    const a = await database.session('A');
    await a.query(`begin isolation level ${level}`);
    const waiting = a.start(attempt);
    await waitUntilNapping(a);
    await call(release(t, 'order-1'));
    await expect(waiting.result, attempt).rejects.toMatchObject({ code: '40001' });
    await a.query('rollback');
    // Opened after the snapshot.
    await a.query(`begin isolation level ${level}`);
    await a.query('select count(*) from seqctl.counter');
    await call(checkout(t, 'order-1'));
    await expect(a.query(attempt), attempt).rejects.toMatchObject({ code: '40001' });
    await a.query('rollback');
    await call(release(t, 'order-1'));
  }
});

test('an INSERT that waited for the transaction of a checkout holds no lock that its finalize needs', async () => {
  const t = await makeInvoices(database, 'no_lock', { series: series('wait') });
  const forms = [
    `insert into ${t} default values`,
    `insert into ${t} (note) select n from generate_series(1, 3) n`,
    `select seqctl.next_number('${t}', 'acme', '${on}')`,
    checkout(t, 'another'),
  ];
  for (const [n, form] of forms.entries()) {
    const a = await database.session('A');
    const b = await database.session('B');
    await b.query('begin');
    // A savepoint, so that the wait is not all that the transaction did.
    await b.query('savepoint s');
    await a.query('begin');
    await a.query(checkout(t, `order-${n}`));
    const waiting = b.start(form);
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await waitUntilNapping(b);
    await a.query(`set lock_timeout = '1s'`);
    await a.query(finalize(t, `order-${n}`));
    await waiting.result;
    await b.query('rollback');
  }
  expect(await stopped(t)).toEqual([{ group_key: 'acme', last_number: '4', stopped: false }]);
});

test('an expired checkout is nobody’s to pass, and its finalize still counts', async () => {
  for (const policy of ['wait', 'fail']) {
    const t = await makeInvoices(database, `expired_${policy}`, { series: series(policy) });
    await call(checkout(t, 'order-1'));
    await expire(t);
    expect(await states(t)).toEqual(['1 order-1 expired']);
    for (const attempt of attempts(t)) {
      await expect(database.rows(attempt), attempt).rejects.toMatchObject({
        code: 'SQ035',
        message: `number 1 of period 2026 of series '${t}', group 'acme', is checked out, and the checkout has expired`,
        hint: expect.stringContaining(`seqctl lease finalize ${t} order-1;`) as string,
      });
    }
    expect(await call(finalize(t, 'order-1'))).toEqual({ finalize: '1' });
    await database.execute(`insert into ${t} default values`);
    expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '2' });
  }
  // It expires while somebody waits.
  const t = await makeInvoices(database, 'expires', { series: series('wait') });
  await call(checkout(t, 'order-1', `, '1 s'`));
  await expect(database.rows(`insert into ${t} default values`)).rejects.toMatchObject({ code: 'SQ035' });
});

test.each(levels)('ttl_action release, %s: the next caller takes the number over', async (level) => {
  const t = await makeInvoices(database, `taken_over_${level.slice(0, 4)}`, {
    series: series('wait', `, ttl_action => 'release'`),
  });
  const a = await database.session('A');
  for (const [n, attempt] of attempts(t).slice(0, 4).entries()) {
    await call(checkout(t, `order-${n}`));
    await expire(t);
    await a.query(`begin isolation level ${level}`);
    await a.query(attempt);
    await a.query('commit');
    await expect(database.rows(finalize(t, `order-${n}`))).rejects.toMatchObject({
      code: 'SQ038',
      message: expect.stringMatching(/was released, because its checkout had expired already$/) as string,
    });
  }
  expect((await states(t)).map((line) => line.replace(/^\d+ /, ''))).toEqual(
    [0, 1, 2, 3].map((n) => `order-${n} released expired`),
  );
  await expectAccounted(database, t);
});

test('a transaction that would wait for itself is told so at once', async () => {
  const t = await makeInvoices(database, 'itself', { series: series('wait') });
  const a = await database.session('A');
  for (const attempt of attempts(t)) {
    for (const before of [``, `insert into ${t} default values`, `savepoint s`]) {
      await a.query('begin');
      if (before !== '') await a.query(before);
      await a.query(checkout(t, 'order-1'));
      await expect(a.query(attempt), attempt).rejects.toMatchObject({
        code: 'SQ036',
        hint: expect.stringContaining('transaction of their own') as string,
      });
      await a.query('rollback');
    }
  }
  // Settled in the same transaction, it is in nobody's way.
  for (const how of ['finalize', 'release']) {
    await a.query('begin');
    await a.query(`insert into ${t} default values`);
    await a.query(`insert into ${t} (note) select n from generate_series(1, 3) n`);
    await a.query(checkout(t, `same-${how}`));
    await a.query(`select seqctl.${how}('${t}', 'same-${how}')`);
    await a.query(`insert into ${t} default values`);
    await a.query(`insert into ${t} (note) select n from generate_series(1, 3) n`);
    await a.query('commit');
  }
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 6 7 8 9 10 11 12 13 14 15 16 17' });
  // Rolled back to before it, too.
  await a.query('begin');
  await a.query(`insert into ${t} default values`);
  await a.query('savepoint s');
  await a.query(checkout(t, 'undone'));
  await a.query('rollback to s');
  await a.query(`insert into ${t} default values`);
  await a.query('commit');
  expect(await stopped(t)).toEqual([{ group_key: 'acme', last_number: '19', stopped: false }]);
});

test('a row with the number of a finalized checkout: in its transaction, later, once', async () => {
  const t = await makeInvoices(database, 'stored', { series: series('wait') });
  const a = await database.session('A');
  await call(checkout(t, 'order-1'));
  // While it is open it is nobody's.
  for (const number of [1, 2]) {
    await a.query('begin');
    await expect(a.query(`insert into ${t} (number) values (${number})`)).rejects.toMatchObject(
      number === 1
        ? {
            code: 'SQ039',
            message: expect.stringMatching(/number 1 of .* is checked out, and not finalized$/) as string,
          }
        : { code: '55P03' },
    );
    await a.query('rollback');
    await a.query(`set lock_timeout = '50ms'`);
    if (number === 1) continue;
  }
  await a.query('begin');
  await a.query(finalize(t, 'order-1'));
  const { rows } = await a.query(`insert into ${t} (number) values (1) returning number, document_number`);
  expect(rows).toEqual([{ number: '1', document_number: 'acme-2026-001' }]);
  await a.query('commit');
  await expectAccounted(database, t);

  // Later, while another one is out, with its document number or without.
  await call(checkout(t, 'order-2'));
  await call(finalize(t, 'order-2', 'INV 2'));
  await call(checkout(t, 'order-3'));
  await a.query(`insert into ${t} (number, document_number) values (2, 'acme-2026-002')`);
  await call(finalize(t, 'order-3'));
  await expect(a.query(`insert into ${t} (number, document_number) values (3, 'X')`)).rejects.toMatchObject({
    code: 'SQ012',
  });
  await a.query(`insert into ${t} (number) values (3)`);
  for (const number of [1, 2, 3, 5, 0, -1]) {
    await expect(a.query(`insert into ${t} (number) values (${number})`)).rejects.toMatchObject({
      code: [1, 2, 3].includes(number) ? '23505' : 'SQ012',
    });
  }
  // Of another group or year it is not.
  await call(checkout(t, 'order-4'));
  await call(finalize(t, 'order-4'));
  await expect(a.query(`insert into ${t} (company, number) values ('globex', 4)`)).rejects.toMatchObject({
    code: 'SQ012',
  });
  await expect(
    a.query(`insert into ${t} (issued_on, number) values ('2025-03-09', 4)`),
  ).rejects.toMatchObject({ code: 'SQ012' });
  await expectAccounted(database, t);
});

test.each(levels)(
  'stored, %s: statements with several rows, and what happens between them',
  async (level) => {
    const t = await makeInvoices(database, `mixed_${level.slice(0, 4)}`, { series: series('wait') });
    const a = await database.session('A');
    for (let n = 1; n <= 8; n += 1) {
      await call(checkout(t, `order-${n}`));
      await call(finalize(t, `order-${n}`));
    }
    const run = async (...statements: string[]): Promise<void> => {
      await a.query(`begin isolation level ${level}`);
      for (const statement of statements) await a.query(statement);
      await a.query('commit');
      await expectAccounted(database, t);
    };
    // First, in the middle, last; two groups; plain rows before and after in the same transaction.
    await run(`insert into ${t} (number) values (1), (null), (null)`);
    await run(
      `insert into ${t} default values`,
      `insert into ${t} (number) values (null), (2), (null)`,
      `insert into ${t} default values`,
    );
    await run(
      `insert into ${t} (company, number) values ('acme', null), ('globex', null), ('acme', 3), ('globex', null), ('acme', null)`,
      `insert into ${t} (note) select n from generate_series(1, 40) n`,
    );
    // Rolled back to a savepoint, then again.
    await run(
      'savepoint s',
      `insert into ${t} (number) values (4)`,
      'rollback to s',
      `insert into ${t} (number) values (4), (5)`,
      `insert into ${t} default values`,
    );
    // ON CONFLICT: the row does not land, and its number still waits for a row.
    await run(
      `insert into ${t} (external) values ('taken')`,
      `insert into ${t} (external, number) values (null, null), ('taken', 6), (null, null) on conflict do nothing`,
      `insert into ${t} (external, number) values (null, 6), ('taken', null), (null, null) on conflict (external) do update set note = 'again'`,
    );
    // Twice in one statement, and with one that is nobody's.
    for (const bad of ['(7), (7)', '(7), (1)', '(null), (7), (1000)']) {
      await a.query(`begin isolation level ${level}`);
      await expect(a.query(`insert into ${t} (number) values ${bad}`), bad).rejects.toMatchObject({
        code: expect.stringMatching(/^(SQ012|23505)$/) as string,
      });
      await a.query('rollback');
    }
    await run(`insert into ${t} (number) select n from generate_series(7, 8) n`);
    expect(
      await database.rows(`select count(*)::int as n from ${t} where company = 'acme' and number <= 8`),
    ).toEqual([{ n: 8 }]);
  },
);

test('two sessions, two tables: a finalized number is stored once', async () => {
  const t = await makeInvoices(database, 'race_a', { series: series('wait') });
  const u = await makeInvoices(database, 'race_b', { sharedSeries: 'race_a' });
  const a = await database.session('A');
  const b = await database.session('B');
  for (const [n, level] of levels.entries()) {
    await call(checkout(t, `order-${n}`));
    await call(finalize(t, `order-${n}`));
    await a.query(`begin isolation level ${level}`);
    await b.query(`begin isolation level ${level}`);
    await b.query('select count(*) from seqctl.checkout');
    await a.query(`insert into ${t} (number) values (${n + 1})`);
    const second = b.start(`insert into ${u} (number) values (${n + 1})`);
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await expect(second.result).rejects.toMatchObject(
      n === 0 ? { code: 'SQ012', detail: 'Another row has it. Nothing was inserted.' } : { code: '40001' },
    );
    await b.query('rollback');
    await expect(b.query(`insert into ${u} (number) values (${n + 1})`)).rejects.toMatchObject({
      code: 'SQ012',
    });
  }
  // A trigger that stores the same number in the other table.
  await call(checkout(t, 'order-9'));
  await call(finalize(t, 'order-9'));
  await database.execute(`
    create function copy_it() returns trigger language plpgsql as $f$
    begin insert into race_b (number) values (new.number); return new; end $f$;
    create trigger copy_it after insert on race_a for each row execute function copy_it()`);
  await expect(a.query(`insert into ${t} (number) values (4)`)).rejects.toMatchObject({ code: 'SQ012' });
  await expectAccounted(database, t);
});

test('the document number is the one that left the database', async () => {
  const t = await makeInvoices(database, 'random', {
    series: `format => '{year}-{number}-{random:8}', on_checkout => 'wait'`,
  });
  const { document_number } = await call(checkout(t, 'order-1'));
  await call(finalize(t, 'order-1'));
  await expect(
    database.rows(`insert into ${t} (number, document_number) values (1, '2026-1-12345678')`),
  ).rejects.toMatchObject({ code: 'SQ012' });
  await database.execute(`insert into ${t} (number) values (1)`);
  expect(await database.rows(`select document_number from ${t}`)).toEqual([{ document_number }]);
  await database.execute(`insert into ${t} default values`);
  const second = await call(checkout(t, 'order-2'));
  await call(finalize(t, 'order-2'));
  await database.rows(`insert into ${t} (number, document_number) values (null, null), (3, $1)`, [
    second.document_number,
  ]);
  await expectAccounted(database, t);

  // A day in the format: the row keeps the day of the checkout. A day that does not show may be another.
  const u = await makeInvoices(database, 'with_day', { series: `format => '{year}{month}{day}-{number}'` });
  await call(checkout(u, 'order-1'));
  await call(finalize(u, 'order-1'));
  await expect(
    database.rows(`insert into ${u} (number, issued_on) values (1, '2026-03-10')`),
  ).rejects.toMatchObject({
    code: 'SQ039',
    message: expect.stringContaining(
      `was checked out as '20260309-1', but the row makes it '20260310-1'`,
    ) as string,
  });
  await database.execute(`insert into ${u} (number) values (1)`);
  const v = await makeInvoices(database, 'without_day');
  await call(checkout(v, 'order-1'));
  // Altered meanwhile: the document keeps the number that it was printed with.
  await database.rows(`select seqctl.alter_series('${v}', format => 'NEW-{number}')`);
  await call(finalize(v, 'order-1'));
  await database.execute(`insert into ${v} (number, issued_on) values (1, '2026-12-31')`);
  await expectAccounted(database, v);
});

test('partitions: known ones, a later one, a direct INSERT', async () => {
  const t = await makeInvoices(database, 'parts', {
    suffix: 'partition by list (note)',
    series: series('wait'),
    beforeAttach: `create table parts_a partition of parts for values in ('a');`,
  });
  await database.execute(`create table parts_b partition of parts for values in ('b')`);
  for (let n = 1; n <= 6; n += 1) {
    await call(checkout(t, `order-${n}`));
    await call(finalize(t, `order-${n}`));
  }
  const a = await database.session('A');
  await a.query(`insert into ${t} (note, number) values ('a', 1), ('b', 2), ('a', null), ('b', null)`);
  await a.query(`insert into parts_a (note, number) values ('a', null), ('a', 3)`);
  await a.query(`insert into parts_b (note, number) values ('b', 4), ('b', null)`);
  await a.query('begin');
  await a.query(`insert into ${t} (note, number) values ('b', 5)`);
  await a.query(`update ${t} set note = 'a' where number = 5`);
  await a.query(`insert into ${t} (note, number) values ('b', null), ('a', 6)`);
  await a.query('commit');
  await expect(a.query(`insert into ${t} (note, number) values ('b', 5)`)).rejects.toMatchObject({
    code: 'SQ013',
  });
  await expectAccounted(database, t);
});

test('a role with only INSERT stores a finalized number, waits, and gets nothing more; no setting lets a wrong one in', async () => {
  const t = await makeInvoices(database, 'rights', { series: series('wait') });
  const role = await makeRole('checkout_insert');
  await database.execute(
    `grant insert, select on ${t} to ${role.name}; grant usage on all sequences in schema public to ${role.name}`,
  );
  const a = await database.session('A', database.urlAs(role.name, role.password));
  for (const sql of [checkout(t, 'x'), finalize(t, 'x'), release(t, 'x'), 'select * from seqctl.checkouts']) {
    await expect(a.query(sql)).rejects.toMatchObject({ code: '42501' });
  }
  for (let n = 1; n <= 3; n += 1) {
    await call(checkout(t, `order-${n}`));
    await call(n === 3 ? release(t, `order-${n}`) : finalize(t, `order-${n}`));
  }
  await a.query(`insert into ${t} (number) values (1)`);
  await a.query(`insert into ${t} default values`);
  await database.execute(`select seqctl.void('${t}', 'acme', '${on}', 1, null, 'annulled')`);
  const [{ id }] = (await database.rows<{ id: number }>(
    `select id from seqctl.series where name = '${t}'`,
  )) as [{ id: number }];
  const key = `9496 acme`;
  for (const number of [1, 3, 40]) {
    await a.query('begin');
    await a.query(`insert into ${t} default values`);
    await a.query(`select set_config('seqctl.hot_${id}', E'(0,1)\\x010 ${key}\\x01${number}', true)`);
    await expect(a.query(`insert into ${t} (number) values (${number})`)).rejects.toMatchObject({
      code: expect.stringMatching(/^(SQ012|SQ013|23505)$/) as string,
    });
    await a.query('rollback');
  }
  const issuer = await makeRole('checkout_issue');
  await database.rows(`select seqctl.grant_access('${issuer.name}', 'issue')`);
  const b = await database.session('B', database.urlAs(issuer.name, issuer.password));
  await b.query(checkout(t, 'order-4'));
  await call(finalize(t, 'order-4'));
  expect(
    await b.rows(
      `select correlation_id, state, opened_by from seqctl.checkouts where series = '${t}' and number = 4`,
    ),
  ).toEqual([{ correlation_id: 'order-4', state: 'finalized', opened_by: issuer.name }]);
  await expectAccounted(database, t);
});
