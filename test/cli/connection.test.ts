import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, inject, onTestFinished, test } from 'vitest';

import { type CliResult, runBuiltCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { caCertificate, startProxy } from '../support/proxy.js';
import { useRoles } from '../support/roles.js';
import { waitForBackend, waitUntilPidBlocked } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

/** One clear error with a hint, exit code 3, nothing on stdout. */
function expectConnectionError(result: CliResult, what: RegExp, hint: RegExp): void {
  expect(result.stderr).toMatch(what);
  expect(result.stderr).toMatch(hint);
  expect(result.stderr).toMatch(/^error: .*\n(detail: .*\n)?hint: .*\n$/s);
  expect(result).toMatchObject({ code: 3, stdout: '' });
}

function change(edit: (url: URL) => void): string {
  const url = new URL(database.url);
  edit(url);
  return url.href;
}

test('--database-url, DATABASE_URL and the PG* variables lead to the same database', async () => {
  const { hostname, port, username, password } = new URL(database.url);
  const variables = {
    PGHOST: hostname,
    PGPORT: port || '5432',
    PGUSER: username,
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: database.name,
  };
  const ways = [
    await runBuiltCli(['version', '--json', '--database-url', database.url]),
    await runBuiltCli(['--database-url', database.url, '--json', 'version'], {
      url: 'postgres://nowhere.invalid/x',
    }),
    await runBuiltCli(['version', '--json'], { url: database.url }),
    await runBuiltCli(['version', '--json'], { env: variables }),
  ];
  for (const { code, stdout, stderr } of ways) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(ways[0]?.stdout);
  }
});

test('a password with every special character works percent-encoded', async () => {
  const role = await makeRole('special');
  const result = await runBuiltCli(['version'], { url: database.urlAs(role.name, role.password) });
  // The role may log in, yet may not read the schema: that is no connection error.
  expect(result).toMatchObject({ code: 4 });
  expect(result.stderr).toContain('may not read schema seqctl');
});

test('PGHOST as the folder of a unix socket', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'seqctl-socket-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await startProxy(inject('serverUrl'), { socket: path.join(folder, '.s.PGSQL.5433') });
  const { username, password } = new URL(database.url);
  const result = await runBuiltCli(['version'], {
    env: {
      PGHOST: folder,
      PGPORT: '5433',
      PGUSER: username,
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: database.name,
    },
  });
  expect(result).toMatchObject({ code: 0, stderr: '' });
});

test('application_name is seqctl', async () => {
  const blocker = await database.session('A');
  await blocker.query('begin');
  await blocker.query('lock table seqctl.attachment in access exclusive mode');
  const running = runBuiltCli(['status'], { url: database.url });
  const pid = await waitForBackend(database.url, 'seqctl');
  await waitUntilPidBlocked(database.url, pid, 'seqctl status', blocker);
  await blocker.query('rollback');
  expect(await running).toMatchObject({ code: 0 });
});

test('nothing listens there', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const port = typeof address === 'object' ? String(address?.port) : '1';
  probe.close();
  const result = await runBuiltCli(['status'], { url: change((url) => (url.port = port)) });
  expectConnectionError(result, /nothing answers there/, /Check that the server runs/);
});

test('an unknown host', async () => {
  const result = await runBuiltCli(['status'], { url: 'postgres://joe@no-such-host.invalid/shop' });
  expectConnectionError(result, /no-such-host\.invalid.*unknown/, /Check the host name/);
});

test('a host that never answers', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => {
    silent.close();
  });
  const address = silent.address();
  const port = typeof address === 'object' ? String(address?.port) : '1';
  const url = `postgres://joe@127.0.0.1:${port}/shop?connect_timeout=1`;
  expectConnectionError(
    await runBuiltCli(['status'], { url }),
    /no answer within 1 seconds/,
    /connect_timeout/,
  );
});

test('a wrong password', async () => {
  const role = await makeRole('wrong');
  const result = await runBuiltCli(['status'], { url: database.urlAs(role.name, 'open sesame') });
  expectConnectionError(result, /refused the password.*\[28P01\]/, /Check the user name and the password/);
  expect(result.stderr).not.toContain('sesame');
});

test('a missing database', async () => {
  const result = await runBuiltCli(['status'], {
    url: change((url) => (url.pathname = '/no_such_database')),
  });
  expectConnectionError(result, /no such database.*\[3D000\]/, /create database "no_such_database"/);
});

test('a raw @ in the password', async () => {
  const result = await runBuiltCli(['status'], { url: 'postgres://joe:pass@word@localhost/shop' });
  expectConnectionError(result, /ambiguous/, /@ is %40/);
  expect(result.stderr).not.toMatch(/pass@|word@/);
});

test('PGSERVICE: no other server than that of psql', async () => {
  const { hostname, port } = new URL(database.url);
  const env = { PGHOST: hostname, PGPORT: port || '5432', PGSERVICE: 'shop' };
  const result = await runBuiltCli(['install'], { env });
  expectConnectionError(result, /^error: PGSERVICE is set/, /--database-url or DATABASE_URL/);
});

test('a connection error with --json: one document on stdout', async () => {
  const result = await runBuiltCli(['status', '--json'], { url: 'postgres://joe@no-such-host.invalid/shop' });
  expect(result.code).toBe(3);
  expect(JSON.parse(result.stdout)).toMatchObject({ error: { exitCode: 3 } });
});

test.each([
  ['disable', 'localhost', { encrypted: 0, plain: 1 }],
  ['allow', 'localhost', { encrypted: 0, plain: 1 }],
  ['prefer', 'localhost', { encrypted: 1, plain: 0 }],
  ['require', 'localhost', { encrypted: 1, plain: 0 }],
  ['verify-ca', '127.0.0.1', { encrypted: 1, plain: 0 }],
  ['verify-full', 'localhost', { encrypted: 1, plain: 0 }],
])('sslmode=%s on %s', async (mode, host, expected) => {
  const proxy = await startProxy(inject('serverUrl'));
  const result = await runBuiltCli(['version'], {
    url: change((url) => {
      url.host = `${host}:${proxy.port}`;
      url.searchParams.set('sslmode', mode);
      if (mode.startsWith('verify')) url.searchParams.set('sslrootcert', caCertificate);
    }),
  });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(proxy.seen).toEqual(expected);
});

test.each([
  ['verify-full', '127.0.0.1', caCertificate, /certificate does not pass/],
  ['verify-full', 'localhost', 'system', /certificate does not pass/],
  ['verify-ca', 'localhost', 'system', /needs sslmode=verify-full/],
  ['verify-full', 'localhost', '/no/such/file', /cannot read the file of sslrootcert/],
])('sslmode=%s on %s with root certificate %s is refused', async (mode, host, rootCertificate, message) => {
  const proxy = await startProxy(inject('serverUrl'));
  const url = change((changed) => {
    changed.host = `${host}:${proxy.port}`;
    changed.searchParams.set('sslmode', mode);
    changed.searchParams.set('sslrootcert', rootCertificate);
  });
  expectConnectionError(await runBuiltCli(['version'], { url }), message, /hint: /);
});

test('sslmode=require against a server without encryption', async () => {
  const result = await runBuiltCli(['version'], {
    url: change((url) => {
      url.searchParams.set('sslmode', 'require');
    }),
  });
  // The embedded server and the image have none; a server of your own may.
  if (result.code !== 0) expectConnectionError(result, /has no encryption/, /sslmode=prefer/);
});
