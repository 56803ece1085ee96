import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { type Session, waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

/** What the sessions wait for, one after the other as they came: `transactionid` is the row's lock, `advisory` the queue. */
async function waitsOf(sessions: readonly Session[]): Promise<string[]> {
  const rows = await database.rows<{ pid: number; locktype: string }>(
    'select pid, locktype from pg_locks where not granted and pid = any ($1)',
    [sessions.map((session) => session.pid)],
  );
  return sessions.map((session) => rows.find((row) => row.pid === session.pid)?.locktype ?? '');
}

/** Starts the statement in one session after the other, each when the one before it waits. */
async function startInTurn(sessions: readonly Session[], sql: string): Promise<Promise<unknown>[]> {
  const results: Promise<unknown>[] = [];
  for (const session of sessions) {
    results.push(session.start(sql).result);
    await waitUntilBlocked(session);
  }
  return results;
}

const open = (...names: string[]): Promise<Session[]> =>
  Promise.all(names.map((name) => database.session(name)));

test.each(['', 'begin; select pg_current_xact_id();'])(
  'one waits for the row, the others queue; other groups and periods pass (%s)',
  async (before) => {
    const t = await makeInvoices(database, before === '' ? 'queue_first' : 'queue_later');
    await database.execute(
      `insert into ${t} (company, issued_on) values ('acme', '2026-01-01'), ('acme', '2025-01-01')`,
    );
    const [a, b, c, d] = (await open('A', 'B', 'C', 'D')) as [Session, Session, Session, Session];
    await a.query(`begin; insert into ${t} default values`);
    for (const session of [b, c, d]) if (before !== '') await session.query(before);
    const waiting = await startInTurn([b, c, d], `insert into ${t} default values`);
    expect(await waitsOf([b, c, d])).toEqual(['transactionid', 'advisory', 'advisory']);
    await database.execute(`
      set lock_timeout = '1s';
      insert into ${t} (company) values ('other');
      insert into ${t} (issued_on) values ('2025-06-01')`);
    await a.query('commit');
    for (const [n, session] of [b, c, d].entries()) {
      await waiting[n];
      if (before !== '') await session.query('commit');
    }
    expect(await numbersOf(database, t)).toMatchObject({
      'acme 2026': '1 2 3 4 5',
      'acme 2025': '1 2',
      'other 2026': '1',
    });
    await expectExact(database);
  },
);

// The first of the queue waits for the row: whoever has the row and came to stand behind him would wait for himself.
const group = `E'a\\x01b'`;
const holders: [string, (t: string) => string][] = [
  [
    'next_number of a group that is not remembered',
    (t) =>
      `create table taken (series text, group_key text, period date, number bigint);
       insert into taken select '${t}', ${group}, '2026-01-01', seqctl.next_number('${t}', ${group}, '2026-01-01')`,
  ],
  [
    'a period that was closed and reopened',
    (t) =>
      `select seqctl.close_period('${t}', '2026-01-01'); select seqctl.reopen_period('${t}', '2026-01-01', reason => 'too early')`,
  ],
  [
    'numbering at commit, done early',
    (t) =>
      `set constraints all immediate; insert into ${t}_at_commit (company, issued_on) values (${group}, '2026-01-01')`,
  ],
];
test.each(holders)('who has the counter does not queue for it: %s', async (name, hold) => {
  const t = await makeInvoices(database, `queue_held_${holders.findIndex(([other]) => other === name)}`);
  await database.execute(`
    create table ${t}_at_commit (
      id bigserial primary key, company text, issued_on date, number bigint, document_number text
    );
    select seqctl.attach('${t}_at_commit', '${t}', date_column => 'issued_on', group_columns => '{company}',
      document_number_column => 'document_number', assign => 'commit')`);
  const insert = `insert into ${t} (company, issued_on) values (${group}, '2026-01-01')`;
  await database.execute(insert);
  const [a, b, c] = (await open('A', 'B', 'C')) as [Session, Session, Session];
  await a.query(`begin; ${hold(t)}`);
  const waiting = await startInTurn([b, c], insert);
  expect(await waitsOf([b, c])).toEqual(['transactionid', 'advisory']);
  await a.query(`set local lock_timeout = '5s'`);
  await a.query(insert);
  await a.query('commit');
  await Promise.all(waiting);
  await expectExact(database);
});

test('who has an exhausted counter does not queue for it', async () => {
  const t = await makeInvoices(database, 'queue_full', { series: 'max_number => 1' });
  await database.execute(`insert into ${t} default values`);
  const [a, b] = (await open('A', 'B')) as [Session, Session];
  await a.query(`begin;
    select seqctl.close_period('${t}', '2026-01-01');
    select seqctl.reopen_period('${t}', '2026-01-01', reason => 'too early')`);
  const [waiting] = await startInTurn([b], `insert into ${t} default values`);
  await expect(a.query(`insert into ${t} default values`)).rejects.toMatchObject({
    message: expect.stringContaining('exhausted') as string,
  });
  await a.query('rollback');
  await expect(waiting).rejects.toMatchObject({ message: expect.stringContaining('exhausted') as string });
});

test('nobody queues for a counter whose numbers are checked out, and all get on', async () => {
  const t = await makeInvoices(database, 'queue_checkout');
  await database.execute(
    `select seqctl.checkout('${t}', 'order 1', group_key => 'acme', on_date => '2026-03-09')`,
  );
  await database.execute(`select seqctl.finalize('${t}', 'order 1');
    insert into ${t} (number, document_number) values (1, 'acme-2026-001')`);
  const [a, b, c] = (await open('A', 'B', 'C')) as [Session, Session, Session];
  await a.query(`begin; insert into ${t} default values`);
  const waiting = await startInTurn([b, c], `insert into ${t} default values`);
  expect(await waitsOf([b, c])).toEqual(['transactionid', 'tuple']);
  await a.query('commit');
  await Promise.all(waiting);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4' });
});

test('whoever keeps the lock of the queue delays the others, and stops nobody', async () => {
  const t = await makeInvoices(database, 'queue_kept');
  await database.execute(`insert into ${t} default values`);
  const [a, b, c] = (await open('A', 'B', 'C')) as [Session, Session, Session];
  await a.query(`begin; insert into ${t} default values`);
  await c.query(`
    select pg_advisory_lock(hashtextextended('acme', hash_array_extended(array['2026-01-01'::date], s.id)))
    from seqctl.series s where s.name = '${t}'`);
  await b.query(`set lock_timeout = '20s'`);
  const waiting = b.start(`insert into ${t} default values`);
  await waitUntilBlocked(b, c);
  await a.query('commit');
  await waiting.result;
  expect(await b.value('show lock_timeout')).toBe('20s');
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3' });
});

test('a wait in the queue ends by lock_timeout and by cancel, and leaves nothing', async () => {
  const t = await makeInvoices(database, 'queue_left');
  await database.execute(`insert into ${t} default values`);
  const [a, b, c, d] = (await open('A', 'B', 'C', 'D')) as [Session, Session, Session, Session];
  await a.query(`begin; insert into ${t} default values`);
  const [first] = await startInTurn([b], `insert into ${t} default values`);
  await c.query(`set lock_timeout = '50ms'`);
  await expect(c.query(`insert into ${t} default values`)).rejects.toMatchObject({ code: '55P03' });
  const [cancelled] = await startInTurn([d], `insert into ${t} default values`);
  expect(await waitsOf([d])).toEqual(['advisory']);
  await database.execute(`select pg_cancel_backend(${d.pid})`);
  await expect(cancelled).rejects.toMatchObject({ code: '57014' });
  await a.query('rollback');
  await first;
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2' });
  await expectExact(database);
});

test.each(['repeatable read', 'serializable'])('%s: whoever queued gets a clean 40001', async (level) => {
  const t = await makeInvoices(database, `queue_${level.replace(' ', '_')}`);
  await database.execute(`insert into ${t} default values`);
  const [a, b, c] = (await open('A', 'B', 'C')) as [Session, Session, Session];
  await a.query(`begin; insert into ${t} default values`);
  for (const session of [b, c]) await session.query(`begin isolation level ${level}; select from ${t}`);
  const waiting = await startInTurn([b, c], `insert into ${t} default values`);
  await a.query('commit');
  for (const [n, session] of [b, c].entries()) {
    await expect(waiting[n]).rejects.toMatchObject({ code: '40001' });
    await session.query('rollback');
  }
  await expectExact(database);
});

test('numbered at commit: transactions queue as well', async () => {
  const t = 'queue_at_commit';
  await database.execute(`
    create table ${t} (id bigserial primary key, number bigint);
    select seqctl.create_series('${t}', reset => 'never', format => '{number}');
    select seqctl.attach('${t}', '${t}', assign => 'commit');
    insert into ${t} default values`);
  const [a, b, c] = (await open('A', 'B', 'C')) as [Session, Session, Session];
  await a.query(`begin; insert into ${t} default values; set constraints all immediate`);
  const waiting = await startInTurn([b, c], `insert into ${t} default values`);
  expect(await waitsOf([b, c])).toEqual(['transactionid', 'advisory']);
  await a.query('commit');
  await Promise.all(waiting);
  expect(await database.rows(`select number from ${t} order by number`)).toEqual(
    ['1', '2', '3', '4'].map((number) => ({ number })),
  );
  await expectExact(database);
});
