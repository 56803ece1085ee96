import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

import { runProgram } from '../../cli/program.js';

/** What a run of `seqctl` left behind. */
export interface CliResult {
  /** Exit code; -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Passed as DATABASE_URL. */
  readonly url?: string;
  /** More environment variables. Nothing named PG* or DATABASE_URL is inherited. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
}

export const cliPath = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

/**
 * Runs a command line in this process, as main.ts has it run in one of its own: that takes several times as long to start as most
 * commands take. What only a process has is for `runBuiltCli`.
 */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(args, {
    env: environmentOf(options),
    signal: new AbortController().signal,
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
  });
  return { code, stdout, stderr };
}

/** Runs the built command and waits for its end. */
export function runBuiltCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).result;
}

/** Starts the built command, for tests that send signals or wait for locks. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [cliPath, ...args], {
    env: environmentOf(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const result = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  return { child, result };
}

function environmentOf({ url, env }: CliOptions): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(PG|DATABASE_URL|NO_COLOR|FORCE_COLOR|NODE_|VITEST)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...(url === undefined ? {} : { DATABASE_URL: url }), ...env };
}
