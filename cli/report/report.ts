import type { Client } from 'pg';

import { type ConnectionSettings, describeConnection } from '../connection/settings.js';
import { type Attachment, readAttachments } from '../operations/attachments.js';
import { type ChainHead, readChainHeads } from '../operations/chain.js';
import { countCorrections, readCorrections, type RecordedCorrection } from '../operations/corrections.js';
import { countCounters, type Counter, readCounters } from '../operations/counters.js';
import { type Closing, readClosings, requireSeries, type Series } from '../operations/series.js';
import { readVoids, type RecordedVoid } from '../operations/voids.js';
import { toolVersion } from '../package.js';
import { type ReadOptions, withSnapshot } from '../session/read.js';
import { readGrants, type RoleAccess, summarizeGrants } from '../verify/access.js';
import type { Finding } from '../verify/finding.js';
import { type Gap, isExplained } from '../verify/gap.js';
import type { GapMap, PeriodGaps } from '../verify/gap-map.js';
import { type Manifest, readManifest } from '../verify/manifest.js';
import type { NumberFindings, SeriesToCheck } from '../verify/numbers.js';
import { type CheckedSeries, prepareReading, verifyOn, type VerifyReport } from '../verify/verify.js';
import { type Checkouts, readCheckouts } from './checkouts.js';
import { type MonthlyNumbers, readMonths } from './months.js';
import { type PeriodSummary, readPeriods } from './periods.js';
import { readServerSettings, type ServerSetting } from './server-settings.js';

export interface ReportOptions {
  /** Only this series; the server and the installation are checked in any case. */
  readonly series?: string | undefined;
  /** How many gaps of each kind, findings, voids, counters … of a series are listed one by one; the rest is counted. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  /** See ReadOptions. */
  readonly onWaiting?: ReadOptions['onWaiting'];
}

/** What an auditor wants to know, of one moment. */
export interface Report {
  readonly madeAt: Date;
  /** The role that made it. */
  readonly madeBy: string;
  readonly database: string;
  /** e.g. `database "shop" on db.example.com:5432 as user "auditor"` */
  readonly connection: string;
  readonly server: string;
  readonly isStandby: boolean;
  readonly tool: string;
  readonly installed: string;
  /** Owner of schema seqctl. */
  readonly owner: string;
  /** The one series it is limited to. */
  readonly only: string | null;
  /** No finding is an error: `seqctl verify` would say so, too. */
  readonly ok: boolean;
  readonly errors: number;
  readonly warnings: number;
  /** Everything that verify found but missing numbers, which stand with their series. */
  readonly findings: readonly Finding[];
  /** Other findings beyond the limit. */
  readonly omitted: number;
  readonly series: readonly SeriesReport[];
  readonly settings: readonly ServerSetting[];
  readonly access: readonly RoleAccess[];
}

export interface SeriesReport {
  readonly series: Series;
  readonly attachments: readonly Attachment[];
  /** Its numbers were compared with the tables. */
  readonly compared: boolean;
  readonly counters: Listed<Counter>;
  /** Numbers given, as the counters say. */
  readonly given: bigint;
  /** How many numbers are missing; null when they were not compared. */
  readonly missing: Missing | null;
  /** The latest first. */
  readonly periods: Listed<PeriodSummary>;
  readonly months: MonthlyNumbers;
  /** Ranges of missing numbers; each counter has its share of the limit. */
  readonly gaps: Listed<Gap>;
  readonly map: GapMap | null;
  readonly checkouts: Checkouts;
  /** The heads of its hash chains, by group and period; null: it keeps none. */
  readonly heads: Listed<ChainHead> | null;
  /** The void register, the latest entry first. */
  readonly voids: Listed<RecordedVoid>;
  /** Counters that were lowered or removed, the latest first. */
  readonly corrections: Listed<RecordedCorrection>;
  /** Who closed and reopened periods, the latest first. */
  readonly closings: Listed<Closing>;
}

export interface Missing {
  readonly explained: bigint;
  readonly unexplained: bigint;
}

/** Some of many. */
export interface Listed<T> {
  readonly entries: readonly T[];
  readonly total: number;
}

/** Counters with missing numbers that are drawn in each series. */
const drawnCounters = 100;

/** Of all series together, so that memory is bounded however many there are. */
const mostListed = 20;

/** Everything is read in one snapshot, with one pass over the numbers and one over the dates. Reads only. @throws SeqctlError */
export async function makeReport(settings: ConnectionSettings, options: ReportOptions): Promise<Report> {
  const manifest = await readManifest();
  return withSnapshot(
    settings,
    { doing: 'make a report', signal: options.signal, onWaiting: options.onWaiting },
    async (client, state) => {
      const { series: only, limit, onProgress } = options;
      const moment = await readMoment(client);
      await prepareReading(client);
      const series: SeriesReport[] = [];
      const verified = await verifyOn(
        client,
        state,
        manifest,
        { series: only, limit: limit * mostListed, onProgress },
        {
          ofSeries: { findings: limit, explained: limit },
          maps: drawnCounters,
          onSeries: async (checked, numbers, sums) => {
            onProgress?.(`series ${checked.name}: counting by month`);
            series.push(await reportSeries(client, checked, numbers, sums, limit));
          },
        },
      );
      return {
        madeAt: moment.at,
        madeBy: moment.role,
        database: state.database,
        connection: describeConnection(settings),
        server: state.serverVersion,
        isStandby: state.isStandby,
        tool: toolVersion,
        installed: state.schema.version,
        owner: state.schema.owner,
        only: only ?? null,
        ...resultOf(verified, series),
        series,
        // Where the installation is damaged, the snapshot is over; the finding that says so is enough.
        ...(isUnchecked(verified) ? { settings: [], access: [] } : await readSurroundings(client, manifest)),
      };
    },
  );
}

function resultOf(
  { ok, errors, warnings, findings, omitted }: VerifyReport,
  series: readonly SeriesReport[],
): Pick<Report, 'ok' | 'errors' | 'warnings' | 'findings' | 'omitted'> {
  const others = findings.filter(({ gap }) => gap === undefined);
  // Unexplained gaps are errors of verify; how many there are stands with their series.
  const gaps = series.reduce((sum, one) => sum + unlistedGaps(one), 0);
  return { ok, errors, warnings, findings: others, omitted: Math.max(omitted - gaps, 0) };
}

function unlistedGaps({ map, gaps }: SeriesReport): number {
  const open = (map?.periods ?? []).reduce((sum, period) => sum + period.gaps - period.explainedGaps, 0);
  return open - gaps.entries.filter((gap) => !isExplained(gap)).length;
}

function isUnchecked({ findings }: VerifyReport): boolean {
  return findings.some(({ kind }) => kind === 'unchecked');
}

async function readMoment(client: Client): Promise<{ at: Date; role: string }> {
  const { rows } = await client.query<{ at: Date; role: string }>('select now() as at, session_user as role');
  const [moment] = rows;
  if (moment === undefined) throw new Error('the server returned no row about this moment');
  return moment;
}

async function readSurroundings(
  client: Client,
  { access }: Manifest,
): Promise<Pick<Report, 'settings' | 'access'>> {
  return {
    settings: await readServerSettings(client),
    access: summarizeGrants(access, await readGrants(client)),
  };
}

async function reportSeries(
  client: Client,
  { id, name }: SeriesToCheck,
  { findings, compared, map }: NumberFindings,
  { numbers: given }: CheckedSeries,
  limit: number,
): Promise<SeriesReport> {
  const gaps = findings.flatMap(({ gap }) => gap ?? []);
  const sums = map?.periods ?? [];
  const add = (value: (period: PeriodGaps) => bigint): bigint =>
    sums.reduce((sum, period) => sum + value(period), 0n);
  const explained = add((period) => period.explained);
  const series = await requireSeries(client, name);
  return {
    series,
    attachments: await readAttachments(client, name),
    compared,
    given,
    missing: compared ? { explained, unexplained: add((period) => period.missing) - explained } : null,
    counters: {
      entries: await readCounters(client, { series: name }, limit),
      total: await countCounters(client, { series: name }),
    },
    periods: await readPeriods(client, name, limit),
    months: compared ? await readMonths(client, id) : { years: [], undated: 0n },
    gaps: { entries: gaps, total: sums.reduce((sum, period) => sum + period.gaps, 0) },
    map: map ?? null,
    checkouts: await readCheckouts(client, name, gaps, map, limit),
    heads: series.chain ? await listHeads(client, name, limit) : null,
    voids: { entries: await readVoids(client, name, limit), total: await countRows(client, 'voids', name) },
    corrections: {
      entries: await readCorrections(client, name, limit),
      total: await countCorrections(client, name),
    },
    closings: {
      entries: await readClosings(client, name, limit),
      total: await countRows(client, 'closings', name),
    },
  };
}

async function listHeads(client: Client, series: string, limit: number): Promise<Listed<ChainHead>> {
  const entries = await readChainHeads(client, series, limit);
  // To count them is to look for each.
  const total = entries.length < limit ? entries.length : await countRows(client, 'chain_heads', series);
  return { entries, total };
}

async function countRows(
  client: Client,
  view: 'voids' | 'closings' | 'chain_heads',
  series: string,
): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `select count(*) as count from seqctl.${view} where series = $1`,
    [series],
  );
  return Number(rows[0]?.count ?? 0);
}
