import type { Lease } from '../operations/leases.js';
import { quote } from '../shell.js';
import { type Explanation, type Gap, isExplained, type Neighbour } from '../verify/gap.js';
import type { Missing, SeriesReport } from './report.js';

const thousands = new Intl.NumberFormat('en-GB');

/** A quantity: `12,345`. A document's own number is written as it is. */
export function count(quantity: number | bigint): string {
  return thousands.format(quantity);
}

/** `1 number`, `2 numbers` */
export function counted(quantity: number | bigint, word: string, plural = `${word}s`): string {
  return `${count(quantity)} ${BigInt(quantity) === 1n ? word : plural}`;
}

/** `4`, `4 to 7` */
export function range({ from, to }: { readonly from: bigint; readonly to: bigint }): string {
  return from === to ? from.toString() : `${from} to ${to}`;
}

/** `2026-03-09 14:05 UTC` */
export function moment(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** What is known of a counter: `2026, group acme`; a counter of a series without both is its only one. */
export function counterName({ group, period }: { readonly group: string; readonly period: string }): string {
  const parts = [...(period === '' ? [] : [period]), ...(group === '' ? [] : [`group ${group}`])];
  return parts.length === 0 ? 'all numbers' : parts.join(', ');
}

export function stateOf({ explanation }: Gap): Explanation['kind'] | 'unexplained' {
  return explanation?.kind ?? 'unexplained';
}

/** How it stands with a missing number: nobody knows why; it was not settled in time; it is on its way; there is a reason. */
export type GapTone = 'open' | 'late' | 'out' | 'known';

export function toneOf(gap: Gap): GapTone {
  const state = stateOf(gap);
  if (!isExplained(gap)) return state === 'expired checkout' ? 'late' : 'open';
  return state === 'checked out' || state === 'released' ? 'out' : 'known';
}

export function leaseState({ state, waits }: Lease): string {
  if (waits) return 'released, waits';
  if (state === 'open') return 'checked out';
  return state === 'finalized' ? 'finalized, no row' : state;
}

export function leaseTone({ state }: Lease): 'bad' | 'out' | 'known' {
  if (state === 'expired') return 'bad';
  return state === 'finalized' ? 'known' : 'out';
}

/** `between 3 (2026-01-04) and 9 (2026-05-01)` in a few words */
export function neighbour(one: Neighbour | null): string | null {
  if (one === null) return null;
  return one.date === null ? one.number.toString() : `${one.number} (${one.date})`;
}

export type SeriesState = 'empty' | 'gapless' | 'explained' | 'unexplained' | 'not compared';

export function seriesState({
  missing,
  given,
  attachments,
}: Pick<SeriesReport, 'missing' | 'given' | 'attachments'>): SeriesState {
  // A table that could not be read may have anything in it.
  if (missing === null) return given === 0n && attachments.length === 0 ? 'empty' : 'not compared';
  if (missing.unexplained > 0n) return 'unexplained';
  if (missing.explained > 0n) return 'explained';
  return given === 0n ? 'empty' : 'gapless';
}

export function missingOf(series: readonly SeriesReport[]): Missing {
  const add = (value: (missing: Missing) => bigint): bigint =>
    series.reduce((sum, { missing }) => sum + (missing === null ? 0n : value(missing)), 0n);
  return { explained: add(({ explained }) => explained), unexplained: add(({ unexplained }) => unexplained) };
}

/** Series with numbers that nobody can say are there. */
export function uncompared(series: readonly SeriesReport[]): SeriesReport[] {
  return series.filter((one) => seriesState(one) === 'not compared');
}

/** The command that lists every gap of a series, or of one group. */
export function gapsCommand(series: string, group = '', gaps = 0): string {
  const only = group === '' ? '' : ` --group ${quote(group)}`;
  return `seqctl gaps --series ${quote(series)}${only} --limit ${Math.max(gaps, 1000)}`;
}

/** For a checkout past its time: a document has the number, or none has. */
export function settleCommand({ series, correlationId }: Lease): string {
  return `seqctl lease finalize ${quote(series)} ${quote(correlationId)}, or release`;
}
