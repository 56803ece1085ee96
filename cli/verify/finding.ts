import type { Gap } from './gap.js';

/** One thing that is not as it should be, or (`info`) that has its explanation. */
export interface Finding {
  readonly severity: Severity;
  /** What was looked at: the server, the installation, an attached table, or the numbers of a counter. */
  readonly area: 'server' | 'installation' | 'table' | 'numbers';
  /** A short name for programs, e.g. `missing_function`, `trigger_disabled`, `missing_numbers`. */
  readonly kind: string;
  /** What it is about, e.g. `function seqctl.peek(text,text,date)`, `public.invoices`, `invoice / acme / 2026`. */
  readonly object: string;
  /** What is wrong with it. */
  readonly what: string;
  /** What to do next. */
  readonly hint: string;
  /** For findings about numbers. */
  readonly counter?: CounterRange;
  /** For missing numbers. */
  readonly gap?: Gap;
}

export type Severity = 'error' | 'warning' | 'info';

export interface CounterRange {
  readonly series: string;
  readonly group: string | null;
  readonly period: string | null;
  /** First and last number the finding is about. */
  readonly from: bigint;
  readonly to: bigint;
}

/** e.g. `invoice / acme / 2026` */
export function describeCounter({ series, group, period }: Omit<CounterRange, 'from' | 'to'>): string {
  return [series, group ?? '(no group)', period ?? '(no date)'].filter((part) => part !== '').join(' / ');
}

/** e.g. `Recorded by anna on 2026-01-31 10:00 UTC.` */
export function describeRecord(by: string, at: Date): string {
  return `Recorded by ${by} on ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC.`;
}
