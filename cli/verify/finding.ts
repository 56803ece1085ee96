/** One thing that is not as it should be. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** What was looked at: the installation, an attached table, or the numbers of a counter. */
  readonly area: 'installation' | 'table' | 'numbers';
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
}

export interface CounterRange {
  readonly series: string;
  readonly group: string | null;
  readonly period: string | null;
  /** First and last number the finding is about. */
  readonly from: bigint;
  readonly to: bigint;
}
