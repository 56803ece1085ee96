import { expect, test } from 'vitest';

import { type CliResult, runCli } from '../support/cli.js';
import { createDatabase, useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';
import { invoices } from '../support/verify.js';

const makeRole = useRoles();
const database = useDatabase();

const run = (...args: string[]): Promise<CliResult> => runCli(args, { url: database.url });
/** The lines of a table, with one bar between columns. */
const linesOf = ({ stdout }: CliResult): string[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().replaceAll(/ {2,}/g, ' | '));
const checkout = (id: string, series = 'invoice'): Promise<unknown> =>
  database.rows(`select * from seqctl.checkout('${series}', '${id}', 'acme', '2026-03-09', '1 hour')`);
/** In the list, times are replaced by `T`. */
const timeless = (lines: string[]): string[] =>
  lines.map((line) => line.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T'));

test('lease list, finalize and release: what a user sees', async () => {
  await database.execute(invoices);
  expect(await run('lease', 'list')).toEqual({ code: 0, stderr: '', stdout: 'No number is checked out.\n' });
  expect((await run('lease', 'list', '--all')).stdout).toBe('No number was ever checked out.\n');
  await checkout('order-1');
  const header =
    'SERIES | GROUP | PERIOD | NUMBER | DOCUMENT NUMBER | CHECKED OUT FOR | STATE | BY | EXPIRES';
  expect(timeless(linesOf(await run('lease', 'list', '--series', 'invoice')))).toEqual([
    header,
    'invoice | acme | 2026 | 4 | INV-2026-00004 | order-1 | open | postgres | T',
  ]);

  const dry = await run('lease', 'finalize', 'invoice', 'order-1', '--reference', 'mail', '--dry-run');
  expect(dry).toEqual({
    code: 0,
    stderr: '',
    stdout:
      'number 4 of invoice / acme / 2026, checked out for order-1, would be finalized, reference mail.\n\n' +
      'This was a dry run: nothing was changed.\n',
  });
  expect(await run('lease', 'release', 'invoice', 'order-1')).toEqual({
    code: 0,
    stderr: '',
    stdout: 'number 4 of invoice / acme / 2026, checked out for order-1, is released.\n',
  });
  await checkout('order-1');
  const finalized = await run('lease', 'finalize', 'invoice', 'order-1', '--reference', 'mail', '--json');
  expect(JSON.parse(finalized.stdout)).toMatchObject({
    series: 'invoice',
    group: 'acme',
    period: '2026',
    number: '4',
    documentNumber: 'INV-2026-00004',
    correlationId: 'order-1',
    state: 'finalized',
    settledBy: 'postgres',
    settledHow: 'finalize',
    reference: 'mail',
    waits: false,
    dryRun: false,
  });
  // Again, it is fine; otherwise, it is not.
  expect(await run('lease', 'finalize', 'invoice', 'order-1')).toMatchObject({ code: 0 });
  expect(await run('lease', 'finalize', 'invoice', 'order-1', '--number', '4')).toMatchObject({ code: 0 });
  for (const how of ['finalize', 'release']) {
    const other = await run('lease', how, 'invoice', 'order-1', '--number', '5');
    expect(other).toMatchObject({ code: 4, stdout: '' });
    expect(other.stderr).toContain('does not stand for number 5, but for number 4');
    expect(other.stderr).toContain('SQ038');
  }
  const released = await run('lease', 'release', 'invoice', 'order-1');
  expect(released).toMatchObject({ code: 4, stdout: '' });
  expect(released.stderr).toContain('was finalized already');
  expect(released.stderr).toContain('SQ038');
  const unknown = await run('lease', 'release', 'invoice', 'order-2', '--json');
  expect(unknown).toMatchObject({ code: 4 });
  expect(`${unknown.stdout}${unknown.stderr}`).toContain('SQ037');

  expect(timeless(linesOf(await run('lease', 'list', '--all')))).toEqual([
    `${header} | SETTLED | SETTLED BY | REFERENCE`,
    'invoice | acme | 2026 | 4 | INV-2026-00004 | order-1 | finalized | postgres | T | T | postgres | mail',
    'invoice | acme | 2026 | 4 | INV-2026-00004 | order-1 | released | postgres | T | T | postgres',
  ]);
  const json = await run('lease', 'list', '--all', '--json');
  expect((JSON.parse(json.stdout) as { leases: unknown[] }).leases).toHaveLength(2);
  expect(await run('lease', 'list', '--series', 'nothing')).toMatchObject({ code: 4, stdout: '' });
});

test('an expired one is listed as such, and settled by hand; those that wait are marked', async () => {
  expect(
    await run('series', 'create', 'ticket', '--on-checkout', 'recycle', '--ttl-action', 'keep'),
  ).toMatchObject({
    code: 0,
  });
  for (const id of ['a', 'b', 'c']) await checkout(id, 'ticket');
  await database.execute(
    `update seqctl.checkout set expires_at = opened_at - interval '1 s' where correlation_id = 'b'`,
  );
  await run('lease', 'release', 'ticket', 'c');
  const list = timeless(linesOf(await run('lease', 'list', '--series', 'ticket', '--all')));
  expect(list.slice(1).map((line) => line.split(' | ').slice(3, 7))).toEqual([
    ['2', '2', 'b', 'expired'],
    ['1', '1', 'a', 'open'],
    ['3', '3', 'c', 'released, waits'],
  ]);
  const altered = await run('series', 'alter', 'ticket', '--on-checkout', 'wait');
  expect(altered).toMatchObject({ code: 4, stdout: '' });
  expect(altered.stderr).toContain('SQ039');
  expect(await run('lease', 'finalize', 'ticket', 'b')).toMatchObject({ code: 0 });
  expect(await run('series', 'alter', 'ticket', '--ttl-action', 'release', '--dry-run')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('would have another ttl action') as string,
  });
  expect((await run('series', 'show', 'ticket')).stdout).toMatch(
    /on checkout +recycle\nexpired checkouts +keep\n/,
  );
  expect(await run('series', 'create', 'x', '--on-checkout', 'queue')).toMatchObject({ code: 4 });
});

test('rights: read lists, issue settles', async () => {
  const reader = await makeRole('lease_reader');
  const issuer = await makeRole('lease_issuer');
  await database.rows(`select seqctl.grant_access('${reader.name}', 'read')`);
  await database.rows(`select seqctl.grant_access('${issuer.name}', 'issue')`);
  await checkout('order-9');
  const as = (role: { name: string; password: string }, ...args: string[]): Promise<CliResult> =>
    runCli(args, { url: database.urlAs(role.name, role.password) });
  expect((await as(reader, 'lease', 'list')).stdout).toContain('order-9');
  expect(await as(reader, 'lease', 'release', 'invoice', 'order-9')).toMatchObject({ code: 4 });
  expect(await as(issuer, 'lease', 'release', 'invoice', 'order-9')).toMatchObject({ code: 0 });
});

test('uninstall refuses while a number is out', async () => {
  const other = await createDatabase();
  try {
    await other.execute(`select seqctl.create_series('invoice', reset => 'never');
      select seqctl.checkout('invoice', 'order-1')`);
    const uninstall = (): Promise<CliResult> => runCli(['uninstall', '--detach'], { url: other.url });
    const refused = await uninstall();
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).toContain('a number is checked out');
    expect(refused.stderr).toContain('number 1 of series invoice, for order-1');
    await other.execute(`select seqctl.release('invoice', 'order-1')`);
    expect(await uninstall()).toMatchObject({ code: 0 });
  } finally {
    await other.drop();
  }
});
