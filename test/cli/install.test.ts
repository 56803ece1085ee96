import { expect, test } from 'vitest';

import { installerLockKey } from '../../cli/installer/lock.js';
import { runBuiltCli, startCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { snapshotOf } from '../support/installer.js';
import { waitForBackend, waitUntilPidBlocked } from '../support/session.js';

const database = useDatabase({ installed: false });

test('install, again, status, uninstall: what a user sees', async () => {
  const { url } = database;
  expect(await runBuiltCli(['version'], { url })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^tool +\d.*\ninstalled +not installed\nserver +PostgreSQL \d/) as string,
  });
  expect(await runBuiltCli(['status'], { url })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('run seqctl install') as string,
    stderr: '',
  });
  const dry = await runBuiltCli(['install', '--dry-run'], { url });
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toMatch(/would be installed\.\n\nCHANGE +KIND +NAME\n/);
  expect(dry.stdout).toMatch(/create +table +seqctl\.installation\n/);
  expect(await snapshotOf(url)).toEqual([]);

  expect((await runBuiltCli(['install'], { url })).stdout).toMatch(/^seqctl \S+ installed\.\n/);
  expect(await runBuiltCli(['install'], { url })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^seqctl \S+ is installed already; nothing changed\.\n$/) as string,
    stderr: '',
  });
  const again = await runBuiltCli(['install', '--json'], { url });
  expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'unchanged', dryRun: false, changes: [] });
  const status = await runBuiltCli(['status', '--json'], { url });
  expect(status.code).toBe(0);
  expect(JSON.parse(status.stdout)).toMatchObject({
    pending: [],
    series: [],
    attachments: [],
    database: database.name,
  });

  const removed = await runBuiltCli(['uninstall'], { url });
  expect(removed).toMatchObject({ code: 0, stderr: '' });
  expect(removed.stdout).toMatch(/^seqctl uninstalled\.\n\nCHANGE/);
  expect(await snapshotOf(url)).toEqual([]);
});

test('rights that a restore wrote down in another way are no difference', async () => {
  const { url } = database;
  await runBuiltCli(['install'], { url });
  await database.execute(`
    update pg_class set relacl = null
    where relnamespace = 'seqctl'::regnamespace and relkind = 'v' and cardinality(relacl) = 1`);
  const dry = await runBuiltCli(['install', '--dry-run'], { url });
  expect(dry.stdout).toMatch(/nothing (would )?changed?/);
  await database.execute('grant select on seqctl.counters to public');
  const granted = await runBuiltCli(['install', '--dry-run'], { url });
  expect(granted.stdout).toMatch(/change +view +seqctl\.counters/);
  await runBuiltCli(['uninstall'], { url });
});

test('status names what differs and what is missing', async () => {
  const { url } = database;
  await runBuiltCli(['install'], { url });
  await database.execute(`
    do $$ begin execute 'drop function seqctl.peek(text, text, date)'; end $$;
    update pg_proc set prosrc = 'forged' where oid = 'seqctl.group_key(text[])'::regprocedure;`);
  const status = await runBuiltCli(['status', '--json'], { url });
  expect(status.code).toBe(1);
  expect((JSON.parse(status.stdout) as { pending: unknown }).pending).toEqual([
    { kind: 'function', name: 'seqctl.group_key', reason: 'differs' },
    { kind: 'function', name: 'seqctl.peek', reason: 'missing' },
  ]);
  await runBuiltCli(['install'], { url });
  expect(await runBuiltCli(['status'], { url })).toMatchObject({ code: 0 });
  await runBuiltCli(['uninstall'], { url });
});

test('--print-sql needs no database and prints a script alone', async () => {
  const result = await runBuiltCli(['install', '--print-sql'], { url: 'postgres://no-such-host.invalid/x' });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout).toMatch(/^-- seqctl .*\n\nbegin/);
  expect(result.stdout).toMatch(/\ncommit;\n$/);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s while it waits: rolled back, exit code 4', async (signal) => {
  const holder = await database.session('A');
  await holder.query('begin');
  await holder.query(`select pg_advisory_xact_lock(${installerLockKey})`);
  const running = startCli(['install'], { url: database.url });
  const pid = await waitForBackend(database.url, 'seqctl');
  await waitUntilPidBlocked(database.url, pid, 'seqctl install', holder);
  running.child.kill(signal);
  const result = await running.result;
  expect(result).toMatchObject({ code: 4, stdout: '' });
  expect(result.stderr).toMatch(/interrupted.*rolled back\nhint: Nothing was changed/s);
  // No backend goes on behind our back while the lock is still held.
  expect(await database.rows('select from pg_stat_activity where pid = $1', [pid])).toEqual([]);
  await holder.query('commit');
  expect(await snapshotOf(database.url)).toEqual([]);
});

test('a second machine is told who it waits for, and gives up in time', async () => {
  const holder = await database.session('the first');
  await holder.query('begin');
  await holder.query(`select pg_advisory_xact_lock(${installerLockKey})`);
  const result = await runBuiltCli(['install', '--lock-timeout', '2'], { url: database.url });
  expect(result).toMatchObject({ code: 4, stdout: '' });
  expect(result.stderr).toMatch(/seqctl: waiting for a lock held by process \d+ \(the first/);
  expect(result.stderr).toMatch(/error: waited longer than 2 s for a lock \[55P03\]\ndetail: .*\(the first/);
});

test('a table of seqctl that somebody dropped: install says so, uninstall removes the rest', async () => {
  const { url } = database;
  await runBuiltCli(['install'], { url });
  await database.execute('drop table seqctl.voided_range cascade');
  const result = await runBuiltCli(['install'], { url });
  expect(result).toMatchObject({ code: 4, stdout: '' });
  expect(result.stderr).toMatch(
    /seqctl\.voided_range.*\[42P01\].*\nhint: seqctl verify names what is missing\./s,
  );
  expect(await runBuiltCli(['uninstall'], { url })).toMatchObject({ code: 0 });
  expect(await snapshotOf(url)).toEqual([]);
});
