import { expect, test } from 'vitest';

import { type CliResult, runCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';

const database = useDatabase();

const run = (...args: string[]): Promise<CliResult> => runCli(args, { url: database.url });
const json = async (...args: string[]): Promise<unknown> => {
  const result = await run(...args, '--json');
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(result.stdout) as unknown;
};
const isClosed = async (): Promise<boolean> =>
  (await database.rows(`select from seqctl.counters where series = 'invoice' and closed`)).length > 0;

test('close and reopen: what a user sees', async () => {
  await database.execute(`
    select seqctl.create_series('invoice', format => 'INV-{year}-{number:5}');
    select seqctl.next_number('invoice', 'acme', '2025-03-09');
    select seqctl.next_number('invoice', 'globex', '2025-03-09');
    select seqctl.next_number('invoice', 'acme', '2026-03-09')`);
  const dry = await run('close', 'invoice', '--date', '2025-12-31', '--dry-run');
  expect(dry).toEqual({
    code: 0,
    stderr: '',
    stdout:
      'period 2025 of series invoice would be closed for every group: 2 counters.\n\n' +
      'This was a dry run: nothing was changed.\n',
  });
  expect(await isClosed()).toBe(false);

  expect(await json('close', 'invoice', '--date', '2025-12-31', '--group', 'acme')).toEqual({
    series: 'invoice',
    period: '2025',
    group: 'acme',
    closed: true,
    changed: true,
    counters: 1,
    dryRun: false,
  });
  expect(await run('close', 'invoice', '--date', '2025-01-01')).toMatchObject({
    code: 0,
    stdout: 'period 2025 of series invoice is closed for every group: 1 counter.\n',
  });
  const again = await run('close', 'invoice', '--date', '2025-01-01');
  expect(again).toMatchObject({
    code: 0,
    stdout: 'period 2025 of series invoice was closed for every group already; nothing was changed.\n',
  });
  expect(again.stderr).toMatch(
    /^notice: period 2025 of series 'invoice' is closed already\ndetail: Closed by /,
  );

  expect((await run('counters')).stdout).toBe(
    'SERIES   GROUP   PERIOD  LAST  GIVEN  FIRST  MAX  CLOSED\n' +
      'invoice  acme    2025       1      1      1       closed\n' +
      'invoice  acme    2026       1      1      1\n' +
      'invoice  globex  2025       1      1      1       closed\n',
  );
  expect(await json('counters', '--period', '2025')).toMatchObject({
    counters: [{ closed: true }, { closed: true }],
  });

  const reason = `late "invoice"; <b>it's</b>`;
  expect(
    await run('reopen', 'invoice', '--date', '2025-06-30', '--reason', reason, '--dry-run'),
  ).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^period 2025 of series invoice would be open for every group: 2 counters\.\n\nThis was a dry run/,
    ) as string,
  });
  expect(await isClosed()).toBe(true);
  expect(await json('reopen', 'invoice', '--date', '2025-06-30', '--reason', reason)).toMatchObject({
    closed: false,
    changed: true,
    reason,
    dryRun: false,
  });
  expect(await isClosed()).toBe(false);

  expect((await run('series', 'show', 'invoice')).stdout).toMatch(
    /\n\nPERIOD +GROUP +WAS +AT +BY +REASON\n2025 +\(all\) +reopened +20.*late "invoice"; <b>it's<\/b>\n2025 +\(all\) +closed .*\n2025 +acme +closed .*\n$/,
  );
  expect(await json('series', 'show', 'invoice')).toMatchObject({
    closings: [
      { action: 'reopen', group: null, reason },
      { action: 'close' },
      { group: 'acme', reason: null },
    ],
  });
});

test('a period that has not ended, and a series that never resets', async () => {
  const closed = await run('close', 'invoice', '--date', '2999-06-30');
  expect(closed).toMatchObject({ code: 0 });
  expect(closed.stderr).toMatch(/^notice: period 2999 of series 'invoice' has not ended\ndetail: .*\nhint: /);
  await run('series', 'create', 'ticket', '--reset', 'never');
  expect(await run('close', 'ticket')).toMatchObject({
    code: 0,
    stdout: 'series ticket is closed for every group: 0 counters.\n',
  });
});

test('a date for a series that has no periods is refused: it would be closed for good', async () => {
  await run('series', 'create', 'badge', '--reset', 'never');
  const refusal = (act: string): object => ({
    code: 4,
    stdout: '',
    stderr:
      'error: series "badge" never resets: it has no periods that a date could name\n' +
      `detail: Nothing was changed.\nhint: Leave --date out to ${act}.\n`,
  });
  expect(await run('close', 'badge', '--date', '2025-12-31')).toEqual(refusal('close it for good'));
  await database.rows(`select seqctl.next_number('badge')`);
  await run('close', 'badge');
  const reopen = await run('reopen', 'badge', '--date', '2025-12-31', '--reason', 'x');
  expect(reopen).toEqual(refusal('reopen it'));
});

test('a group that has no counter yet is closed, and the notice says so', async () => {
  const closed = await run('close', 'invoice', '--date', '2024-12-31', '--group', 'nosuch');
  expect(closed).toEqual({
    code: 0,
    stdout: 'period 2024 of series invoice is closed for group nosuch: 0 counters.\n',
    stderr:
      'notice: there is no counter of group nosuch yet\n' +
      'detail: None will begin in this period: it is closed for a group of this name.\n' +
      'hint: If the name is misspelt, reopen it; seqctl counters shows how groups are written.\n',
  });
});

test.each([
  [['close', 'none', '--date', '2025-01-01'], 'SQ001'],
  [['close', 'invoice'], 'SQ011'],
  [['reopen', 'invoice', '--date', '2025-01-01', '--reason', ' '], 'SQ024'],
  [['series', 'alter', 'none', '--purpose', 'x'], 'SQ001'],
  [['series', 'alter', 'invoice', '--reset', 'monthly'], 'SQ023'],
  [['series', 'alter', 'invoice', '--clear', 'format'], 'SQ002'],
  [['series', 'alter', 'invoice', '--max-number', '0'], 'SQ002'],
])('%j is refused: exit 4, SQLSTATE and next step', async (args, sqlstate) => {
  const result = await run(...args, '--json');
  expect(result.code).toBe(4);
  const { error } = JSON.parse(result.stdout) as { error: Record<string, string> };
  expect(error['sqlstate']).toBe(sqlstate);
  expect(error['hint']).toMatch(sqlstate === 'SQ011' ? /--date/ : /\w{3}/);
});

test.each([
  [['close']],
  [['close', 'invoice', '--date', '31.12.2025']],
  [['close', 'invoice', '--date', '2025-02-30']],
  [['close', 'invoice', '--date', '']],
  [['close', 'invoice', '--date', '0000-01-01']],
  [['reopen', 'invoice', '--date', '2025-01-01']],
  [['series', 'alter']],
  [['series', 'alter', 'invoice', '--max-number', 'many']],
])('usage error %j: exit 2', async (args) => {
  expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
});

test('series alter: what a user sees', async () => {
  const dry = await run(
    'series',
    'alter',
    'invoice',
    '--format',
    '{year}/{number}',
    '--max-number',
    '500',
    '--dry-run',
  );
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toMatch(
    /^series invoice would have another format, max number now\.\n\nSERIES .*\ninvoice +\{year\}\/\{number\} .* 500\n\nThis was a dry run/,
  );
  expect(await json('series', 'show', 'invoice')).toMatchObject({
    series: { format: 'INV-{year}-{number:5}', maxNumber: null },
  });
  expect(
    await json(
      'series',
      'alter',
      'invoice',
      '--format',
      '{year}/{number}',
      '--max-number',
      '500',
      '--purpose',
      'sales',
    ),
  ).toMatchObject({
    series: { format: '{year}/{number}', maxNumber: '500', purpose: 'sales' },
    changed: ['format', 'maxNumber', 'purpose'],
    dryRun: false,
  });
  expect(await json('series', 'alter', 'invoice', '--clear', 'max-number,purpose')).toMatchObject({
    series: { maxNumber: null, purpose: null },
    changed: ['maxNumber', 'purpose'],
  });
  expect((await run('series', 'alter', 'invoice', '--format', '{year}/{number}')).stdout).toMatch(
    /^series invoice was left as it is\.\n/,
  );
});

test('status and verify warn from 90 %, with exit code 0', async () => {
  await run('series', 'create', 'short', '--reset', 'never', '--max-number', '10');
  await database.rows(`select seqctl.allocate('short', how_many => 8)`);
  expect((await run('status')).stdout).toMatch(/\nnear limit +nothing\n/);
  await database.rows(`select seqctl.allocate('short')`);
  const status = await run('status');
  expect(status.code).toBe(0);
  expect(status.stdout).toMatch(/\nnear limit +1 counter has used 90 % of the numbers: run seqctl verify\n/);
  expect(await json('status')).toMatchObject({
    nearLimit: {
      total: 1,
      counters: [
        {
          series: 'short',
          group: '',
          period: '',
          lastNumber: '9',
          lastPossible: '10',
          left: '1',
          limitedBy: 'max_number',
        },
      ],
    },
  });
  const verified = await run('verify', 'short');
  expect(verified.code).toBe(0);
  expect(verified.stdout).toMatch(
    /^Numbers\nSEVERITY .*\nwarning +short +1 number is left: the last was 9, max_number allows 10 +If the rules .*: seqctl series alter short --max-number …; else a new series\.\n/,
  );
  expect(verified.stdout).toMatch(/ 1 warning\.\n$/);
});
