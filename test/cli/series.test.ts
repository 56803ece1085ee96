import { expect, test } from 'vitest';

import { type CliResult, runCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();
const empty = useDatabase({ installed: false });

const run = (...args: string[]): Promise<CliResult> => runCli(args, { url: database.url });
const json = async (...args: string[]): Promise<unknown> => {
  const result = await run(...args, '--json');
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(result.stdout) as unknown;
};

test('create, list, show, attach, counters, status, detach, drop: what a user sees', async () => {
  expect((await run('series', 'list')).stdout).toMatch(/^There is no series yet\./);
  const created = await run(
    ...['series', 'create', 'invoice', '--format', 'INV-{year}-{number:5}', '--time-zone', 'Europe/Rome'],
    ...['--max-number', '99999', '--max-length', '14', '--external-code', 'FPR12', '--purpose', 'sales'],
  );
  expect(created).toMatchObject({ code: 0, stderr: '' });
  expect(created.stdout).toBe(
    'series invoice created.\n\n' +
      'SERIES   FORMAT                 RESET   TIME ZONE    FIRST    MAX  PURPOSE\n' +
      'invoice  INV-{year}-{number:5}  yearly  Europe/Rome      1  99999  sales\n',
  );
  await database.execute(
    'create table invoices (company_id text, issued_on date, number bigint, document_number text)',
  );
  const attachArguments = [
    ...['attach', 'invoices', '--series', 'invoice', '--date-column', 'issued_on'],
    ...['--group-columns', 'company_id', '--document-number-column', 'document_number'],
  ];
  const dry = await run(...attachArguments, '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toMatch(
    /^would be attached: public\.invoices\.number is numbered from series invoice; index /,
  );
  expect(dry.stdout).toMatch(/\n\nThis was a dry run: nothing was changed\.\n$/);
  expect(await database.rows('select from seqctl.attachment')).toEqual([]);

  expect(await json(...attachArguments)).toMatchObject({
    attachment: {
      target: 'public.invoices',
      numberColumn: 'number',
      series: 'invoice',
      dateColumn: 'issued_on',
      groupColumns: ['company_id'],
      documentNumberColumn: 'document_number',
    },
    dryRun: false,
  });
  await database.execute(
    `insert into invoices values ('acme', '2026-03-09'), ('acme', '2026-03-10'), ('b', '2025-01-01')`,
  );

  expect((await run('counters')).stdout).toBe(
    'SERIES   GROUP  PERIOD  LAST  GIVEN  FIRST    MAX  CLOSED\n' +
      'invoice  acme   2026       2      2      1  99999\n' +
      'invoice  b      2025       1      1      1  99999\n',
  );
  const acme = { series: 'invoice', group: 'acme', period: '2026', lastNumber: '2', given: '2' };
  for (const filter of [
    ['--group', 'acme'],
    ['--period', '2026'],
    ['--series', 'invoice', '--group', 'acme', '--period', '2026'],
  ]) {
    expect(await json('counters', ...filter)).toMatchObject({ counters: [acme] });
  }
  expect(await json('counters', '--group', '')).toEqual({ counters: [] });
  expect((await run('counters', '--period', '1999')).stdout).toBe('There is no such counter.\n');

  expect(await json('series', 'list')).toMatchObject({
    series: [{ name: 'invoice', reset: 'yearly', maxNumber: '99999', maxLength: 14, externalCode: 'FPR12' }],
  });
  expect(await json('series', 'show', 'invoice')).toMatchObject({
    series: { name: 'invoice' },
    attachments: [{ target: 'public.invoices' }],
    counterCount: 2,
    counters: [acme, { group: 'b' }],
  });
  const shown = (await run('series', 'show', 'invoice')).stdout;
  expect(shown).toMatch(
    /^series +invoice\nformat +INV-.*\npublic\.invoices +number +invoice.*\ninvoice +acme +2026/s,
  );

  const status = (await run('status')).stdout;
  expect(status).toMatch(/\nseries +1\nattachments +1\n/);
  expect(status).toMatch(/\npublic\.invoices +number +invoice +issued_on +company_id +document_number /);

  const refused = await run('series', 'drop', 'invoice');
  expect(refused).toMatchObject({ code: 4, stdout: '' });
  expect(refused.stderr).toMatch(
    /^error: series 'invoice' is in use: it numbers public\.invoices\.number \[SQ004\]\nhint: /,
  );

  expect((await run('detach', 'invoices', '--dry-run')).stdout).toMatch(
    /^public\.invoices\.number would be detached from series invoice; its numbers stay\.\n\nThis was a dry run/,
  );
  expect(await database.rows('select from seqctl.attachment')).toHaveLength(1);
  expect(await json('detach', 'public.invoices')).toMatchObject({ detached: { series: 'invoice' } });
  expect(await run('series', 'drop', 'invoice')).toMatchObject({ code: 4 });

  await run('series', 'create', 'unused');
  expect((await run('series', 'drop', 'unused', '--dry-run')).stdout).toMatch(
    /^series unused would be dropped\./,
  );
  expect(await json('series', 'drop', 'unused')).toEqual({ dropped: 'unused', dryRun: false });
});

test('what PostgreSQL warns of reaches the user, on stderr, in a dry run as well', async () => {
  const dry = await run('series', 'create', 'shared numbers', '--format', '{number}', '--dry-run', '--json');
  expect(dry.code).toBe(0);
  expect(JSON.parse(dry.stdout)).toMatchObject({ series: { name: 'shared numbers' }, dryRun: true });
  expect(dry.stderr).toMatch(/^warning: series 'shared numbers' resets yearly, but .*\nhint: Put \{year\}/);
  expect(await database.rows(`select from seqctl.series where name = 'shared numbers'`)).toEqual([]);
});

test.each([
  ['a b'],
  [`x'; drop table seqctl.series; --`],
  ['"quoted"'],
  ['<b>html</b>'],
  ['$1 %s \\ {number}'],
  ['ÄÖ€😀'],
])('a series of the name %s', async (name) => {
  expect(await run('series', 'create', name, '--reset', 'never')).toMatchObject({ code: 0, stderr: '' });
  expect(await json('series', 'show', name)).toMatchObject({ series: { name } });
  expect(await json('counters', '--series', name)).toEqual({ counters: [] });
  expect(await json('verify', name)).toMatchObject({ ok: true, series: [{ name }] });
  expect(await run('series', 'drop', name)).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  [['series', 'create', 'a\nb'], 'SQ002', /not usable/],
  [['series', 'create', 'x', '--reset', 'hourly'], 'SQ002', /reset 'hourly' is unknown/],
  [['series', 'create', 'x', '--time-zone', 'Mars'], 'SQ002', /time zone/],
  [['series', 'show', `no'such`], 'SQ001', /does not exist/],
  [['series', 'drop', `no'such`], 'SQ001', /does not exist/],
  [['counters', '--series', 'none'], 'SQ001', /does not exist/],
  [['verify', 'none'], 'SQ001', /does not exist/],
  [['attach', `x'; drop table seqctl.series; --`, '--series', 's'], undefined, /no such table/],
  [['attach', '"no', '--series', 's'], undefined, /no such table/],
  [['attach', 'a\nb', '--series', 's'], undefined, /no such table/],
  [['attach', '', '--series', 's'], undefined, /no such table/],
  [['attach', 'nowhere.t', '--series', 's'], undefined, /no such table/],
  [['attach', 'pg_class', '--series', 's'], 'SQ001', /series 's' does not exist/],
  [['detach', 'pg_class'], 'SQ009', /is not attached/],
  [['detach', '4294967295'], 'SQ009', /is not attached/],
  [['grant', 'no one', 'read'], 'SQ017', /role "no one" does not exist/],
  [['revoke', `x"; drop role y`], 'SQ017', /does not exist/],
])('%j is refused: exit 4, message and next step', async (args, sqlstate, message) => {
  const result = await run(...args, '--json');
  expect(result.code).toBe(4);
  const { error } = JSON.parse(result.stdout) as { error: Record<string, string> };
  expect(error['message']).toMatch(message);
  expect(error['hint']).not.toBe('');
  if (sqlstate !== undefined) expect(error['sqlstate']).toBe(sqlstate);
  expect(result.stderr).toMatch(/^error: .*\n(.*\n)*hint: /);
});

test.each([
  [['series']],
  [['series', 'create']],
  [['series', 'create', 'x', '--first-number', 'one']],
  [['attach', 't']],
  [['attach', 't', '--series', 's', '--group-columns', 'a,,b']],
  [['attach', 't', '--series', 's', '--group-columns', 'a,"b']],
  [['grant', 'joe']],
  [['grant', 'joe', 'everything']],
  [['revoke']],
])('usage error %j: exit 2', async (args) => {
  expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
});

test('a table and columns of odd names, and a table found by the search_path', async () => {
  await database.execute(`
    create schema "odd ""schema";
    create table "odd ""schema"."x'; drop table <b>" ("n, 1" bigint, "g, ""1" text, plain text);
    create schema app;
    create table app.orders (number bigint);`);
  await run('series', 'create', 'odd one', '--reset', 'never');
  const target = `"odd ""schema"."x'; drop table <b>"`;
  const attached = await json(
    ...['attach', target, '--series', 'odd one', '--number-column', 'n, 1'],
    ...['--group-columns', '"g, ""1", plain'],
  );
  expect(attached).toMatchObject({
    attachment: { target, numberColumn: 'n, 1', groupColumns: ['g, "1', 'plain'] },
  });
  await database.rows(`insert into "odd ""schema"."x'; drop table <b>" ("g, ""1", plain) values ($1, $2)`, [
    'a\nb\u001b[31m',
    `'"\\`,
  ]);
  expect(await json('verify')).toMatchObject({ ok: true, findings: [] });
  const counters = await run('counters', '--series', 'odd one');
  expect(counters.stdout.split('\n')).toHaveLength(3);
  expect(counters.stdout).not.toContain('\u001b');
  expect(await run('detach', target, '--number-column', 'n, 1')).toMatchObject({ code: 0 });

  const inApp = { url: database.url, env: { PGOPTIONS: '-c search_path=app' } };
  expect(await runCli(['attach', 'ORDERS', '--series', 'odd one'], inApp)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('app.orders.number') as string,
  });
  expect(await runCli(['attach', 'orders', '--series', 'odd one'], { url: database.url })).toMatchObject({
    code: 4,
  });
  expect(await runCli(['detach', 'orders'], inApp)).toMatchObject({ code: 0 });
});

test('grant, revoke and who has what', async () => {
  const { name } = await makeRole('clerk');
  const dry = await run('grant', name, 'issue', '--dry-run');
  expect(dry).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/would have level issue now/) as string,
  });
  expect(await json('grants')).toEqual({ owner: 'postgres', roles: [] });
  expect(await json('grant', name, 'issue')).toEqual({ role: name, level: 'issue', dryRun: false });
  expect(await json('grant')).toEqual({
    owner: 'postgres',
    roles: [{ role: name, level: 'issue', beyond: [], isPartial: false }],
  });
  expect((await run('grant')).stdout).toMatch(
    /^ROLE +LEVEL +NOTE\npostgres +owner +may do everything\n\S+ +issue\n$/,
  );
  expect(await json('revoke', name)).toEqual({ revoked: name, dryRun: false });
  expect(await json('grant')).toEqual({ owner: 'postgres', roles: [] });
});

test('a role without rights, and one with too few', async () => {
  const role = await makeRole('nobody');
  const url = database.urlAs(role.name, role.password);
  const nothing = await runCli(['series', 'list'], { url });
  expect(nothing).toMatchObject({ code: 4, stdout: '' });
  expect(nothing.stderr).toMatch(/may not read schema seqctl.* \[42501\]\nhint: .*seqctl grant /);
  await run('grant', role.name, 'read');
  for (const args of [['series', 'list'], ['counters'], ['status'], ['verify'], ['grant']]) {
    expect(await runCli(args, { url }), args[0] ?? '').toMatchObject({ code: 0, stderr: '' });
  }
  const create = await runCli(['series', 'create', 'mine', '--format', '{year}{number}'], { url });
  expect(create).toMatchObject({ code: 4, stdout: '' });
  expect(create.stderr).toMatch(
    /permission denied for function create_series \[42501\]\nhint: .*level admin/s,
  );
  await run('revoke', role.name);
});

test.each([
  ['series', 'list'],
  ['series', 'show', 'x'],
  ['series', 'create', 'x'],
  ['series', 'drop', 'x'],
  ['attach', 'pg_class', '--series', 'x'],
  ['detach', 'pg_class'],
  ['number-pending', 'pg_class'],
  ['number-pending', 'pg_class', '--check'],
  ['counters'],
  ['verify'],
  ['grant'],
  ['grant', 'postgres', 'read'],
  ['revoke', 'postgres'],
])('%s %s without an installation, and without a server', async (...args) => {
  const result = await runCli(args, { url: empty.url });
  expect(result).toMatchObject({ code: 4, stdout: '' });
  expect(result.stderr).toBe(
    `error: seqctl is not installed in database "${empty.name}"\n` +
      'hint: Run seqctl install, or name another database with --database-url.\n',
  );
  const unreachable = await runCli(args, { url: 'postgres://joe:secret@127.0.0.1:1/x' });
  expect(unreachable).toMatchObject({ code: 3, stdout: '' });
  expect(unreachable.stderr).not.toContain('secret');
});

test.each([
  [[]],
  ...['create', 'list', 'show', 'drop'].map((name) => [['series', name]]),
  ...[
    'series',
    'attach',
    'detach',
    'number-pending',
    'counters',
    'verify',
    'grant',
    'revoke',
    'install',
    'status',
  ].map((name) => [[name]]),
])('%j --help has an example', async (args) => {
  const { code, stdout, stderr } = await runCli([...args, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: seqctl ${args.join(' ')}`.trimEnd());
  expect(stdout).toMatch(/\nExamples?:\n {2}seqctl /);
});

test.each([
  ['--max-length', '99999999999', 'It is a whole number from 1 to 999999999.'],
  ['--first-number', '99999999999999999999', 'It is a whole number of at most 18 digits.'],
])('a number that is too large: %s %s', async (option, value, message) => {
  const result = await run('series', 'create', 'large', option, value);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toContain(message);
});
