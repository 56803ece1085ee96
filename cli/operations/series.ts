import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { OperationError } from '../errors.js';
import { withSnapshot } from '../session/read.js';
import { type WriteOptions, withWrite } from '../session/write.js';
import { type Attachment, readAttachments } from './attachments.js';
import { countCounters, type Counter, readCounters } from './counters.js';

export interface Series {
  /** The database's own key. */
  readonly id: number;
  readonly name: string;
  readonly format: string;
  readonly reset: string;
  readonly fiscalYearStart: string;
  readonly timeZone: string;
  readonly firstNumber: bigint;
  readonly maxNumber: bigint | null;
  readonly maxLength: number | null;
  readonly externalCode: string | null;
  readonly purpose: string | null;
  /** What others get while a number is checked out: `wait`, `fail` or `recycle`. */
  readonly onCheckout: string;
  /** What becomes of a checkout that has expired: `keep` or `release`. */
  readonly ttlAction: string;
  /** Each number that is issued adds a link to a hash chain. */
  readonly chain: boolean;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** What a new series can be told; what is left out keeps the default of seqctl.create_series. */
export interface SeriesSettings {
  readonly format?: string;
  readonly reset?: string;
  readonly fiscalYearStart?: string;
  readonly timeZone?: string;
  /** Digits. */
  readonly firstNumber?: string;
  readonly maxNumber?: string;
  readonly maxLength?: string;
  readonly externalCode?: string;
  readonly purpose?: string;
  readonly onCheckout?: string;
  readonly ttlAction?: string;
  readonly chain?: boolean;
}

/** The parameter of seqctl.create_series behind each setting. */
const parameterOf: Record<keyof SeriesSettings, string> = {
  format: 'format',
  reset: 'reset',
  fiscalYearStart: 'fiscal_year_start',
  timeZone: 'time_zone',
  firstNumber: 'first_number',
  maxNumber: 'max_number',
  maxLength: 'max_length',
  externalCode: 'external_code',
  purpose: 'purpose',
  onCheckout: 'on_checkout',
  ttlAction: 'ttl_action',
  chain: 'chain',
};

const settingNames = Object.keys(parameterOf) as (keyof SeriesSettings)[];

function givenSettings(settings: SeriesSettings): (keyof SeriesSettings)[] {
  return settingNames.filter((key) => settings[key] !== undefined);
}

export interface SeriesDetails {
  readonly series: Series;
  readonly attachments: readonly Attachment[];
  readonly counterCount: number;
  /** The first of them only, when there are many. */
  readonly counters: readonly Counter[];
  /** Who closed or reopened a period, the latest first; the first of them only, when there are many. */
  readonly closings: readonly Closing[];
}

export interface Closing {
  readonly action: 'close' | 'reopen';
  readonly period: string;
  /** null: every group. */
  readonly group: string | null;
  readonly reason: string | null;
  readonly changedAt: Date;
  readonly changedBy: string;
}

const shownCounters = 100;

type Options = Omit<WriteOptions, 'doing'>;

/** @throws SeqctlError */
export async function createSeries(
  connection: ConnectionSettings,
  name: string,
  settings: SeriesSettings,
  options: Options,
): Promise<Series> {
  const given = givenSettings(settings);
  const named = given.map((key, index) => `, ${parameterOf[key]} => $${index + 2}`);
  return withWrite(connection, { ...options, doing: 'create the series' }, async (client) => {
    await client.query(`select seqctl.create_series($1${named.join('')})`, [
      name,
      ...given.map((key) => settings[key]),
    ]);
    return requireSeries(client, name);
  });
}

export interface AlteredSeries {
  readonly series: Series;
  /** What has another value now. */
  readonly changed: readonly (keyof SeriesSettings)[];
}

/** What is left out stays; `cleared` are to have no value. @throws SeqctlError */
export async function alterSeries(
  connection: ConnectionSettings,
  name: string,
  settings: SeriesSettings,
  cleared: readonly string[],
  options: Options,
): Promise<AlteredSeries> {
  const given = givenSettings(settings);
  const named = given.map((key, index) => `, ${parameterOf[key]} => $${index + 3}`);
  return withWrite(connection, { ...options, doing: 'alter the series' }, async (client) => {
    const before = await requireSeries(client, name);
    await client.query(`select seqctl.alter_series($1, clear => $2${named.join('')})`, [
      name,
      cleared,
      ...given.map((key) => settings[key]),
    ]);
    const series = await requireSeries(client, name);
    const changed = settingNames.filter((key) => series[key] !== before[key]);
    return { series, changed };
  });
}

/** @throws SeqctlError */
export async function dropSeries(
  connection: ConnectionSettings,
  name: string,
  options: Options,
): Promise<void> {
  await withWrite(connection, { ...options, doing: 'drop the series' }, (client) =>
    client.query('select seqctl.drop_series($1)', [name]),
  );
}

/** @throws SeqctlError */
export async function listSeries(connection: ConnectionSettings, signal: AbortSignal): Promise<Series[]> {
  return withSnapshot(connection, { doing: 'list the series', signal }, (client) => readSeries(client));
}

/** @throws SeqctlError, also for an unknown series */
export async function showSeries(
  connection: ConnectionSettings,
  name: string,
  signal: AbortSignal,
): Promise<SeriesDetails> {
  return withSnapshot(connection, { doing: 'show the series', signal }, async (client) => ({
    series: await requireSeries(client, name),
    attachments: await readAttachments(client, name),
    counterCount: await countCounters(client, { series: name }),
    counters: await readCounters(client, { series: name }, shownCounters),
    closings: await readClosings(client, name, shownCounters),
  }));
}

/** The latest first. */
export async function readClosings(client: Client, series: string, limit: number): Promise<Closing[]> {
  const { rows } = await client.query<Closing>(
    `select
        action,
        period,
        group_key as "group",
        reason,
        changed_at as "changedAt",
        changed_by as "changedBy"
     from seqctl.closings
     where series = $1
     order by changed_at desc
     limit $2`,
    [series, limit],
  );
  return rows;
}

/** @throws OperationError for an unknown series */
export async function requireSeries(client: Client, name: string): Promise<Series> {
  const series = await readSeries(client);
  const found = series.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new OperationError(`series "${name}" does not exist`, {
    sqlstate: 'SQ001',
    detail:
      series.length === 0
        ? 'There is no series yet.'
        : `Series: ${series
            .slice(0, 20)
            .map((one) => one.name)
            .join(', ')}`,
    hint: 'Correct the name, or create it with seqctl series create.',
  });
}

interface SeriesRow extends Omit<Series, 'firstNumber' | 'maxNumber'> {
  readonly firstNumber: string;
  readonly maxNumber: string | null;
}

export async function readSeries(client: Client): Promise<Series[]> {
  const { rows } = await client.query<SeriesRow>(`
    select
        s.id,
        s.name,
        s.format,
        s.reset,
        s.fiscal_year_start as "fiscalYearStart",
        s.time_zone as "timeZone",
        s.first_number as "firstNumber",
        s.max_number as "maxNumber",
        s.max_length as "maxLength",
        s.external_code as "externalCode",
        s.purpose,
        s.on_checkout as "onCheckout",
        s.ttl_action as "ttlAction",
        s.chain,
        s.created_at as "createdAt",
        s.created_by as "createdBy"
    from seqctl.series as s
    order by s.name`);
  return rows.map((row) => ({
    ...row,
    firstNumber: BigInt(row.firstNumber),
    maxNumber: row.maxNumber === null ? null : BigInt(row.maxNumber),
  }));
}
