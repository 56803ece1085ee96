import { expect, test } from 'vitest';

import { type CliResult, runCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';
import { unprotectedInvoices as invoices } from '../support/verify.js';

const makeRole = useRoles();
const database = useDatabase();

const run = (...args: string[]): Promise<CliResult> => runCli(args, { url: database.url });

/** Of acme's counter of 2026. */
const acme = ['--date', '2026-03-09', '--group', 'acme'];
const lowering = (to: string, ...more: string[]): string[] => [
  'lower-counter',
  'invoice',
  '--to',
  to,
  ...acme,
  ...more,
];

test('lower-counter and remove-counter: what a user sees', async () => {
  await database.execute(`${invoices}
    insert into invoices (company_id, issued_on) select 'acme', '2026-05-01' from generate_series(1, 5);
    insert into invoices (company_id, issued_on) values ('acmee', '2026-05-01');
    delete from invoices where number > 3 or company_id = 'acmee'`);
  expect(await run('gaps')).toMatchObject({ code: 1 });

  const dry = await run(...lowering('3', '--reason', 'a test import', '--dry-run'));
  expect(dry).toEqual({
    code: 0,
    stderr: '',
    stdout:
      'the counter of invoice / acme / 2026 would be lowered from 8 to 3: a test import\n\nThis was a dry run: nothing was changed.\n',
  });
  expect(await database.rows('select from seqctl.counter_corrections')).toEqual([]);
  expect(await run(...lowering('3', '--reason', 'a test import'))).toEqual({
    code: 0,
    stderr: '',
    stdout: 'the counter of invoice / acme / 2026 is lowered from 8 to 3: a test import\n',
  });
  const removed = await run(
    'remove-counter',
    'invoice',
    '--date',
    '2026-03-09',
    '--group',
    'acmee',
    '--reason',
    'misspelt',
    '--json',
  );
  expect(removed).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(removed.stdout)).toEqual({
    series: 'invoice',
    group: 'acmee',
    period: '2026',
    kind: 'removed',
    from: '1',
    to: null,
    reason: 'misspelt',
    dryRun: false,
  });

  expect(await run('gaps')).toEqual({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(
      /^No number is missing: compared \d+ numbers? of \d+ counters?\.\n$/,
    ) as string,
  });
  const verified = await run('verify');
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).toMatch(
    /\ninfo +invoice \/ acme \/ 2026 +the counter was lowered from 8 to 3: a test import +Recorded by postgres on \d{4}-/,
  );
  expect(verified.stdout).toMatch(
    /\ninfo +invoice \/ acmee \/ 2026 +the counter was removed, at 1: misspelt +Recorded by postgres on \d{4}-/,
  );
  expect(verified.stdout).toMatch(/ is as it should be: no number is missing, none is there twice\.\n$/);
});

test('a series without a table: the notice says who knows what is in use', async () => {
  await run('series', 'create', 'hand', '--reset', 'never');
  await database.execute(`select seqctl.allocate('hand', how_many => 3)`);
  const lowered = await run('lower-counter', 'hand', '--to', '2', '--reason', 'x', '--json');
  expect(lowered).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`series 'hand' numbers no attached table`) as string,
  });
  expect(JSON.parse(lowered.stdout)).toMatchObject({
    group: '',
    period: '',
    kind: 'lowered',
    from: '3',
    to: '2',
  });
});

test.each([
  [lowering('1', '--reason', 'x'), 'SQ043'],
  [lowering('99', '--reason', 'x'), 'SQ043'],
  [lowering('2', '--reason', ' '), 'SQ024'],
  [['lower-counter', 'invoice', '--to=-2', ...acme, '--reason', 'x'], 'SQ043'],
  [['lower-counter', 'none', '--to', '1', '--reason', 'x'], 'SQ001'],
  [['lower-counter', 'invoice', '--to', '1', '--reason', 'x'], 'SQ011'],
  [['remove-counter', 'invoice', ...acme, '--reason', 'x'], 'SQ043'],
  [['remove-counter', 'invoice', '--date', '2020-01-01', '--reason', 'x'], 'SQ043'],
])('%j is refused: exit 4, SQLSTATE and next step', async (args, sqlstate) => {
  const result = await run(...args, '--json');
  expect(result.code).toBe(4);
  const { error } = JSON.parse(result.stdout) as { error: Record<string, string> };
  expect(error['sqlstate']).toBe(sqlstate);
  expect(error['hint']).toMatch(/\w{3}/);
});

test.each([
  [['lower-counter', 'invoice', '--to', '1']],
  [['lower-counter', 'invoice', '--reason', 'x']],
  [['lower-counter', '--to', '1', '--reason', 'x']],
  [['lower-counter', 'invoice', '--to', 'one', '--reason', 'x']],
  [['remove-counter', 'invoice']],
  [['remove-counter', 'invoice', '--date', '1.1.2026', '--reason', 'x']],
])('usage error %j: exit 2', async (args) => {
  expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
});

test('level admin is not enough, and the error says who may', async () => {
  const role = await makeRole('cli_corrector');
  await database.execute(`select seqctl.grant_access('${role.name}', 'admin')`);
  const url = database.urlAs(role.name, role.password);
  for (const args of [
    lowering('2', '--reason', 'x'),
    ['remove-counter', 'invoice', ...acme, '--reason', 'x'],
  ]) {
    const refused = await runCli(args, { url });
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).toMatch(/\[42501\]\n/);
    expect(refused.stderr).toMatch(/Only the owner of schema seqctl, and members of that role, may/);
    expect(refused.stderr).not.toContain('level admin');
  }
});
