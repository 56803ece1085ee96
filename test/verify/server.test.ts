import { afterAll, beforeAll, expect, test } from 'vitest';

import { install } from '../../cli/installer/install.js';
import { type EmbeddedServer, startEmbeddedServer } from '../../embedded/server.js';
import { withClient } from '../support/connect.js';
import { settingsOf } from '../support/installer.js';
import { briefly, verifyUrl } from '../support/verify.js';

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

// On a server of its own: what is set for a role is a finding in every database.
test('synchronous_commit off for a role, a database, both; not in another database, and not for one session', async () => {
  await install(settingsOf(unsafe.url));
  const own = async (): Promise<string[]> =>
    (await verifyUrl(unsafe.url)).findings.map(briefly).filter((finding) => finding.includes(' of '));
  await withClient(unsafe.url, async (client) => {
    const { rows } = await client.query<{ name: string }>('select current_database() as name');
    const name = rows[0]?.name ?? '';
    await client.query('create role hasty');
    await client.query('create database elsewhere');
    await client.query('set synchronous_commit = off');
    expect(await own()).toEqual([]);
    await client.query(`alter role hasty set synchronous_commit = 'off'`);
    await client.query(`alter role hasty in database ${name} set synchronous_commit = false`);
    await client.query(`alter role hasty in database elsewhere set synchronous_commit = off`);
    await client.query(`alter database ${name} set synchronous_commit = off`);
    await client.query(`alter database elsewhere set synchronous_commit = off`);
    expect(await own()).toEqual([
      `warning synchronous_commit_off setting synchronous_commit of database ${name}`,
      'warning synchronous_commit_off setting synchronous_commit of role hasty',
      `warning synchronous_commit_off setting synchronous_commit of role hasty in database ${name}`,
    ]);
    await client.query(`alter role hasty set synchronous_commit = local`);
    await client.query(`alter role hasty in database ${name} reset all`);
    await client.query(`alter database ${name} reset all`);
    expect(await own()).toEqual([]);
  });
});

test('session_replication_role = replica of a role or a database: its sessions have no triggers', async () => {
  await install(settingsOf(unsafe.url));
  await withClient(unsafe.url, async (client) => {
    const triggersOff = async (): Promise<(string | undefined)[]> =>
      (await verifyUrl(unsafe.url)).findings
        .filter(({ kind }) => kind === 'triggers_off')
        .map((finding) => `${briefly(finding)}; ${/\((.*)\)/.exec(finding.hint)?.[1] ?? ''}`);
    const { rows } = await client.query<{ name: string }>('select current_database() as name');
    const name = rows[0]?.name ?? '';
    await client.query('create role "the Loader"');
    await client.query('set session_replication_role = replica');
    expect(await triggersOff()).toEqual([]);
    await client.query('alter role "the Loader" set session_replication_role = replica');
    await client.query(`alter database ${name} set session_replication_role = replica`);
    expect(await triggersOff()).toEqual([
      `error triggers_off setting session_replication_role of database ${name}; alter database ${name} reset session_replication_role`,
      'error triggers_off setting session_replication_role of role "the Loader"; alter role "the Loader" reset session_replication_role',
    ]);
    await client.query('alter role "the Loader" set session_replication_role = origin');
    await client.query(`alter database ${name} reset session_replication_role`);
    expect(await triggersOff()).toEqual([]);
  });
});
