import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { embeddedMajors } from '../../embedded/binaries.js';
import { startEmbeddedServer } from '../../embedded/server.js';
import { install } from '../../cli/installer/install.js';
import { withClient } from '../support/connect.js';
import { type CliResult, cliPath, runCli, startCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { settingsOf } from '../support/installer.js';
import { waitForBackend, waitUntilPidBlocked } from '../support/session.js';
import { fourHundred, million } from '../support/report.js';
import { inDatabase, unprotectedInvoices, untriggered } from '../support/verify.js';

const database = useDatabase();
const bare = useDatabase({ installed: false });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'seqctl-report-'));
  await database.execute(fourHundred);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...args: string[]): Promise<CliResult> => runCli(['report', ...args], { url: database.url });

test('a page in a file: what a user sees, and exit code 1 for unexplained gaps', async () => {
  const out = path.join(folder, 'report.html');
  expect(await run('--out', out)).toEqual({
    code: 1,
    stderr: '',
    stdout: `16 numbers missing, 4 without a reason; 4 errors, 0 warnings. The report is in ${out}.\n`,
  });
  const page = await readFile(out, 'utf8');
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain(`Document numbers in database ${database.name}`);
  expect(await run('--out', out, '--json')).toMatchObject({
    code: 1,
    stdout: `{\n  "out": ${JSON.stringify(out)},\n  "format": "html",\n  "ok": false,\n  "errors": 4,\n  "warnings": 0,\n  "unexplained": "4",\n  "explained": "12",\n  "notCompared": 0\n}\n`,
  });
});

test('without --out the report itself is on standard output', async () => {
  expect((await run()).stdout).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
  const { code, stdout, stderr } = await run('--json');
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  const document = JSON.parse(stdout) as Record<string, unknown>;
  expect(document).toMatchObject({
    database: database.name,
    ok: false,
    errors: 4,
    only: null,
    findings: [],
    series: [{ series: { name: 'invoice' }, given: '490', missing: { explained: '12', unexplained: '4' } }],
  });
  const again = JSON.parse((await run('--format', 'json')).stdout) as Record<string, unknown>;
  expect({ ...again, madeAt: null }).toEqual({ ...document, madeAt: null });
  expect(await run('--json', '--format', 'csv')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--json and --format csv both say') as string,
  });
});

test('CSV: a row a fact, by RFC 4180; no text of it is a formula', async () => {
  await database.execute(`
    select seqctl.create_series('=1+1');
    select seqctl.create_series('@"x", y', purpose => E'-2\\n+3');`);
  const out = path.join(folder, 'report.csv');
  expect(await run('--out', out)).toMatchObject({ code: 1 });
  const text = await readFile(out, 'utf8');
  const [titles = [], ...rows] = parseCsv(text);
  expect(titles.join(',')).toBe(
    'record,series,group,period,from,to,numbers,state,reason,recorded_by,recorded_at,number_before,date_before,number_after,date_after,next_step,correlation_id,expires_at,hash',
  );
  for (const row of rows) expect(row).toHaveLength(titles.length);
  const records = rows.map((row) =>
    Object.fromEntries(titles.map((title, index) => [title, row[index] ?? ''])),
  );
  const briefly = (record: string): string[] =>
    records
      .filter((one) => one['record'] === record)
      .map((one) =>
        [one['series'], one['period'], one['from'], one['to'], one['numbers'], one['state']].join(' '),
      );
  expect(briefly('counter')).toEqual(['invoice 2026 1 400 400 open', 'invoice 2025 1 90 90 closed']);
  expect(briefly('gap')).toEqual([
    'invoice 2026 17 17 1 unexplained',
    'invoice 2026 131 131 1 unexplained',
    'invoice 2026 300 300 1 unexplained',
    'invoice 2026 400 400 1 unexplained',
    'invoice 2026 42 44 3 void',
    'invoice 2026 250 258 9 void',
  ]);
  expect(briefly('missing')).toEqual(['invoice 2026   4 unexplained', 'invoice 2026   12 explained']);
  expect(briefly('void')).toHaveLength(3);
  expect(records.find(({ from, record }) => record === 'gap' && from === '42')).toMatchObject({
    group: 'acme',
    reason: 'printer jam; the sheets are in the file',
    number_before: '41',
    date_before: '2026-01-21',
    number_after: '45',
    next_step: '',
  });
  const names = records
    .filter(({ record }) => record === 'series')
    .map(({ series, reason }) => [series, reason]);
  expect(names).toEqual([
    ["'=1+1", ''],
    [`'@"x", y`, "'-2\n+3"],
    ['invoice', 'Invoices to customers'],
  ]);
  expect(text).toMatch(/^[^\n]*\r\n/);
  expect(text.endsWith('\r\n')).toBe(true);
});

test('a failed run keeps the old file and leaves nothing beside it', async () => {
  const own = path.join(folder, 'own');
  await mkdir(own);
  const out = path.join(own, 'report.html');
  await writeFile(out, 'the old one', { mode: 0o640 });
  const link = path.join(own, 'latest.html');
  await symlink(out, link);
  expect(await runCli(['report', '--out', link], { url: bare.url })).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringContaining('seqctl is not installed in database') as string,
  });
  expect(await run('--out', out, '--series', 'nothing')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('series "nothing" does not exist') as string,
  });
  expect(await runCli(['report', '--out', out], { url: 'postgres://nobody@127.0.0.1:1/x' })).toMatchObject({
    code: 3,
  });
  expect(await readFile(out, 'utf8')).toBe('the old one');
  expect((await readdir(own)).sort()).toEqual(['latest.html', 'report.html']);

  // A link stays one, and what it leads to keeps its rights.
  expect(await run('--out', link)).toMatchObject({ code: 1 });
  expect(await readFile(out, 'utf8')).toMatch(/^<!doctype html>/);
  expect((await stat(out)).mode & 0o777).toBe(0o640);
  expect((await readdir(own)).sort()).toEqual(['latest.html', 'report.html']);
});

test('SIGINT while it reads: nothing is left', async () => {
  const own = path.join(folder, 'interrupted');
  await mkdir(own);
  const blocker = await database.session('blocker');
  await blocker.query('begin');
  await blocker.query('lock table invoices in access exclusive mode');
  const { child, result } = startCli(['report', '--out', path.join(own, 'report.html')], {
    url: database.url,
  });
  const pid = await waitForBackend(database.url, 'seqctl');
  await waitUntilPidBlocked(database.url, pid, 'seqctl report', blocker);
  expect(await readdir(own)).toEqual([expect.stringMatching(/^\.report\.html\./)]);
  child.kill('SIGINT');
  expect(await result).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringMatching(/^error: interrupted/) as string,
  });
  expect(await readdir(own)).toEqual([]);
  await blocker.query('rollback');
});

test('a file that cannot be written is known before the database is read', async () => {
  const url = 'postgres://nobody@127.0.0.1:1/x';
  expect(await runCli(['report', '--out', folder], { url })).toEqual({
    code: 4,
    stdout: '',
    stderr: `error: could not write ${folder}: it is a directory\nhint: Choose another file with --out.\n`,
  });
  const missing = path.join(folder, 'no', 'report.html');
  expect(await runCli(['report', '--out', missing], { url })).toMatchObject({
    code: 4,
    stderr: expect.stringContaining(`could not write ${missing}: ENOENT`) as string,
  });
  // A device is written to, not replaced.
  expect(await run('--out', '/dev/null')).toMatchObject({ code: 1 });
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
});

test.each([
  ['--out /dev/stdout --format csv | cat', /^record,series,/],
  ['--out /dev/stdout --format csv | head -n 1', /^record,series,[^\n]*\n$/],
  // The sentence may come first: these are two writers.
  ['--out >(cat) --format csv | cat', /^record,series,/m],
])('a pipe is written to: %s', async (line, expected) => {
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['-c', `'${process.execPath}' '${cliPath}' report ${line}`],
    { env: { ...process.env, DATABASE_URL: database.url } },
  );
  expect(stderr).toBe('');
  expect(stdout).toMatch(expected);
  expect((await stat('/dev/stdout')).isFile()).toBe(false);
});

test('a link to a file that is not there yet stays a link', async () => {
  const own = path.join(folder, 'dangling');
  await mkdir(own);
  await symlink('target.html', path.join(own, 'b.html'));
  await symlink('../dangling/b.html', path.join(own, 'a.html'));
  expect(await run('--out', path.join(own, 'a.html'))).toMatchObject({ code: 1 });
  expect((await lstat(path.join(own, 'a.html'))).isSymbolicLink()).toBe(true);
  expect(await readFile(path.join(own, 'target.html'), 'utf8')).toMatch(/^<!doctype html>/);
  expect((await readdir(own)).sort()).toEqual(['a.html', 'b.html', 'target.html']);
});

test('gaps --limit lists as many as are asked for', async () => {
  const gaps = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await runCli(['gaps', '--json', ...args], { url: database.url })).stdout);
  expect(await gaps('--limit', '1')).toMatchObject({ unexplained: 4, explained: 2, omitted: 4 });
  expect(await gaps('--limit', '4')).toMatchObject({ omitted: 0 });
  expect((await runCli(['gaps', '--limit', '2'], { url: database.url })).stdout).toContain(
    '… and 2 more gaps: --limit lists more.',
  );
});

test('on a standby', async () => {
  const major = embeddedMajors.find((known) => String(known) === process.env['SEQCTL_TEST_PG']) ?? 18;
  const server = await startEmbeddedServer({ major, durable: true });
  try {
    await install(settingsOf(server.url));
    await withClient(server.url, (client) =>
      client.query(`${unprotectedInvoices} ${untriggered('delete from invoices where number = 2')}`),
    );
    await writeFile(path.join(server.directory, 'data', 'standby.signal'), '');
    await server.crash();
    const { code, stdout, stderr } = await runCli(['report', '--json'], { url: server.url });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      isStandby: true,
      series: [{ missing: { explained: '0', unexplained: '1' }, months: { undated: '0' } }],
    });
  } finally {
    await server.stop();
  }
});

/** Records of RFC 4180; throws where a quote stands where none may be. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  const record: string[] = [];
  let end = 0;
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy)) {
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') records.push(record.splice(0));
    end = match.index + match[0].length;
  }
  if (end !== text.length || record.length > 0) throw new Error(`not RFC 4180 from ${end} on`);
  return records;
}

test('gaps in pieces are one JSON document, or one table', () =>
  inDatabase(million('select generate_series(1, 49999, 2)', 50_000), async ({ url }) => {
    const json = await runCli(['gaps', '--json', '--limit', '24999'], { url });
    expect(json).toMatchObject({ code: 1, stderr: '' });
    const document = JSON.parse(json.stdout) as { gaps: { from: string }[] };
    expect(document).toMatchObject({ ok: false, unexplained: 25_000, omitted: 1 });
    expect(document.gaps.map(({ from }) => Number(from))).toEqual(
      Array.from({ length: 24_999 }, (_, n) => 2 * (n + 1)),
    );
    const { stdout } = await runCli(['gaps', '--limit', '25000'], { url });
    const lines = stdout.split('\n');
    expect(lines.filter((line) => /^SERIES +GROUP/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('million  '))).toHaveLength(25_000);
    expect(lines.slice(-4)).toEqual([
      expect.stringMatching(/ 50000 .* unexplained$/),
      '',
      '25000 gaps unexplained, 0 explained.',
      '',
    ]);
  }));
