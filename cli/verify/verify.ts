import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { sqlstateOf } from '../errors.js';
import type { NotedHead } from '../operations/chain.js';
import { readSeries, requireSeries } from '../operations/series.js';
import { toolVersion } from '../package.js';
import { type InstalledState } from '../session/installed.js';
import { type ReadOptions, withSnapshot } from '../session/read.js';
import { checkAccess, readGrants } from './access.js';
import {
  type AttachmentFacts,
  readAttachmentFacts,
  readStrayFunctions,
  readStrayTriggers,
} from './attachment-facts.js';
import { checkAttachment, describeStrayFunction, describeStrayTrigger } from './attachments.js';
import { readCatalogue } from './catalogue.js';
import { checkChain, checkHeads } from './chain.js';
import { checkCheckouts, checkStoredCheckouts } from './checkouts.js';
import { checkChronology } from './chronology.js';
import { checkCounters } from './counters.js';
import type { Finding, Severity } from './finding.js';
import { checkVersion, diffInstallation } from './installation.js';
import { type Manifest, readManifest } from './manifest.js';
import { checkNumbers, type NumberFindings, type Omitted, type SeriesToCheck } from './numbers.js';
import { checkPending } from './pending.js';
import { checkServer } from './server.js';

export interface VerifyOptions {
  /** Only this series and its tables; the installation is checked in any case. */
  readonly series?: string | undefined;
  /** How many findings about numbers are reported one by one. */
  readonly limit: number;
  /** Heads of hash chains as they were noted earlier. */
  readonly chainHeads?: readonly NotedHead[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  /** See ReadOptions. */
  readonly onWaiting?: ReadOptions['onWaiting'];
}

export interface VerifyReport {
  readonly database: string;
  readonly installed: string;
  /** No finding is an error. */
  readonly ok: boolean;
  readonly errors: number;
  readonly warnings: number;
  /** Gaps that the void register explains. */
  readonly explained: number;
  readonly findings: readonly Finding[];
  /** Errors and warnings about numbers beyond the limit. */
  readonly omitted: number;
  /** Explained gaps that are not among the findings. */
  readonly omittedExplained: number;
  readonly series: readonly CheckedSeries[];
  /** How many of the noted heads were compared with the chains; null: none were given. */
  readonly headsCompared: number | null;
}

/** What a report wants besides: more of each series, and to look at it while the snapshot is open. */
export interface VerifyExtras {
  /** How many findings of one series are reported one by one, and how many explained gaps. */
  readonly ofSeries: { readonly findings: number; readonly explained: number };
  /** How many counters of a series with missing numbers get a map. */
  readonly maps: number;
  readonly onSeries: (series: SeriesToCheck, numbers: NumberFindings, sums: CheckedSeries) => Promise<void>;
}

/** `seqctl gaps` lists more. */
const shownExplained = 100;

export interface CheckedSeries {
  readonly name: string;
  readonly tables: readonly string[];
  readonly counters: number;
  /** Numbers given, as the counters say. */
  readonly numbers: bigint;
  /** false when no table is attached, or its numbers could not be read. */
  readonly compared: boolean;
}

/**
 * Compares what is installed with this package, each attached table with what attach made, and each counter with the numbers
 * in the tables, all in one read-only snapshot.
 *
 * @throws SeqctlError
 */
export async function verify(settings: ConnectionSettings, options: VerifyOptions): Promise<VerifyReport> {
  const manifest = await readManifest();
  return withSnapshot(
    settings,
    { doing: 'verify seqctl', signal: options.signal, onWaiting: options.onWaiting },
    (client, state) => verifyOn(client, state, manifest, options),
  );
}

/** In a transaction that the caller has opened. Where an error ended it (a finding `unchecked`), nothing more can be read in it. */
export async function verifyOn(
  client: Client,
  state: InstalledState,
  manifest: Manifest,
  { series: only, limit, chainHeads, onProgress }: VerifyOptions,
  extras?: VerifyExtras,
): Promise<VerifyReport> {
  await prepareReading(client);
  onProgress?.('comparing the installed objects with the package');
  const findings: Finding[] = [
    ...(await checkServer(client)),
    ...checkVersion(state.schema, { version: toolVersion, migrations: manifest.migrations }),
    ...diffInstallation(manifest.objects, await readCatalogue(client)),
    ...checkAccess(manifest.access, await readGrants(client)),
    ...(await readStrayFunctions(client)).map(describeStrayFunction),
  ];

  const heads = chainHeads?.filter(({ series }) => only === undefined || series === only);
  const options = { only, limit, heads, onProgress, extras };
  const use = await tolerating(client, findings, () => checkUse(client, findings, options));
  const { checked, omitted } = use ?? {
    checked: [],
    omitted: { errors: 0, warnings: 0, explained: 0 },
  };
  const areHeadsCompared = use !== undefined && heads !== undefined;
  const count = (which: Severity): number => findings.filter(({ severity }) => severity === which).length;
  const errors = count('error') + omitted.errors;
  return {
    database: state.database,
    installed: state.schema.version,
    ok: errors === 0,
    errors,
    warnings: count('warning') + omitted.warnings,
    explained:
      findings.filter(({ severity, gap }) => severity === 'info' && gap !== undefined).length +
      omitted.explained,
    findings,
    omitted: omitted.errors + omitted.warnings,
    omittedExplained: omitted.explained,
    series: checked,
    headsCompared: areHeadsCompared ? heads.length : null,
  };
}

/** For whatever reads all numbers. */
export async function prepareReading(client: Client): Promise<void> {
  // A wrong answer is worse than an error.
  await client.query('set local row_security = off');
  // Bounded memory, yet few spills. The planner takes every number for a bit map of its own and would sort them all; and a million gaps
  // for one, which it would look through for each.
  await client.query(
    `set local work_mem = '64MB'; set local enable_sort = off; set local enable_nestloop = off; set local jit = off`,
  );
}

/** Where tables or functions of seqctl are damaged, the queries about its use cannot run; that is one more finding then. */
async function tolerating<T>(
  client: Client,
  findings: Finding[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  const isDamaged = findings.some(({ severity }) => severity === 'error');
  try {
    return await work();
  } catch (error) {
    const isMissing = ['42703', '42P01', '42883', '42804'].includes(sqlstateOf(error) ?? '');
    if (!isDamaged || !isMissing) throw error;
    await client.query('rollback');
    findings.push({
      severity: 'error',
      area: 'installation',
      kind: 'unchecked',
      object: 'attached tables and numbers',
      what: `were not checked: ${(error as Error).message}`,
      hint: 'Repair the installation first.',
    });
    return undefined;
  }
}

interface UseOptions {
  readonly only: string | undefined;
  readonly limit: number;
  /** Those of the series that are checked. */
  readonly heads: readonly NotedHead[] | undefined;
  readonly onProgress: ((text: string) => void) | undefined;
  readonly extras: VerifyExtras | undefined;
}

/** Attached tables and numbers: adds to the findings. */
async function checkUse(
  client: Client,
  findings: Finding[],
  { only, limit, heads, onProgress, extras }: UseOptions,
): Promise<{ checked: CheckedSeries[]; omitted: Omitted }> {
  if (only !== undefined) await requireSeries(client, only);
  onProgress?.('looking at the attached tables');
  const facts = await readAttachmentFacts(client, only ?? null);
  findings.push(...facts.flatMap((one) => checkAttachment(one)));
  if (only === undefined) findings.push(...(await readStrayTriggers(client)).map(describeStrayTrigger));

  const checked: CheckedSeries[] = [];
  const omitted = { errors: 0, warnings: 0, explained: 0 };
  let left = limit;
  let explainedLeft = extras === undefined ? shownExplained : limit;
  for (const series of await readSeriesToCheck(client, facts, only)) {
    const tables = series.attachments.map(({ target }) => target);
    if (tables.length > 0)
      onProgress?.(`series ${series.name}: checking the numbers of ${tables.join(', ')}`);
    const result = await checkNumbers(client, series, {
      limits: {
        findings: Math.min(left, extras?.ofSeries.findings ?? left),
        explained: Math.min(explainedLeft, extras?.ofSeries.explained ?? explainedLeft),
      },
      maps: extras?.maps,
    });
    const explained = result.findings.filter(({ severity }) => severity === 'info');
    findings.push(...result.findings);
    findings.push(...(await checkCounters(client, series.name)));
    findings.push(...(await checkCheckouts(client, series.name, result.compared)));
    omitted.errors += result.omitted.errors;
    omitted.warnings += result.omitted.warnings;
    omitted.explained += result.omitted.explained;
    left = Math.max(left - (result.findings.length - explained.length), 0);
    explainedLeft -= explained.length;
    if (result.compared) {
      const inversions = await checkChronology(client, series, left);
      findings.push(
        ...(await checkStoredCheckouts(client, series)),
        ...inversions.findings,
        ...(await checkPending(client, series)),
      );
      omitted.errors += inversions.omitted;
      left -= inversions.findings.filter(({ severity }) => severity !== 'info').length;
    }
    const chain = await checkChain(client, series, { rows: result.compared, limit: left });
    findings.push(...chain.findings);
    omitted.errors += chain.omitted;
    left = Math.max(left - chain.findings.length, 0);
    const sums = {
      name: series.name,
      tables,
      compared: result.compared,
      ...(await sumCounters(client, series.id)),
    };
    checked.push(sums);
    await extras?.onSeries(series, result, sums);
  }
  if (heads?.length === 0) findings.push(noHeads(only));
  findings.push(...(await checkHeads(client, heads ?? [])));
  return { checked, omitted };
}

/** Somebody believes that the chains were compared, and they were not. */
function noHeads(only: string | undefined): Finding {
  return {
    severity: 'warning',
    area: 'numbers',
    kind: 'no_heads_compared',
    object: only === undefined ? 'noted chain heads' : `series ${only}`,
    what: `no chain was compared: the file has no head${only === undefined ? '' : ' of this series'}`,
    hint: 'Name the file that seqctl chain-heads --json wrote when the chain had links.',
  };
}

export async function readSeriesToCheck(
  client: Client,
  facts: readonly AttachmentFacts[],
  only: string | undefined,
): Promise<SeriesToCheck[]> {
  const series = await readSeries(client);
  return series
    .filter(({ name }) => only === undefined || name === only)
    .map(({ id, name, firstNumber }) => ({
      id,
      name,
      firstNumber,
      attachments: facts.filter(({ seriesId }) => seriesId === id),
    }));
}

async function sumCounters(client: Client, seriesId: number): Promise<{ counters: number; numbers: bigint }> {
  const { rows } = await client.query<{ counters: string; numbers: string }>(
    `select count(*) as counters, coalesce(sum(c.last_number - s.first_number + 1), 0) as numbers
     from seqctl.counter as c
     join seqctl.series as s on s.id = c.series_id
     where s.id = $1`,
    [seriesId],
  );
  return { counters: Number(rows[0]?.counters ?? 0), numbers: BigInt(rows[0]?.numbers ?? 0) };
}
