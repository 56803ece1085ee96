import { expect, test } from 'vitest';

import { type CliResult, runCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';
import { unprotectedInvoices as invoices, untriggered } from '../support/verify.js';

const makeRole = useRoles();
const database = useDatabase();

const run = (...args: string[]): Promise<CliResult> => runCli(args, { url: database.url });

/** A void of acme's number in 2026. */
const voiding = (from: string, ...more: string[]): string[] => [
  'void',
  'invoice',
  '--from',
  from,
  '--date',
  '2026-03-09',
  '--group',
  'acme',
  ...more,
];

test('void and gaps: what a user sees', async () => {
  await database.execute(`${invoices}
    insert into invoices (company_id, issued_on) select 'acme', '2026-05-01' from generate_series(1, 5)`);
  expect(await run('gaps')).toEqual({
    code: 0,
    stderr: '',
    stdout: 'No number is missing: compared 10 numbers of 3 counters.\n',
  });
  await database.execute(`delete from invoices where issued_on = '2026-05-01' and number in (4, 6, 7)`);
  const open = await run('gaps', '--series', 'invoice');
  expect(open).toMatchObject({ code: 1, stderr: '' });
  expect(open.stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'SERIES | GROUP | PERIOD | FROM | TO | AFTER | BEFORE | STATE | REASON',
    'invoice | acme | 2026 | 4 | 4 | 3 (2026-01-04) | 5 (2026-05-01) | unexplained',
    'invoice | acme | 2026 | 6 | 7 | 5 (2026-05-01) | 8 (2026-05-01) | unexplained',
    '',
    '2 gaps unexplained, 0 explained.',
    '',
  ]);

  const dry = await run(...voiding('4', '--reason', 'printer jam', '--dry-run'));
  expect(dry).toEqual({
    code: 0,
    stderr: '',
    stdout:
      'number 4 of invoice / acme / 2026 would be void: printer jam\n\nThis was a dry run: nothing was changed.\n',
  });
  expect(await database.rows('select from seqctl.voids')).toEqual([]);
  expect(await run(...voiding('4', '--reason', 'printer jam'))).toEqual({
    code: 0,
    stderr: '',
    stdout: 'number 4 of invoice / acme / 2026 is void: printer jam\n',
  });
  const range = await run(...voiding('6', '--to', '7', '--reason', 'lost', '--json'));
  expect(JSON.parse(range.stdout)).toEqual({
    series: 'invoice',
    group: 'acme',
    period: '2026',
    from: '6',
    to: '7',
    reason: 'lost',
    dryRun: false,
  });

  const gaps = await run('gaps', '--json');
  expect(gaps).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(gaps.stdout)).toMatchObject({
    ok: true,
    unexplained: 0,
    explained: 2,
    omitted: 0,
    gaps: [
      {
        series: 'invoice',
        group: 'acme',
        period: '2026',
        from: '4',
        to: '4',
        explanation: { kind: 'void', reason: 'printer jam', recordedBy: 'postgres' },
        before: { number: '3', date: '2026-01-04' },
        after: { number: '5', date: '2026-05-01' },
      },
      { from: '6', to: '7', explanation: { reason: 'lost' } },
    ],
  });
  const verified = await run('verify');
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).toMatch(
    /\ninfo +invoice \/ acme \/ 2026 +number 4 is void: printer jam +Recorded by postgres on /,
  );
  expect(verified.stdout).toMatch(
    / is as it should be: every missing number is explained, none is there twice\.\n$/,
  );
});

test('one group, and a series without a table', async () => {
  await run('series', 'create', 'hand', '--reset', 'never');
  const zeta = await run('gaps', '--group', 'zeta');
  expect(zeta).toMatchObject({
    code: 0,
    stdout: 'No number is missing: compared 1 number of 1 counter.\n',
  });
  expect(await run('gaps', '--series', 'hand')).toMatchObject({
    code: 0,
    stdout: 'Not compared, because no table is attached: hand.\n\nNo number was given yet.\n',
  });
});

test.each([
  [voiding('1', '--reason', ' '), 'SQ024'],
  [voiding('99', '--reason', 'x'), 'SQ027'],
  [voiding('2', '--to', '1', '--reason', 'x'), 'SQ027'],
  [['void', 'invoice', '--from=-1', '--date', '2026-01-01', '--group', 'acme', '--reason', 'x'], 'SQ027'],
  [voiding('4', '--reason', 'x'), 'SQ028'],
  [['void', 'none', '--from', '1', '--reason', 'x'], 'SQ001'],
  [['void', 'invoice', '--from', '1', '--reason', 'x'], 'SQ011'],
  [['gaps', '--series', 'none'], 'SQ001'],
])('%j is refused: exit 4, SQLSTATE and next step', async (args, sqlstate) => {
  const result = await run(...args, '--json');
  expect(result.code).toBe(4);
  const { error } = JSON.parse(result.stdout) as { error: Record<string, string> };
  expect(error['sqlstate']).toBe(sqlstate);
  expect(error['hint']).toMatch(/\w{3}/);
});

test.each([
  [['void', 'invoice', '--from', '1']],
  [['void', 'invoice', '--reason', 'x']],
  [['void', '--from', '1', '--reason', 'x']],
  [['void', 'invoice', '--from', 'one', '--reason', 'x']],
  [['void', 'invoice', '--from', '1', '--date', '1.1.2026', '--reason', 'x']],
  [['gaps', 'invoice']],
])('usage error %j: exit 2', async (args) => {
  expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
});

test('names and reasons of every odd character stay on their line, and JSON has them as they are', async () => {
  const name = `<b>it's</b> "x" & %s`;
  const group = `g\u001b[2J\n<script>alert(1)</script>\u202e`;
  const reason = `r\u001b]0;x\u0007\r\n<img src=x> \u{1f600}`;
  await database.rows(`select seqctl.create_series($1, reset => 'never', format => '{group}{number}')`, [
    name,
  ]);
  await database.execute(`create table "odd; <t>" (g text, number bigint, "doc""" text)`);
  await database.rows(
    `select seqctl.attach('"odd; <t>"', $1, group_columns => '{g}', document_number_column => 'doc"', protect => false)`,
    [name],
  );
  await database.rows(`insert into "odd; <t>" select $1 from generate_series(1, 4)`, [group]);
  await database.execute(untriggered(`delete from "odd; <t>" where number in (2, 4)`));
  await database.execute(untriggered(`update "odd; <t>" set "doc""" = E'\\u0007bell' where number = 3`));
  const voided = await run('void', name, '--from', '2', '--group', group, '--reason', reason);
  expect(voided.code).toBe(0);
  for (const command of [
    ['gaps', '--series', name],
    ['verify', name],
  ]) {
    const { code, stdout } = await run(...command);
    expect(code).toBe(1);
    for (const text of [stdout, voided.stdout]) {
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(text).toContain('<script>');
      expect(text).toContain('\\u{1b}[2J\\n');
    }
  }
  expect((await run('gaps', '--series', name)).stdout.trimEnd().split('\n')).toHaveLength(5);
  const { gaps } = JSON.parse((await run('gaps', '--json', '--series', name)).stdout) as {
    gaps: { group: string; from: string; explanation: { reason: string } | null }[];
  };
  expect(gaps.map((gap) => [gap.group, gap.from, gap.explanation?.reason])).toEqual([
    [group, '4', undefined],
    [group, '2', reason],
  ]);
});

test('a role without rights, and a reader', async () => {
  for (const level of ['none', 'read'] as const) {
    const role = await makeRole(`cli_void_${level}`);
    const url = database.urlAs(role.name, role.password);
    if (level === 'read') await database.execute(`select seqctl.grant_access('${role.name}', 'read')`);
    const refused = await runCli(voiding('1', '--reason', 'x'), { url });
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).toMatch(/\[42501\]\n/);
    const gaps = await runCli(['gaps', '--series', 'invoice'], { url });
    if (level === 'none') {
      expect(gaps).toMatchObject({ code: 4, stdout: '' });
    } else {
      expect(gaps).toMatchObject({ code: 1, stderr: '' });
      expect(gaps.stdout).toMatch(
        /^series invoice: its numbers were not checked: permission denied .*\n\nNot every number could be read\.\n$/,
      );
      await database.execute(`grant select on invoices to ${role.name}`);
      expect(await runCli(['gaps', '--series', 'invoice'], { url })).toMatchObject({ code: 0 });
    }
  }
});
