import { performance } from 'node:perf_hooks';

import { UsageError } from '../cli/errors.js';
import { toolVersion } from '../cli/package.js';
import { type Sandbox, type SandboxOptions, withSandbox } from '../sandbox/sandbox.js';
import { clientCount, fullScale, Lab, quickScale, type Scale } from './lab.js';
import { type Measurement, median, type Opponent, type Unit } from './measurement.js';
import { measurements } from './measurements/index.js';
import { type Census, takeCensus } from './tables.js';
import { compareWays, type WayResult } from './ways.js';
import { requestFor } from './wire-client.js';

/** As a server that has work to do would be set; what is not named here is as PostgreSQL ships it. */
const embeddedSettings = {
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
};

/** Stands for the table of ways, in `only`. */
const waysOnly = 'ways';

export interface BenchOptions extends Pick<
  SandboxOptions,
  'server' | 'inPlace' | 'major' | 'signal' | 'onProgress'
> {
  /** A short run, which shows that everything works and says nothing about speed. */
  readonly quick: boolean;
  /** Only the measurements whose line has this text in it; `ways` stands for the table of ways. */
  readonly only?: string | undefined;
}

export interface BenchResult {
  readonly work: string;
  readonly rival: Opponent;
  readonly unit: Unit;
  /** Medians of the rounds. */
  readonly seqctl: number;
  readonly rivalValue: number;
  /** seqctl : rival. */
  readonly ratio: number;
  readonly bar: number | null;
  readonly goal: number | null;
  /** null in a quick run. */
  readonly verdict: Verdict | null;
  /** Every round, in order. */
  readonly samples: { readonly seqctl: readonly number[]; readonly rival: readonly number[] };
  /** CPU time of the load client, in cores. */
  readonly clientCpu: number;
}

/** `short`: no bar was set, and the goal is not reached. null: neither was set. */
export type Verdict = 'goal' | 'bar' | 'missed' | 'short';

export interface BenchReport {
  readonly tool: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly scale: Scale;
  readonly where: string;
  readonly server: string;
  /** Server settings that matter for the numbers, as the server says them. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the load client can do at most: empty statements a second. */
  readonly ceiling: number;
  readonly clients: number;
  /** Milliseconds of a transaction of one client that writes nothing but its commit: the price of a flush to disk. */
  readonly flushMs: number;
  readonly results: readonly BenchResult[];
  readonly ways: readonly WayResult[];
  /** All tables that seqctl numbered in this run. */
  readonly census: Census;
}

/** @throws SeqctlError when `only` means no line, there is no place to run in, or the run is interrupted */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  refuseNothing(options);
  return withSandbox({ ...options, prefix: 'seqctl_bench', serverSettings: embeddedSettings }, (sandbox) =>
    measureAll(sandbox, options),
  );
}

/** A run that measures nothing would look like one in which all is well. */
function refuseNothing(options: BenchOptions): void {
  const { only = '' } = options;
  const lines = measurements.map((measurement) => lineOf(measurement, scaleOf(options)));
  if (only === waysOnly || lines.some((line) => line.includes(only))) return;
  throw new UsageError(`no line of the bench has the text "${only}"`, {
    hint: `There are:\n${[...lines, waysOnly].map((line) => `  ${line}`).join('\n')}`,
  });
}

function scaleOf({ quick }: BenchOptions): Scale {
  return quick ? quickScale : fullScale;
}

function lineOf({ work, rival }: Measurement, scale: Scale): string {
  return `${work(scale)}, ${rival}`;
}

async function measureAll(sandbox: Sandbox, options: BenchOptions): Promise<BenchReport> {
  const { quick, only, signal, onProgress } = options;
  const startedAt = new Date().toISOString();
  const start = performance.now();
  const scale = scaleOf(options);
  const lab = new Lab(sandbox, scale, signal);
  const { server, settings } = await readServer(lab);
  const ceiling = await measureCeiling(lab);
  const flushMs = await measureFlush(lab);
  const chosen = measurements.filter((measurement) => lineOf(measurement, scale).includes(only ?? ''));
  const results: BenchResult[] = [];
  for (const measurement of chosen) {
    const obstacle = await measurement.obstacle?.(lab);
    if (obstacle !== undefined) {
      onProgress(`left out: ${measurement.work(scale)}, against ${measurement.rival}: ${obstacle}`);
      continue;
    }
    const result = await measure(measurement, lab);
    results.push(result);
    onProgress(
      `${results.length} of ${chosen.length}: ${result.work}, against ${result.rival}: ${result.ratio.toFixed(2)}`,
    );
  }
  const ways = only === undefined || only === waysOnly ? await compareWays(lab, onProgress) : [];
  return {
    tool: toolVersion,
    startedAt,
    seconds: (performance.now() - start) / 1000,
    quick,
    scale,
    where: sandbox.where,
    server,
    settings,
    ceiling,
    clients: clientCount,
    flushMs,
    results,
    ways,
    census: await takeWholeCensus(lab),
  };
}

async function measure(measurement: Measurement, lab: Lab): Promise<BenchResult> {
  const { rival, unit, bar, goal } = measurement;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const samples = await measurement.run(lab);
  const used = process.cpuUsage(cpu);
  const seqctl = median(samples.seqctl);
  const rivalValue = median(samples.rival);
  const ratio = seqctl / rivalValue;
  return {
    work: measurement.work(lab.scale),
    rival,
    unit,
    seqctl,
    rivalValue,
    ratio,
    bar,
    goal,
    verdict: isQuick(lab.scale) ? null : judge(ratio, measurement),
    samples,
    clientCpu: (used.user + used.system) / 1000 / (performance.now() - start),
  };
}

function isQuick(scale: Scale): boolean {
  return scale === quickScale;
}

function judge(ratio: number, { unit, bar, goal }: Measurement): Verdict | null {
  const reaches = (wanted: number): boolean => (unit === 's' ? ratio <= wanted : ratio >= wanted);
  if (bar === null && goal === null) return null;
  if (goal !== null && reaches(goal)) return 'goal';
  if (bar === null) return 'short';
  return reaches(bar) ? 'bar' : 'missed';
}

/** Statements that cost the server nothing: the load client cannot do more than this of any. */
function measureCeiling(lab: Lab): Promise<number> {
  return lab.withWireClients(clientCount, async (clients) => {
    for (const client of clients) await client.prepare('nothing', 'select 1');
    const request = requestFor('nothing');
    return lab.drive(clients, (client) => client.mustExecute(request));
  });
}

function measureFlush(lab: Lab): Promise<number> {
  return lab.withWireClients(1, async (clients) => {
    for (const client of clients) {
      await client.prepare('flush', `select pg_catalog.pg_logical_emit_message(true, 'seqctl', '')`);
    }
    const request = requestFor('flush');
    return 1000 / (await lab.drive(clients, (client) => client.mustExecute(request)));
  });
}

const shownSettings = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'commit_delay',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'autovacuum',
];

async function readServer(lab: Lab): Promise<Pick<BenchReport, 'server' | 'settings'>> {
  return lab.withClient(async (client) => {
    const version = await client.query<{ version: string }>(
      `select current_setting('server_version') as version`,
    );
    const settings = await client.query<{ name: string; value: string }>(
      `select n.name, current_setting(n.name) as value from unnest($1::text[]) with ordinality n (name, at) order by n.at`,
      [shownSettings],
    );
    return {
      server: `PostgreSQL ${version.rows[0]?.version ?? ''}`,
      settings: Object.fromEntries(settings.rows.map(({ name, value }) => [name, value])),
    };
  });
}

async function takeWholeCensus(lab: Lab): Promise<Census> {
  const tables = await lab.withClient((client) =>
    client.query<{ target: string }>(
      `select a.target::text as target
       from seqctl.attachment a
       join pg_catalog.pg_class c on c.oid = a.target
       where c.relnamespace = $1::regnamespace`,
      [lab.sandbox.name],
    ),
  );
  const total = { rows: 0, gaps: 0, duplicates: 0 };
  for (const { target } of tables.rows) {
    const census = await takeCensus(lab, target);
    total.rows += census.rows;
    total.gaps += census.gaps;
    total.duplicates += census.duplicates;
  }
  return total;
}
