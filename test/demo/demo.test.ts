import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, inject, onTestFinished, test } from 'vitest';

import { LiveBlock } from '../../demo/live.js';
import type { DemoReport } from '../../demo/run-demo.js';
import { runBuiltCli, startCli } from '../support/cli.js';
import { withClient } from '../support/connect.js';

/** For TMPDIR, removed with the test. The server may run as another user, who has to get through. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'seqctl-demo-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  return folder;
}

function databasesNamedIn(stderr: string): Promise<string[]> {
  const name = /temporary database (\w+)/.exec(stderr)?.[1];
  expect(name).toMatch(/^seqctl_demo_/);
  return withClient(inject('serverUrl'), async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where datname = $1',
      [name],
    );
    return rows.map(({ datname }) => datname);
  });
}

test('on a server of the user: a load of everything, no gap by seqctl, holes by the SEQUENCE', async () => {
  const result = await runBuiltCli([
    'demo',
    '--seconds',
    '2',
    '--json',
    '--database-url',
    inject('serverUrl'),
  ]);
  expect(result).toMatchObject({ code: 0 });
  const report = JSON.parse(result.stdout) as DemoReport;
  expect(report.gapless).toBe(true);
  expect(report.verify).toMatchObject({ ok: true, findings: [] });
  expect(report.runs.map(({ numbering }) => numbering)).toEqual(['seqctl', 'SEQUENCE']);
  for (const { tally, census } of report.runs) {
    expect(
      Math.min(tally.committed, tally.rolledBack, tally.savepoints, tally.failed, tally.killed),
    ).toBeGreaterThan(0);
    expect(census.map(({ company, year }) => `${company} ${year}`)).toEqual([
      'acme 2025',
      'acme 2026',
      'globex 2025',
      'globex 2026',
    ]);
  }
  const [ours = [], theirs = []] = report.runs.map(({ census }) => census);
  for (const { rows, highest, counter, gaps, duplicates, odd } of ours) {
    expect({ highest, counter, gaps, duplicates, odd }).toEqual({
      highest: rows,
      counter: rows,
      gaps: 0,
      duplicates: 0,
      odd: 0,
    });
  }
  expect(theirs.reduce((sum, { gaps }) => sum + gaps, 0)).toBeGreaterThan(0);
  expect(await databasesNamedIn(result.stderr)).toEqual([]);
});

test('on an embedded server: readable, and no process or folder stays', async () => {
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await runBuiltCli(['demo', '--seconds', '1'], { env: { TMPDIR: folder } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^seqctl +acme +2025 +(\d+) +\1 +\1 +0 +0$/m);
  expect(stdout).toContain('not one missing, not one twice');
  expect(stdout).toContain('npx seqctl install --database-url');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(stderr).toMatch(/^seqctl: 16 clients insert invoices, numbered by seqctl$/m);
  expect(stderr).not.toContain('\u001b');
  expect(await readdir(folder)).toEqual([]);
});

test('SIGINT: exit code 4, and the temporary database is gone', async () => {
  const { child, result } = startCli(['demo', '--seconds', '60', '--database-url', inject('serverUrl')]);
  let stderr = '';
  while (!stderr.includes('numbered by seqctl')) {
    const [text] = (await once(child.stderr ?? child, 'data')) as [string];
    stderr += text;
  }
  child.kill('SIGINT');
  const ended = await result;
  expect(ended).toMatchObject({ code: 4, stdout: '' });
  expect(ended.stderr).toContain('error: interrupted');
  expect(await databasesNamedIn(ended.stderr)).toEqual([]);
});

test('DATABASE_URL alone is not put under load', async () => {
  const folder = await temporaryFolder();
  const url = 'postgres://nobody@127.0.0.1:1/none';
  expect(await runBuiltCli(['demo', '--seconds', '1'], { url, env: { TMPDIR: folder } })).toMatchObject({
    code: 0,
  });
  const refused = await runBuiltCli(['demo', '--seconds', '1', '--database-url', url]);
  expect(refused).toMatchObject({ code: 3, stdout: '' });
});

test('a terminal shows progress in the same lines, none wider than the terminal', () => {
  let shown = '';
  const live = new LiveBlock((text) => (shown += text), { columns: 30 });
  live.show(['one', 'x'.repeat(50)], 'summary');
  live.show(['two', 'y'], 'summary');
  const escape = '\u001b';
  expect(shown).toBe(
    `${escape}[2Kone\n${escape}[2K${'x'.repeat(29)}\n${escape}[2A${escape}[2Ktwo\n${escape}[2Ky\n`,
  );
});
