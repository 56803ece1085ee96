import type { Client } from 'pg';

import { sqlstateOf } from '../errors.js';
import type { AttachmentFacts } from './attachment-facts.js';
import { canReadNumbers } from './attachments.js';
import { describeCheckoutGap, isCheckoutKind } from './checkouts.js';
import { type CounterRange, describeCounter, describeRecord, type Finding } from './finding.js';
import { describeNeighbours, type Gap, keyOf, type Neighbour, readDates, type WantedNumber } from './gap.js';
import { type GapMap, gapMapOf, type GapMapRow } from './gap-map.js';
import { numbersQuery, type OddRow, type Rank } from './numbers-query.js';
import { readSources } from './sources.js';

export interface SeriesToCheck {
  readonly id: number;
  readonly name: string;
  readonly firstNumber: bigint;
  readonly attachments: readonly AttachmentFacts[];
}

export interface NumberLimits {
  /** Most errors, and most warnings. */
  readonly findings: number;
  /** Most gaps that have an explanation. */
  readonly explained: number;
}

export interface NumberOptions {
  readonly limits: NumberLimits;
  /**
   * Sums up all missing numbers, and draws this many counters as maps; left out: neither. The limits are shared by the counters
   * then, so that a counter with a million gaps does not hide those of another.
   */
  readonly maps?: number | undefined;
}

export interface NumberFindings {
  /** Errors, then warnings, then what is explained. */
  readonly findings: readonly Finding[];
  /** How many more there are than the limits allow. */
  readonly omitted: Omitted;
  /** The numbers were really compared with the tables. */
  readonly compared: boolean;
  /** Where it was asked for, and numbers were compared. */
  readonly map?: GapMap | undefined;
}

export interface Omitted {
  readonly errors: number;
  readonly warnings: number;
  readonly explained: number;
}

const nothingOmitted: Omitted = { errors: 0, warnings: 0, explained: 0 };

/**
 * Compares the counters of one series with all of its tables together, in one pass over their numbers, and each gap with the void
 * register. Only what is odd leaves the server, and not more of it than the limits allow. A second pass looks up duplicates and odd
 * document numbers, a third the dates beside gaps; where there are none, there is no such pass.
 */
export async function checkNumbers(
  client: Client,
  series: SeriesToCheck,
  options: NumberOptions,
): Promise<NumberFindings> {
  const result = await readingNumbers(client, series, () => compare(client, series, options));
  if (result.compared) return result.value;
  return { findings: result.problems, omitted: nothingOmitted, compared: false };
}

export interface GapListing {
  readonly limits: NumberLimits;
  /** Only the counters of this group, and of this period. */
  readonly group: string | undefined;
  readonly period: string | undefined;
  /** Gets them in order: those without an explanation, then the others. */
  readonly onGaps: (gaps: readonly Gap[]) => void;
}

export interface ListedGaps {
  /** How many there are of all. */
  readonly unexplained: number;
  readonly explained: number;
  /** How many of them were listed. */
  readonly listed: number;
}

/** As many gaps as are held in memory at a time. Each time costs a pass over the numbers, for the dates beside them. */
const gapsAtATime = 20_000;

/** Nothing but missing numbers, however many. */
export function listSeriesGaps(
  client: Client,
  series: SeriesToCheck,
  listing: GapListing,
): Promise<Read<ListedGaps>> {
  return readingNumbers(client, series, () => readGaps(client, series, listing));
}

async function readGaps(
  client: Client,
  series: SeriesToCheck,
  { limits, group, period, onGaps }: GapListing,
): Promise<ListedGaps> {
  const sources = await readSources(client, series.id, { documents: false });
  const query = numbersQuery(series.id, series.firstNumber, sources);
  const values = [limits.findings, limits.explained, group ?? null, true, period ?? null];
  const total = { 0: 0, 1: 0, 2: 0 };
  const listed = { 0: 0, 1: 0, 2: 0 };
  const most = { 0: limits.findings, 1: 0, 2: limits.explained };
  await eachPage<OddRow>(client, query, values, limits.findings + limits.explained, async (rows) => {
    const shown = rows.filter(({ rank, total: count }) => {
      total[rank] = Number(count);
      // There is a row more than none, for the total.
      if (listed[rank] === most[rank]) return false;
      listed[rank] += 1;
      return true;
    });
    const dates = await readDates(client, sources, shown.flatMap(neighboursOf));
    onGaps(shown.map((row) => gapOf(rangeOf(series, row), row, dates)));
  });
  return { unexplained: total[0], explained: total[2], listed: listed[0] + listed[2] };
}

/** Few rows are read as they come. A cursor holds more of them on the server, which makes no use of several processes then. */
async function eachPage<Row extends object>(
  client: Client,
  query: string,
  values: readonly unknown[],
  most: number,
  work: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  if (most <= gapsAtATime) {
    await work((await client.query<Row>(query, [...values])).rows);
    return;
  }
  await client.query('set local cursor_tuple_fraction = 1');
  await client.query(`declare page no scroll cursor for ${query}`, [...values]);
  for (;;) {
    const { rows } = await client.query<Row>(`fetch ${gapsAtATime} from page`);
    if (rows.length === 0) break;
    await work(rows);
  }
  await client.query('close page');
}

/** What was read of a series; or why it could not be. */
export type Read<T> =
  | { readonly compared: true; readonly value: T }
  | { readonly compared: false; readonly problems: readonly Finding[] };

/** Where the tables can be read, and the role may. */
async function readingNumbers<T>(
  client: Client,
  series: SeriesToCheck,
  work: () => Promise<T>,
): Promise<Read<T>> {
  const { attachments } = series;
  if (attachments.length === 0) return { compared: false, problems: [] };
  if (attachments.every(({ exists }) => !exists)) {
    const reason = attachments.length === 1 ? 'its table was dropped' : 'all its tables were dropped';
    return unchecked(series, reason, 'Restore what was dropped, or detach it.');
  }
  const unusable = attachments.filter((facts) => facts.exists && !canReadNumbers(facts));
  if (unusable.length > 0) {
    const reason = `${unusable.map(({ target }) => target).join(', ')} lacks a column that they need`;
    return unchecked(series, reason, 'Repair the table first.');
  }
  await client.query('savepoint numbers');
  try {
    const value = await work();
    await client.query('release savepoint numbers');
    return { compared: true, value };
  } catch (error) {
    if (sqlstateOf(error) !== '42501') throw error;
    await client.query('rollback to savepoint numbers');
    const hint =
      'Run it as the owner of the table, or as a role that may select from it and bypasses row security.';
    return unchecked(series, (error as Error).message, hint);
  }
}

async function compare(
  client: Client,
  series: SeriesToCheck,
  { limits, maps }: NumberOptions,
): Promise<NumberFindings> {
  const sources = await readSources(client, series.id, { documents: true });
  const query = numbersQuery(series.id, series.firstNumber, sources, maps !== undefined);
  const { rows: all } = await client.query<OddRow | GapMapRow>(query, [
    limits.findings,
    limits.explained,
    null,
    false,
    null,
    ...(maps === undefined ? [] : [maps]),
  ]);
  const rows = all.filter((row) => row.rank !== null);
  const ofRank = (rank: Rank): OddRow[] => rows.filter((row) => row.rank === rank);
  const shown = [
    ...ofRank(0).slice(0, limits.findings),
    ...ofRank(1).slice(0, limits.findings),
    ...ofRank(2).slice(0, limits.explained),
  ];
  const more = (rank: Rank): number =>
    Number(ofRank(rank)[0]?.total ?? 0) - shown.filter((row) => row.rank === rank).length;
  const dates = await readDates(client, sources, shown.flatMap(neighboursOf));
  return {
    findings: shown.map((row) => describe(series, row, rows, dates)),
    omitted: { errors: more(0), warnings: more(1), explained: more(2) },
    compared: true,
    ...(maps === undefined ? {} : { map: gapMapOf(all.filter((row) => row.rank === null)) }),
  };
}

function neighboursOf({ group_key, period_start, before, after }: OddRow): WantedNumber[] {
  if (group_key === null || period_start === null) return [];
  return [before, after].flatMap((number) =>
    number === null ? [] : [{ group: group_key, period: period_start, number: BigInt(number) }],
  );
}

function describe(
  series: SeriesToCheck,
  row: OddRow,
  all: readonly OddRow[],
  dates: ReadonlyMap<string, string>,
): Finding {
  const counter = rangeOf(series, row);
  const gap = row.kind === 'missing' ? gapOf(counter, row, dates) : undefined;
  const [kind, what, hint] =
    gap === undefined ? describeOdd(series, row, all) : describeGap(series, row, gap);
  return {
    severity: (['error', 'warning', 'info'] as const)[row.rank],
    area: 'numbers',
    kind,
    object: describeCounter(counter),
    what,
    hint,
    counter,
    ...(gap === undefined ? {} : { gap }),
  };
}

function rangeOf({ name }: SeriesToCheck, row: OddRow): CounterRange {
  return {
    series: name,
    group: row.group_key,
    period: row.period,
    from: BigInt(row.low),
    to: BigInt(row.high),
  };
}

function gapOf(counter: CounterRange, row: OddRow, dates: ReadonlyMap<string, string>): Gap {
  const { explanation: kind, reason, recorded_by: recordedBy, recorded_at: recordedAt } = row;
  const group = row.group_key ?? '';
  const neighbour = (number: string | null): Neighbour | null =>
    number === null
      ? null
      : {
          number: BigInt(number),
          date: dates.get(keyOf({ group, period: row.period_start ?? '', number: BigInt(number) })) ?? null,
        };
  return {
    ...counter,
    group,
    period: row.period ?? '',
    explanation:
      kind === null || reason === null || recordedBy === null || recordedAt === null
        ? null
        : { kind, reason, recordedBy, recordedAt },
    before: neighbour(row.before),
    after: neighbour(row.after),
  };
}

type Words = readonly [kind: string, what: string, hint: string];

function describeGap(series: SeriesToCheck, row: OddRow, gap: Gap): Words {
  const { from, to, explanation, before, after } = gap;
  const range = from === to ? `number ${from}` : `numbers ${from} to ${to}`;
  const are = from === to ? 'is' : 'are';
  if (explanation !== null) {
    if (isCheckoutKind(explanation.kind)) return describeCheckoutGap(series.name, range, explanation);
    const { kind, reason, recordedBy, recordedAt } = explanation;
    const by = describeRecord(recordedBy, recordedAt);
    return kind === 'void'
      ? ['voided_numbers', `${range} ${are} void: ${reason}`, by]
      : ['missing_before_adoption', `${range} ${are} missing since before adoption: ${reason}`, by];
  }
  const lost =
    `Look for deleted rows in ${tablesOf(series)}. Numbers taken with next_number() or allocate(), or by a table or ` +
    `partition that was detached, are in no attached table and show up here, too. Once the reason is known: seqctl void.`;
  if (after !== null) return ['missing_numbers', `${range} ${are} missing, ${describeNeighbours(gap)}`, lost];
  const date = before?.date ?? null;
  const dated = date === null ? '' : ` (${date})`;
  const highest = before === null ? 'none' : `${before.number}${dated}`;
  return [
    'counter_ahead',
    `the counter is at ${row.last_number ?? ''}, the highest number in the table is ${highest}: ${range} ${are} missing`,
    lost,
  ];
}

function describeOdd(series: SeriesToCheck, row: OddRow, all: readonly OddRow[]): Words {
  const wrongCounter =
    'Only seqctl may write seqctl.counter: find out who changed it, or the numbers in the table.';
  switch (row.kind) {
    case 'document':
      return describeDocument(row);
    case 'duplicate':
      return [
        'duplicate_numbers',
        `number ${row.low} stands on ${row.row_count} rows`,
        `Find them in ${tablesOf(series)} and decide which one is right; then look how the others came in.`,
      ];
    case 'below_first':
      return [
        'number_below_first',
        `number ${row.low} is below the first number of the series, ${series.firstNumber}`,
        'seqctl never gave it: find out who wrote it.',
      ];
    case 'counter_behind':
      return (
        describeStranger(series, row, all) ?? [
          'counter_behind',
          `the counter is at ${row.last_number ?? ''}, but the table has numbers up to ${row.high}`,
          wrongCounter,
        ]
      );
    case 'counter_missing':
      return (
        describeStranger(series, row, all) ?? [
          'counter_missing',
          `there is no counter, but the table has numbers up to ${row.high}`,
          wrongCounter,
        ]
      );
    case 'without_counter':
      return [
        'number_without_counter',
        `a number up to ${row.high} stands on a row without a ${row.group_key === null ? 'group' : 'date'}`,
        'Give the row its group and date back: they say which counter its number is from.',
      ];
    default:
      return [
        'counter_below_first',
        `the counter is at ${row.last_number ?? ''}, below the first number of the series, ${series.firstNumber}`,
        wrongCounter,
      ];
  }
}

/** A number that its counter did not give, and that is missing in another one of the same group or period. */
function describeStranger(series: SeriesToCheck, row: OddRow, all: readonly OddRow[]): Words | undefined {
  const number = BigInt(row.high);
  const home = all.find(
    (other) =>
      other.kind === 'missing' &&
      other.rank === 0 &&
      (other.group_key === row.group_key) !== (other.period_start === row.period_start) &&
      BigInt(other.low) <= number &&
      number <= BigInt(other.high),
  );
  if (home === undefined) return undefined;
  const what = home.group_key === row.group_key ? 'period' : 'group';
  const counter = describeCounter({ series: series.name, group: home.group_key, period: home.period });
  const last = row.last_number === null ? 'there is no counter here' : `the counter is at ${row.last_number}`;
  return [
    `number_in_wrong_${what}`,
    `${last}, but a row has number ${number}, which is missing in ${counter}`,
    `Most likely the ${what === 'period' ? 'date' : 'group'} of a row in ${tablesOf(series)} was changed after its number was given: find out which, and change it back.`,
  ];
}

function describeDocument(row: OddRow): Words {
  const is = row.document_number === null ? 'no document number' : `document number ${row.document_number}`;
  // Characters that were random can be any.
  const expected = (row.expected ?? '').replaceAll('\u0001', '?');
  const more = Number(row.row_count) - 1;
  const others = more === 0 ? '' : `; ${more} more row${more === 1 ? ' differs' : 's differ'}, too`;
  const from = row.rank === 1 ? ' It may be from before the table was attached.' : '';
  return [
    'document_number_differs',
    `number ${row.low} has ${is}, by the format it is ${expected}${others}`,
    `Find out who changed document numbers, dates or groups in ${row.target ?? ''}.${from}`,
  ];
}

function tablesOf(series: SeriesToCheck): string {
  return series.attachments.map(({ target }) => target).join(', ');
}

function unchecked(
  series: SeriesToCheck,
  reason: string,
  hint: string,
): { compared: false; problems: readonly Finding[] } {
  const finding: Finding = {
    severity: 'error',
    area: 'numbers',
    kind: 'numbers_unchecked',
    object: `series ${series.name}`,
    what: `its numbers were not checked: ${reason}`,
    hint,
  };
  return { compared: false, problems: [finding] };
}
