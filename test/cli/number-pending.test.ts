import { beforeAll, expect, test } from 'vitest';

import { type CliResult, runCli, startCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { issued, makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { waitUntilPidBlocked } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

const run = (...args: string[]): Promise<CliResult> =>
  runCli(['number-pending', ...args], { url: database.url });

const fill = (table: string, rows: number): Promise<void> =>
  database.execute(`insert into ${table} (company, status, issued_on)
    select 'c' || n % 2, case n % 5 when 0 then 'draft' else 'issued' end, date '2026-01-01' + n from generate_series(1, ${rows}) n`);

beforeAll(async () => {
  await makeDocuments(database, 'papers', { assign: 'manual' });
});

test('dry run, check, steps, the rest: what a user sees', async () => {
  await fill('papers', 100);
  const dry = await run('papers', '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toBe(
    '80 rows of public.papers are to be numbered.\n\n' +
      'SERIES  GROUP  PERIOD  PENDING\n' +
      'papers  c0     2026         40\n' +
      'papers  c1     2026         40\n\n' +
      'This was a dry run: nothing was changed.\n',
  );
  const check = await run('papers', '--check', '--json');
  expect(check).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse(check.stdout)).toEqual({
    target: 'public.papers',
    numberColumn: 'number',
    series: 'papers',
    pendingRows: '80',
    counters: [
      { group: 'c0', period: '2026', rows: '40' },
      { group: 'c1', period: '2026', rows: '40' },
    ],
    omittedCounters: 0,
    dryRun: false,
  });
  expect((await run('papers', '--dry-run', '--max-rows', '3')).stdout).toMatch(/^3 rows /);
  expect(await database.rows('select from papers where number is not null')).toEqual([]);

  expect(await run('papers', '--max-rows', '7')).toEqual({
    code: 0,
    stdout: '7 rows of public.papers were numbered; 80 had been pending.\n',
    stderr: '',
  });
  const batches = await run('papers', '--batch', '20', '--max-rows', '50');
  expect(batches).toEqual({
    code: 0,
    stdout: '50 rows of public.papers were numbered in 3 transactions; 73 had been pending.\n',
    stderr: 'seqctl: 0 of 50 rows\nseqctl: 20 of 50 rows\nseqctl: 40 of 50 rows\nseqctl: 50 of 50 rows\n',
  });
  const rest = await run('papers', '--json');
  expect(rest).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(rest.stdout)).toEqual({
    target: 'public.papers',
    numberColumn: 'number',
    numbered: '23',
    steps: 1,
    pendingBefore: '23',
    dryRun: false,
  });
  expect((await run('papers')).stdout).toBe('0 rows of public.papers were numbered.\n');
  expect(await run('papers', '--check')).toEqual({
    code: 0,
    stdout: '0 rows of public.papers are pending.\n',
    stderr: '',
  });
  await expectExact(database);
});

test('a dry run is refused for what the real run is refused for, and changes nothing', async () => {
  await makeDocuments(database, 'late', { assign: 'manual' });
  await fill('late', 5);
  await database.rows(`select seqctl.close_period('late', '2026-06-30')`);
  const real = await run('late');
  expect(real).toMatchObject({ code: 4, stdout: '' });
  expect(real.stderr).toMatch(/period 2026 of series 'late' is closed \[SQ020\]/);
  expect(await run('late', '--dry-run')).toEqual(real);
  await database.rows(`select seqctl.reopen_period('late', '2026-06-30', reason => 'a test')`);
  expect(await run('late', '--dry-run')).toMatchObject({ code: 0, stderr: '' });
  expect(await database.rows('select from late where number is not null')).toEqual([]);
  expect(await database.rows(`select from seqctl.counters where series = 'late'`)).toEqual([]);
});

test('status shows how an attachment is numbered and what waits', async () => {
  await makeDocuments(database, 'shown', { assign: 'manual', chronology: 'enforce', protect: false });
  await fill('shown', 10);
  const status = await runCli(['status'], { url: database.url });
  expect(status).toMatchObject({ code: 0, stderr: '' });
  expect(status.stdout).toMatch(/\nTABLE .* ASSIGN +ISSUE WHEN +CHRONOLOGY +PROTECT +INDEX +PENDING\n/);
  expect(status.stdout).toMatch(
    /\npublic\.shown .* manual +\(?status = 'issued'::text\)? +enforce +no +\S+ +8\n/,
  );
  const { attachments } = JSON.parse((await runCli(['status', '--json'], { url: database.url })).stdout) as {
    attachments: Record<string, unknown>[];
  };
  expect(attachments.find(({ target }) => target === 'public.shown')).toMatchObject({
    assign: 'manual',
    issueWhen: expect.stringContaining(`status = 'issued'::text`) as string,
    chronology: 'enforce',
    protect: false,
    pendingRows: '8',
  });
  // It waits for nobody.
  const a = await database.session('A');
  await a.query('begin');
  await a.query('lock table shown in access exclusive mode');
  const unknown = await runCli(['status'], { url: database.url });
  expect(unknown.stdout).toMatch(
    /\npublic\.shown .* \?\n\nPENDING \? was not counted: this role may not read the table, it is locked /,
  );
  await a.query('rollback');
});

test('attach takes the condition and the rest', async () => {
  await database.execute(
    `create table orders (id int primary key, status text, d date, number bigint); select seqctl.create_series('order')`,
  );
  const args = ['attach', 'orders', '--series', 'order', '--date-column', 'd', '--issue-when', issued];
  const attached = await runCli(
    [...args, '--assign', 'commit', '--chronology', 'stamp', '--no-protect', '--json'],
    {
      url: database.url,
    },
  );
  expect(attached).toMatchObject({ code: 0 });
  expect(JSON.parse(attached.stdout)).toMatchObject({
    attachment: {
      assign: 'commit',
      chronology: 'stamp',
      protect: false,
      issueWhen: expect.stringContaining('status') as string,
    },
  });
  await runCli(['detach', 'orders'], { url: database.url });
  const plain = await runCli([...args.slice(0, 6), '--json'], { url: database.url });
  expect(JSON.parse(plain.stdout)).toMatchObject({
    attachment: { assign: 'insert', chronology: 'off', protect: true, issueWhen: null },
  });
  await runCli(['detach', 'orders'], { url: database.url });
  const refused = await runCli([...args.slice(0, 6), '--issue-when', `true); drop table orders; --`], {
    url: database.url,
  });
  expect(refused).toMatchObject({ code: 4, stdout: '' });
  expect(refused.stderr).toMatch(/issue_when.* \[SQ019\]\n(.*\n)*hint: /);
  expect(await runCli([...args, '--assign', 'later'], { url: database.url })).toMatchObject({
    code: 2,
    stdout: '',
  });
  await database.execute('drop table orders');
});

test.each([
  [['nonsense'], /no such table/],
  [['pg_class'], /is not attached/],
  [['papers', '--number-column', 'nonsense'], /is not attached/],
  [[`x'; drop table papers; --`], /no such table/],
])('%j: exit 4 with the next step', async (args, message) => {
  for (const more of [[], ['--dry-run'], ['--check'], ['--batch', '5']]) {
    const result = await run(...args, ...more, '--json');
    expect(result.code).toBe(4);
    const { error } = JSON.parse(result.stdout) as { error: Record<string, string> };
    expect(error['message']).toMatch(message);
    expect(error['hint']).toBeTruthy();
  }
});

test.each([
  [[]],
  [['papers', '--batch', '0']],
  [['papers', '--max-rows', '-1']],
  [['papers', '--batch', 'x']],
])('usage error %j: exit 2', async (args) => {
  expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
});

test('a step that fails: what was committed stays, and the message says so', async () => {
  await makeDocuments(database, 'filled', {
    assign: 'manual',
    issueWhen: null,
    series: `format => '{group}-{year}-{number}', max_number => 25`,
  });
  await database.execute(`insert into filled (note) select n from generate_series(1, 40) n`);
  const whole = await run('filled');
  expect(whole).toMatchObject({ code: 4, stdout: '' });
  expect(await database.rows(`select from filled where number is not null`)).toEqual([]);
  const steps = await run('filled', '--batch', '10');
  expect(steps).toMatchObject({ code: 4, stdout: '' });
  expect(steps.stderr).toMatch(
    /error: 20 rows were numbered and stay; then: .* \[SQ014\]\n(.*\n)*hint: (.*\n *)*Run the command again/,
  );
  expect(await database.rows(`select from filled where number is not null`)).toHaveLength(20);
  await expectExact(database);
});

/** The backend that waits for `by`; the command may have a second one, which watches who blocks the first. */
async function blockedBackend(by: number): Promise<number> {
  for (;;) {
    const [row] = await database.rows<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'seqctl' and $1 = any (pg_blocking_pids(pid))`,
      [by],
    );
    if (row !== undefined) return row.pid;
  }
}

test('SIGINT: a whole is rolled back, of steps the current one is finished', async () => {
  await makeDocuments(database, 'long', { assign: 'manual', issueWhen: null });
  await database.execute(`
    create function wait_for_tester() returns trigger language plpgsql as $$
    begin if new.id = 15 then perform pg_advisory_xact_lock(4711); end if; return new; end $$;
    create trigger a_wait before update on long for each row execute function wait_for_tester();
    insert into long (note) select n from generate_series(1, 40) n`);
  const a = await database.session('A');
  for (const isSteps of [false, true]) {
    await a.query('select pg_advisory_lock(4711)');
    const running = startCli(['number-pending', 'long', ...(isSteps ? ['--batch', '10'] : [])], {
      url: database.url,
    });
    let heard = '';
    const warned = new Promise<void>((resolve) => {
      running.child.stderr?.on('data', (text: string) => {
        heard += text;
        if (heard.includes('stopping')) resolve();
      });
    });
    await waitUntilPidBlocked(database.url, await blockedBackend(a.pid), 'seqctl', a);
    running.child.kill('SIGINT');
    if (isSteps) await warned;
    else await running.result;
    await a.query('select pg_advisory_unlock(4711)');
    const result = await running.result;
    expect(result).toMatchObject({ code: 4, stdout: '' });
    const numbered = await database.rows('select from long where number is not null');
    if (isSteps) {
      expect(result.stderr).toMatch(/seqctl: stopping after this step; interrupt again to end at once\n/);
      expect(result.stderr).toMatch(/error: 20 rows were numbered and stay; then: interrupted\n/);
      expect(numbered).toHaveLength(20);
    } else {
      expect(result.stderr).toMatch(/^error: interrupted/);
      expect(numbered).toEqual([]);
    }
  }
  await database.execute('drop trigger a_wait on long');
  await run('long');
  await expectExact(database);
});

test('a role of level issue', async () => {
  const { name, password } = await makeRole('issuer');
  const url = database.urlAs(name, password);
  await fill('papers', 20);
  await runCli(['grant', name, 'read'], { url: database.url });
  expect(await runCli(['number-pending', 'papers'], { url })).toMatchObject({ code: 4, stdout: '' });
  await runCli(['grant', name, 'issue'], { url: database.url });
  // It may not read the table, so nobody can tell how far it is.
  const result = await runCli(['number-pending', 'papers', '--batch', '5'], { url });
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toBe('16 rows of public.papers were numbered in 4 transactions.\n');
  for (const reading of ['--dry-run', '--check']) {
    const refused = await runCli(['number-pending', 'papers', reading], { url });
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).toMatch(
      /^error: could not count the pending rows of public\.papers: permission denied for table papers \[42501\]\nhint: To count them, the role needs SELECT /,
    );
  }
  await fill('papers', 2);
  expect(await runCli(['number-pending', 'papers', '--batch', '1'], { url })).toEqual({
    code: 0,
    stdout: '2 rows of public.papers were numbered in 2 transactions.\n',
    stderr: 'seqctl: 0 rows\nseqctl: 1 rows\nseqctl: 2 rows\n',
  });
  await expectExact(database);
});

test('rows from before attach: attach says so, and number-pending how they get numbers', async () => {
  await database.execute(`
    create table late_comers (id int primary key, number bigint);
    insert into late_comers values (1);
    select seqctl.create_series('late_comers', reset => 'never')`);
  const attached = await runCli(['attach', 'late_comers', '--series', 'late_comers'], { url: database.url });
  expect(attached.code).toBe(0);
  expect(attached.stderr).toMatch(
    /^warning: public\.late_comers has rows without a number, which stay as they are\n/,
  );
  const refused = await run('late_comers');
  expect(refused).toMatchObject({ code: 4, stdout: '' });
  expect(refused.stderr).toContain(
    "hint: To number them, in one transaction: detach, attach with assign => 'manual'",
  );

  // What the hint says.
  await database.execute(`
    begin;
    select seqctl.detach('late_comers', 'number');
    select seqctl.attach('late_comers', 'late_comers', assign => 'manual');
    select seqctl.number_pending('late_comers');
    select seqctl.detach('late_comers', 'number');
    select seqctl.attach('late_comers', 'late_comers');
    commit;
    insert into late_comers values (2)`);
  expect(await database.rows('select number from late_comers order by id')).toEqual([
    { number: '1' },
    { number: '2' },
  ]);
});
