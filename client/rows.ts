// As pg gives them unless its type parsers were changed: bigint and regclass are strings, timestamps and dates are Dates.

/** A row of `seqctl.counters`. */
export interface CounterRow {
  readonly series: string;
  readonly group_key: string;
  /** e.g. `2026` or `FY2026`; empty where the series never resets. */
  readonly period: string;
  readonly first_number: string;
  /** One less than `first_number` where nothing was given yet. */
  readonly last_number: string;
  /** How many numbers were given. */
  readonly given: string;
  readonly max_number: string | null;
  /** First day of the period, at midnight of the local time zone; null where the series never resets. */
  readonly period_start: Date | null;
  /** No number is given in a closed period. */
  readonly closed: boolean;
}

/** A row of `seqctl.attachments`. */
export interface AttachmentRow {
  /** The table, with its schema unless that is in the search_path. */
  readonly target: string;
  readonly number_column: string;
  readonly series: string;
  readonly date_column: string | null;
  /** As PostgreSQL writes an array, e.g. `{company,till}`; select `group_columns::text[]` for a JavaScript one. */
  readonly group_columns: string;
  readonly document_number_column: string | null;
  /** The condition under which a row is issued; null: every row is. */
  readonly issue_when: string | null;
  readonly assign: 'insert' | 'commit' | 'manual';
  readonly chronology: 'off' | 'enforce' | 'stamp';
  readonly protect: boolean;
  /** What the hash chain covers besides number, document number, group and date; written as an array. */
  readonly chain_columns: string;
  readonly unique_index: string | null;
  readonly attached_at: Date;
  readonly attached_by: string;
}

/** A row of `seqctl.checkouts`. */
export interface CheckoutRow {
  readonly series: string;
  readonly group_key: string;
  /** e.g. `2026` or `FY2026`; empty where the series never resets. */
  readonly period: string;
  readonly number: string;
  readonly document_number: string;
  readonly correlation_id: string;
  /** `expired` is open, too. */
  readonly state: 'open' | 'expired' | 'finalized' | 'released';
  readonly opened_at: Date;
  readonly opened_by: string;
  readonly expires_at: Date;
  readonly settled_at: Date | null;
  readonly settled_by: string | null;
  /** `expired`: the next caller released it. */
  readonly settled_how: 'finalize' | 'release' | 'expired' | null;
  readonly reference: string | null;
  /** Released, and the number waits to be given again. */
  readonly waits: boolean;
  /** The date that it was checked out for, at midnight of the local time zone. */
  readonly on_date: Date | null;
  /** First day of the period, likewise; null where the series never resets. */
  readonly period_start: Date | null;
}

/** A row of `seqctl.series`. */
export interface SeriesRow {
  readonly id: number;
  readonly name: string;
  readonly format: string;
  readonly reset: 'never' | 'yearly' | 'quarterly' | 'monthly' | 'daily';
  /** `MM-DD` */
  readonly fiscal_year_start: string;
  readonly time_zone: string;
  readonly first_number: string;
  readonly max_number: string | null;
  /** Characters of a document number. */
  readonly max_length: number | null;
  /** Each number that is issued adds a link to the hash chain of its counter. */
  readonly chain: boolean;
  readonly external_code: string | null;
  readonly purpose: string | null;
  /** What others get while a number is checked out. */
  readonly on_checkout: 'wait' | 'fail' | 'recycle';
  /** What becomes of a checkout that has expired. */
  readonly ttl_action: 'keep' | 'release';
  readonly periods_changed_at: Date;
  readonly created_at: Date;
  readonly created_by: string;
}
