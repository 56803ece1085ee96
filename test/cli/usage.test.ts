import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { cliPath, runBuiltCli } from '../support/cli.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

test('--version is the version of package.json', async () => {
  expect(await runBuiltCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([
  [[]],
  [['no-such-command']],
  [['install', '--no-such-option']],
  [['install', '--lock-timeout', 'soon']],
])('usage error %j: exit code 2, on stderr', async (args) => {
  const result = await runBuiltCli(args);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(/hint: |Usage: /);
});

test('what cannot be written to standard output is one error', async () => {
  const full = spawn(process.execPath, [cliPath, '--help'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  let stderr = '';
  full.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(full, 'close')) as [number];
  expect({ code, stderr }).toEqual({
    code: 4,
    stderr: expect.stringMatching(
      /^error: could not write to standard output: ENOSPC.*\nhint: .*\n$/,
    ) as string,
  });
});

test.each([
  [['report', '--out', ''], /It is the name of a file/],
  [['report', '--out', 'report.pdf'], /a report is not written as \.pdf\nhint: Let the name end in \.html, /],
])('%j: exit code 2', async (args, message) => {
  const result = await runBuiltCli(args, { url: 'postgres://nobody@127.0.0.1:1/x' });
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(message);
});

test.each([
  [['--json'], 'no command was given'],
  [['series', '--json'], 'no command was given'],
  [['help', 'no-such-command', '--json'], "unknown command 'no-such-command'"],
  [['series', '--json', 'help', '--verbose', 'no-such-command'], "unknown command 'no-such-command'"],
  [['no-such-command', '--json'], "unknown command 'no-such-command'"],
  [['--json', 'install', '--no-such-option'], "unknown option '--no-such-option'"],
])('usage error %j: a JSON document as well', async (args, message) => {
  const result = await runBuiltCli(args);
  expect(result.code).toBe(2);
  expect(JSON.parse(result.stdout)).toEqual({
    error: {
      message,
      sqlstate: null,
      detail: null,
      hint: expect.stringContaining('--help') as string,
      exitCode: 2,
    },
  });
});

test('help of an unknown command says so, after the commands that there are', async () => {
  const result = await runBuiltCli(['help', 'no-such-command']);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(/^Usage: seqctl [^]*\nerror: unknown command 'no-such-command'\n$/);
});

test.each([[[]], [['install']], [['series', 'create']]])('-h is --help: %j', async (command) => {
  const long = await runBuiltCli([...command, '--help']);
  expect(await runBuiltCli([...command, '-h'])).toEqual(long);
  expect(long).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  [['help'], []],
  [['help', 'verify'], ['verify']],
  [['help', 'bench'], ['bench']],
  [['help', 'demo'], ['demo']],
  [
    ['series', 'help', 'show'],
    ['series', 'show'],
  ],
])('%j is --help of %j, no line longer than a terminal is wide', async (args, command) => {
  const help = await runBuiltCli(args);
  expect(help).toEqual(await runBuiltCli([...command, '--help']));
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test.each([['install'], ['uninstall'], ['version'], ['status']])('%s --help', async (command) => {
  const result = await runBuiltCli([command, '--help']);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout).toContain(`Usage: seqctl ${command}`);
  expect(result.stdout).toContain('--database-url');
});
