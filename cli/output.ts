import { SeqctlError } from './errors.js';

/** Where text goes; given by main.ts, replaced in tests. */
export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** A cell of a table; null is shown as nothing. */
export type Cell = string | number | bigint | boolean | null;

export interface TableColumn<Row> {
  readonly title: string;
  readonly value: (row: Row) => Cell;
  /** Numbers are put to the right by themselves; this is for texts like `0.4 s`. */
  readonly alignRight?: boolean;
}

export interface NoticeText {
  /** e.g. `WARNING` */
  readonly severity: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** One command's output: the result on stdout, as text or as one JSON document; everything else on stderr. */
export class Output {
  constructor(
    private readonly streams: Streams,
    private readonly json: boolean,
  ) {}

  /** Called once by a command: `document` with --json, else the text. */
  result(document: unknown, text: string): void {
    this.streams.stdout(this.json ? `${toJson(document)}\n` : `${text}\n`);
  }

  /** Progress and warnings. */
  progress = (text: string): void => {
    this.streams.stderr(`seqctl: ${text}\n`);
  };

  /** What PostgreSQL said besides the result. */
  notice = ({ severity, message, detail, hint }: NoticeText): void => {
    const lines = [`${severity.toLowerCase()}: ${message}`];
    if (detail !== undefined) lines.push(indent('detail: ', detail));
    if (hint !== undefined) lines.push(indent('hint: ', hint));
    this.streams.stderr(`${lines.join('\n')}\n`);
  };
}

/** bigint becomes a string: JSON's readers lose digits of large numbers. */
export function toJson(document: unknown): string {
  return JSON.stringify(
    document,
    (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  );
}

/** Aligned columns under a line of titles; numbers to the right. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly TableColumn<Row>[]): string {
  const rendered = columns.map(({ title, value, alignRight = false }) => {
    const values = rows.map(value);
    const cells = [title, ...values.map((cell) => printable(String(cell ?? '')))];
    const width = cells.reduce((most, cell) => Math.max(most, cell.length), 0);
    const isRight = alignRight || values.some((cell) => ['number', 'bigint'].includes(typeof cell));
    return cells.map((cell) => (isRight ? cell.padStart(width) : cell.padEnd(width)));
  });
  const lines = [-1, ...rows.keys()].map((row) =>
    rendered
      .map((cells) => cells[row + 1] ?? '')
      .join('  ')
      .trimEnd(),
  );
  return lines.join('\n');
}

/** `name  value` lines, the values aligned. */
export function formatFacts(facts: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value ?? ''))}`.trimEnd())
    .join('\n');
}

/** Keeps a cell on one line, and what is in a database from steering the terminal. */
export function printable(text: string): string {
  const names: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => names[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** What happened to what, then detail and hint, each on lines of its own. */
export function formatError(error: unknown, verbose: boolean): string {
  const lines: string[] = [];
  if (error instanceof SeqctlError) {
    const sqlstate = error.sqlstate === undefined ? '' : ` [${error.sqlstate}]`;
    lines.push(`error: ${error.message}${sqlstate}`);
    if (error.detail !== undefined) lines.push(indent('detail: ', error.detail));
    if (error.hint !== undefined) lines.push(indent('hint: ', error.hint));
  } else {
    lines.push(`error: ${error instanceof Error ? error.message : String(error)}`);
    lines.push('hint: this looks like a bug of seqctl; please report it with the output of --verbose');
  }
  if (verbose) lines.push(formatStack(error));
  return `${lines.join('\n')}\n`;
}

/** The same for --json, so that stdout has one document on failure, too. */
export function errorDocument(error: SeqctlError): unknown {
  const { message, sqlstate = null, detail = null, hint = null, exitCode } = error;
  return { error: { message, sqlstate, detail, hint, exitCode } };
}

function indent(label: string, text: string): string {
  return label + text.replaceAll('\n', `\n${' '.repeat(label.length)}`);
}

function formatStack(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const cause = error.cause === undefined ? '' : `\ncaused by: ${formatStack(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
