import { afterAll, beforeAll, expect, test } from 'vitest';

import { install } from '../../cli/installer/install.js';
import { type EmbeddedServer, startEmbeddedServer } from '../../embedded/server.js';
import { withClient } from '../support/connect.js';
import { useDatabase } from '../support/database.js';
import { settingsOf } from '../support/installer.js';
import { useRoles } from '../support/roles.js';
import { briefly, verifyUrl } from '../support/verify.js';

const makeRole = useRoles();
const database = useDatabase();

let unsafe: EmbeddedServer;
beforeAll(async () => {
  unsafe = await startEmbeddedServer({ durable: false, settings: { synchronous_commit: 'off' } });
});
afterAll(() => unsafe.stop());

test('a server that a crash would damage: errors, and a warning for what is lost but whole', async () => {
  await install(settingsOf(unsafe.url));
  const report = await verifyUrl(unsafe.url);
  expect(report).toMatchObject({ ok: false, errors: 2, warnings: 1 });
  expect(report.findings.map(briefly)).toEqual([
    'error fsync_off setting fsync',
    'error full_page_writes_off setting full_page_writes',
    'warning synchronous_commit_off setting synchronous_commit',
  ]);
});

test('synchronous_commit off for a role, a database, both; not in another database, and not for one session', async () => {
  const role = await makeRole('hasty');
  await withClient(database.url, async (client) => {
    await client.query('set synchronous_commit = off');
    expect((await verifyUrl(database.url)).findings).toEqual([]);
    await client.query(`alter role ${role.name} set synchronous_commit = 'off'`);
    await client.query(`alter role ${role.name} in database ${database.name} set synchronous_commit = false`);
    await client.query(`alter role ${role.name} in database postgres set synchronous_commit = off`);
    await client.query(`alter database ${database.name} set synchronous_commit = off`);
    await client.query(`alter database postgres set synchronous_commit = on`);
    const { findings, ok } = await verifyUrl(database.url);
    expect(ok).toBe(true);
    expect(findings.map(briefly)).toEqual([
      `warning synchronous_commit_off setting synchronous_commit of database ${database.name}`,
      `warning synchronous_commit_off setting synchronous_commit of role ${role.name}`,
      `warning synchronous_commit_off setting synchronous_commit of role ${role.name} in database ${database.name}`,
    ]);
    await client.query(`alter role ${role.name} set synchronous_commit = local`);
    await client.query(`alter role ${role.name} in database ${database.name} reset all`);
    await client.query(`alter role ${role.name} in database postgres reset all`);
    await client.query(`alter database postgres reset all`);
    await client.query(`alter database ${database.name} reset all`);
    expect((await verifyUrl(database.url)).findings).toEqual([]);
  });
});
