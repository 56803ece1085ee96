import { setTimeout as delay } from 'node:timers/promises';

import { withConnection } from '../cli/connection/connect.js';
import type { Streams } from '../cli/output.js';
import { verify, type VerifyReport } from '../cli/verify/verify.js';
import { type Sandbox, type SandboxOptions, withSandbox } from '../sandbox/sandbox.js';
import { LiveBlock, type Terminal } from './live.js';
import { clientCount, startLoad, type Tally } from './load.js';
import {
  type Census,
  createSeqctlTable,
  createSequenceTable,
  type LastNumber,
  type Numbering,
  readLastNumbers,
  seriesOf,
  tableOf,
  takeCensus,
} from './tables.js';

export interface DemoOptions extends Pick<
  SandboxOptions,
  'server' | 'inPlace' | 'major' | 'signal' | 'onProgress'
> {
  /** How long each of the two loads runs. */
  readonly seconds: number;
  readonly stderr: Streams['stderr'];
  readonly terminal?: Terminal | undefined;
}

export interface DemoReport {
  readonly server: string;
  readonly where: string;
  readonly clients: number;
  readonly seconds: number;
  readonly runs: readonly DemoRun[];
  /** What `seqctl verify` says about the series afterwards. */
  readonly verify: VerifyReport;
  /** Not a single number missing or doubled by seqctl, and its counters and verify say the same as the table. */
  readonly gapless: boolean;
}

export interface DemoRun {
  readonly numbering: Numbering;
  readonly tally: Tally;
  readonly census: readonly Census[];
}

/** @throws SeqctlError when there is no place to run in, or the run is interrupted */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  return withSandbox({ ...options, prefix: 'seqctl_demo' }, async (sandbox) => {
    const server = await withConnection(sandbox.settings, async (client) => {
      await createSeqctlTable(client, sandbox);
      await createSequenceTable(client);
      const { rows } = await client.query<{ version: string }>(
        `select current_setting('server_version') as version`,
      );
      return `PostgreSQL ${rows[0]?.version ?? ''}`;
    });
    const runs = [await runOne('seqctl', sandbox, options), await runOne('SEQUENCE', sandbox, options)];
    const verdict = await verify(sandbox.settings, {
      series: seriesOf(sandbox),
      limit: 10,
      signal: options.signal,
    });
    return {
      server,
      where: sandbox.where,
      clients: clientCount,
      seconds: options.seconds,
      runs,
      verify: verdict,
      gapless:
        verdict.ok && runs.every(({ numbering, census }) => numbering !== 'seqctl' || isGapless(census)),
    };
  });
}

function isGapless(census: readonly Census[]): boolean {
  return (
    census.length > 0 &&
    census.every(
      ({ gaps, duplicates, odd, counter, highest }) =>
        gaps === 0 && duplicates === 0 && odd === 0 && counter === highest,
    )
  );
}

async function runOne(numbering: Numbering, sandbox: Sandbox, options: DemoOptions): Promise<DemoRun> {
  const { seconds, signal } = options;
  const live = new LiveBlock(options.stderr, options.terminal);
  live.begin(titleOf(numbering));
  return withConnection(sandbox.settings, async (client) => {
    const load = startLoad({ settings: sandbox.settings, table: tableOf[numbering], seconds, signal });
    const state = { running: true };
    const ended = load.done.finally(() => (state.running = false)).catch(() => undefined);
    const start = Date.now();
    while (state.running) {
      const lasts = await readLastNumbers(client, sandbox, numbering);
      showProgress(live, numbering, lasts, load.tally, (Date.now() - start) / 1000, seconds);
      await Promise.race([delay(options.terminal === undefined ? 500 : 150), ended]);
    }
    await load.done;
    return { numbering, tally: load.tally, census: await takeCensus(client, sandbox, numbering) };
  });
}

function titleOf(numbering: Numbering): string {
  const how = numbering === 'seqctl' ? 'numbered by seqctl' : 'numbered by a SEQUENCE';
  return `${clientCount} clients insert invoices, ${how}`;
}

function showProgress(
  live: LiveBlock,
  numbering: Numbering,
  lasts: readonly LastNumber[],
  tally: Tally,
  passed: number,
  seconds: number,
): void {
  const filled = Math.min(20, Math.round((passed / seconds) * 20));
  const bar = '#'.repeat(filled).padEnd(20, '.');
  const numbers = lasts.map(
    ({ company, year, last }) =>
      `${company.padEnd(6)} ${year}  last number INV-${year}-${String(last).padStart(5, '0')}`,
  );
  const given = lasts.reduce((sum, { last }) => sum + last, 0);
  live.show(
    [
      '',
      `${titleOf(numbering)}  [${bar}]`,
      ...[0, 1, 2, 3].map((index) => `  ${numbers[index] ?? ''}`),
      `  ${tally.rolledBack} rollbacks, ${tally.savepoints} savepoints, ${tally.conflicts} conflicts, ` +
        `${tally.failed} errors, ${tally.killed} kills`,
      '',
    ],
    `  ${given} numbers, ${tally.rolledBack} rollbacks, ${tally.conflicts} conflicts, ${tally.killed} backends killed`,
  );
}
