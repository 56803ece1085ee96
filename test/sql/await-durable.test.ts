import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';
import type { Session } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

/** Commits without a flush on one connection; whether that commit was on disk after `then` on another. */
async function isFlushed(writer: Session, caller: Session, then: string): Promise<boolean> {
  await writer.query('insert into noted default values');
  const lsn = await writer.value<string>('select pg_current_wal_insert_lsn()');
  await caller.query(then);
  return caller.value<boolean>(`select pg_current_wal_flush_lsn() >= '${lsn}'::pg_lsn`);
}

/** How often of 30 times. */
async function countFlushed(setting: string, then: string): Promise<number> {
  await database.execute('create table if not exists noted (at timestamptz default clock_timestamp())');
  const writer = await database.session('writer');
  const caller = await database.session('caller');
  await writer.query('set synchronous_commit = off');
  await caller.query(`set synchronous_commit = ${setting}`);
  let flushed = 0;
  for (let n = 0; n < 30; n += 1) if (await isFlushed(writer, caller, then)) flushed += 1;
  return flushed;
}

test.each(['off', 'local', 'on', 'remote_apply'])(
  'everything committed before it is flushed, with synchronous_commit = %s in its session',
  async (setting) => {
    expect(await countFlushed(setting, 'select seqctl.await_durable()')).toBe(30);
  },
);

test('without it, that is not so', async () => {
  expect(await countFlushed('on', 'select 1')).toBeLessThan(30);
});

test('the session keeps its setting, and remote_apply is not weakened', async () => {
  const session = await database.session('S');
  await session.query('set synchronous_commit = off');
  await session.query('select seqctl.await_durable()');
  expect(await session.value('show synchronous_commit')).toBe('off');

  await session.query('begin');
  await session.query('select seqctl.await_durable()');
  expect(await session.value('show synchronous_commit')).toBe('on');
  await session.query('rollback');

  await session.query('set synchronous_commit = remote_apply');
  await session.query('begin');
  await session.query('select seqctl.await_durable()');
  expect(await session.value('show synchronous_commit')).toBe('remote_apply');
});

test('in a longer transaction it makes the COMMIT a durable one', async () => {
  const flushed = await countFlushed(
    'off',
    'begin; set local synchronous_commit = off; select seqctl.await_durable(); commit',
  );
  expect(flushed).toBe(30);
});

test('rights: level read may call it, PUBLIC may not, and nobody needs more', async () => {
  const role = await makeRole('durable');
  const session = await database.session('R', database.urlAs(role.name, role.password));
  await expect(session.query('select seqctl.await_durable()')).rejects.toMatchObject({ code: '42501' });
  await database.rows(`select seqctl.grant_access('${role.name}', 'read')`);
  await session.query('select seqctl.await_durable()');
  await session.query('set default_transaction_read_only = on');
  await session.query('select seqctl.await_durable()');
});
