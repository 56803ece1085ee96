import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

test('a session waits for another one and goes on when that ends', async () => {
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query('select pg_advisory_xact_lock(1)');
  const waiting = b.start('select pg_advisory_xact_lock(1)');
  await waitUntilBlocked(b, a);
  await a.query('commit');
  await waiting.result;
});

test('a killed session reports it', async () => {
  const a = await database.session('A');
  const sleeping = a.start('select pg_sleep(60)');
  await a.kill();
  await expect(sleeping.result).rejects.toThrow();
});

test('a session closed while it is blocked leaves no backend behind', async () => {
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin; select pg_advisory_xact_lock(1)');
  b.start('select pg_advisory_xact_lock(1)');
  await waitUntilBlocked(b, a);
  await b.close();
  expect(await a.rows('select from pg_stat_activity where pid = $1', [b.pid])).toHaveLength(0);
});
