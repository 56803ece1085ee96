import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, inject, onTestFinished, test } from 'vitest';

import { quickScale } from '../../bench/lab.js';
import { measurements } from '../../bench/measurements/index.js';
import type { BenchReport } from '../../bench/run-bench.js';
import { ways } from '../../bench/ways.js';
import { runBuiltCli, startCli } from '../support/cli.js';
import { withClient } from '../support/connect.js';
import { createDatabase, useDatabase } from '../support/database.js';
import { settingsOf } from '../support/installer.js';
import { useRoles } from '../support/roles.js';
import { install } from '../../cli/installer/install.js';

const createRole = useRoles();
const database = useDatabase({ installed: false });

/** A file for --out, removed with the test. */
async function outFile(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'seqctl-bench-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return path.join(folder, 'result.json');
}

/** Name of the sandbox, from what the command told meanwhile. */
function sandboxIn(stderr: string): string {
  return /working in the temporary (?:database|schema) (\w+)/.exec(stderr)?.[1] ?? 'none';
}

async function databaseExists(name: string): Promise<boolean> {
  return withClient(inject('serverUrl'), async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    return rowCount === 1;
  });
}

test('the whole bench: every line, gaps and duplicates counted, nothing left behind', async () => {
  const out = await outFile();
  const result = await runBuiltCli([
    'bench',
    '--quick',
    '--json',
    '--out',
    out,
    '--database-url',
    database.url,
  ]);
  expect(result).toMatchObject({ code: 0 });
  const report = JSON.parse(result.stdout) as BenchReport;
  expect(JSON.parse(await readFile(out, 'utf8'))).toEqual(report);

  expect(report.results.map(({ work, rival }) => [work, rival])).toEqual(
    measurements.map(({ work, rival }) => [work(quickScale), rival]),
  );
  for (const { seqctl, rivalValue, ratio } of report.results) {
    expect(seqctl).toBeGreaterThan(0);
    expect(rivalValue).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(seqctl / rivalValue);
  }
  expect(report.ways.map(({ name }) => name)).toEqual(ways.map(({ name }) => name));
  const left = Object.fromEntries(report.ways.map((way) => [way.name, way]));
  for (const { rows, rollbacks } of report.ways) expect(Math.min(rows, rollbacks)).toBeGreaterThan(0);
  expect(left['seqctl']).toMatchObject({ gaps: 0, duplicates: 0, retries: 0 });
  expect(left['usual counter trigger']).toMatchObject({ gaps: 0, duplicates: 0 });
  expect(left['SEQUENCE']?.gaps).toBeGreaterThan(0);
  expect(left['max() + 1, no key']?.duplicates).toBeGreaterThan(0);
  expect(report.census).toMatchObject({ gaps: 0, duplicates: 0 });
  expect(report.census.rows).toBeGreaterThan(quickScale.rows * 6);
  expect(await databaseExists(sandboxIn(result.stderr))).toBe(false);
});

test('as text: a table within 80 columns', async () => {
  const args = ['bench', '--quick', '--only', 'one group', '--out', await outFile()];
  const { code, stdout } = await runBuiltCli([...args, '--database-url', database.url]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^server +PostgreSQL \d/);
  expect(stdout).toMatch(/^settings +fsync=o/m);
  expect(stdout).toMatch(/^ {2}COPY 2k, one group +\S+ s +\S+ s +\d+\.\d\d +≤2 +≤1\.5$/m);
  expect(stdout).toMatch(/ rows in this run: 0 gaps, 0 duplicates\.\n$/);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('--only with a text of no line: a usage error with the lines that there are, and nothing is written', async () => {
  const out = await outFile();
  const result = await runBuiltCli(['bench', '--quick', '--only', 'nosuchline', '--out', out]);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(/^error: no line of the bench has the text "nosuchline"\nhint: There are:\n/);
  for (const { work, rival } of measurements)
    expect(result.stderr).toContain(`  ${work(quickScale)}, ${rival}\n`);
  expect(result.stderr).toMatch(/ {2}ways\n$/);
  await expect(readFile(out)).rejects.toThrow('ENOENT');
});

test('--in-place without a database: a usage error', async () => {
  const result = await runBuiltCli(['bench', '--in-place'], { url: database.url });
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(/--in-place needs the database, with --database-url/);
});

test('--in-place, without CREATEDB: a schema, removed with its series and counters', async () => {
  const role = await createRole('bench_owner');
  const own = await createDatabase({ installed: false });
  onTestFinished(() => own.drop());
  await own.execute(`grant create on database ${own.name} to ${role.name}`);
  const url = own.urlAs(role.name, role.password);
  await install(settingsOf(url));
  await own.execute(`
    create table kept (day date, number bigint);
    select seqctl.create_series('kept', format => '{year}/{number}');
    select seqctl.attach('kept', series => 'kept', date_column => 'day');
    insert into kept (day) values ('2026-01-01'), ('2026-01-02')`);
  const state = `
    select
        (select json_agg(s.name) from seqctl.series s) as series,
        (select json_agg(c order by c.group_key) from seqctl.counter c) as counters,
        (select json_agg(a.target) from seqctl.attachment a) as attachments,
        (select json_agg(n.nspname order by 1) from pg_namespace n) as schemas,
        (select count(*) from pg_proc p where p.pronamespace = 'seqctl'::regnamespace) as functions`;
  const before = await own.rows(state);

  const args = ['bench', '--quick', '--only', 'ways', '--out', await outFile(), '--database-url', url];
  const refused = await runBuiltCli(args);
  expect(refused).toMatchObject({ code: 4, stdout: '' });
  expect(refused.stderr).toContain('--in-place');
  expect(await own.rows(state)).toEqual(before);

  const result = await runBuiltCli([...args, '--in-place']);
  expect(result).toMatchObject({ code: 0 });
  expect(result.stderr).toContain('temporary schema seqctl_bench_');
  expect(await own.rows(state)).toEqual(before);
});

test('a role without any right: says which one is missing, and makes nothing', async () => {
  const role = await createRole('bench_nobody');
  const url = database.urlAs(role.name, role.password);
  const args = ['bench', '--quick', '--out', await outFile(), '--database-url', url];
  const result = await runBuiltCli(args);
  expect(result).toMatchObject({ code: 4, stdout: '' });
  expect(result.stderr).toContain('may not create a database');
  expect(result.stderr).toContain(`alter role ${role.name} createdb`);
  const inPlace = await runBuiltCli([...args, '--in-place']);
  expect(inPlace).toMatchObject({ code: 4, stdout: '' });
  expect(inPlace.stderr).toContain('cannot work in place: seqctl is not installed');
  expect(await database.rows(`select from pg_namespace where nspname ~ '^seqctl'`)).toEqual([]);
});

test('SIGINT: exit code 4, and the temporary database is gone', async () => {
  const args = ['bench', '--only', 'ways', '--out', await outFile(), '--database-url', database.url];
  const { child, result } = startCli(args);
  let stderr = '';
  while (!stderr.includes('the ways people do it')) {
    const [text] = (await once(child.stderr ?? child, 'data')) as [string];
    stderr += text;
  }
  child.kill('SIGINT');
  const ended = await result;
  expect(ended).toMatchObject({ code: 4, stdout: '' });
  expect(ended.stderr).toMatch(/error: interrupted\nhint: Everything that was made/);
  expect(sandboxIn(ended.stderr)).toMatch(/^seqctl_bench_/);
  expect(await databaseExists(sandboxIn(ended.stderr))).toBe(false);
});
