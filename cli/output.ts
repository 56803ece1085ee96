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

  /**
   * For a result with a list that is too long for memory: `write` gets its pieces, as text and, with --json, as elements of `name`, the first
   * property of the document. What `work` returns is the rest. Should it fail after the first piece, the error is the rest.
   */
  async resultWithList<Row, Rest extends { readonly document: object; readonly text: string }>(
    name: string,
    toText: (rows: readonly Row[]) => string,
    work: (write: (rows: readonly Row[]) => void) => Promise<Rest>,
  ): Promise<Rest> {
    let pieces = 0;
    const write = (rows: readonly Row[]): void => {
      if (rows.length === 0) return;
      if (this.json) {
        const elements = rows.map((row) => `    ${toJson(row).replaceAll('\n', '\n    ')}`).join(',\n');
        this.streams.stdout(`${pieces > 0 ? ',\n' : `{\n  ${JSON.stringify(name)}: [\n`}${elements}`);
      } else {
        this.streams.stdout(`${toText(rows)}\n`);
      }
      pieces += 1;
    };
    const rest = await work(write).catch((error: unknown) => {
      if (this.json && pieces > 0 && error instanceof SeqctlError) {
        this.streams.stdout(`\n  ],${toJson(errorDocument(error)).slice(1)}\n`);
        inDocument.add(error);
      }
      throw error;
    });
    const { document, text } = rest;
    if (pieces === 0) this.result({ [name]: [], ...document }, text);
    else if (this.json) this.streams.stdout(`\n  ],${toJson(document).slice(1)}\n`);
    else this.streams.stdout(text);
    return rest;
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

/** Errors that stand in the document of the command that failed. */
const inDocument = new WeakSet<SeqctlError>();

/** Whether the error was printed with the part of the result that there was. */
export function isInDocument(error: SeqctlError): boolean {
  return inDocument.has(error);
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
  return new TableLines(columns).add(rows);
}

/** A table piece by piece: a column grows as wide as it must, so a later piece can be wider. */
export class TableLines<Row> {
  readonly #columns: { column: TableColumn<Row>; width: number; isRight: boolean }[];
  #isBegun = false;

  constructor(columns: readonly TableColumn<Row>[]) {
    this.#columns = columns.map((column) => ({
      column,
      width: column.title.length,
      isRight: column.alignRight ?? false,
    }));
  }

  /** The titles come before the first rows. */
  add(rows: readonly Row[]): string {
    const titles = this.#isBegun ? [] : [null];
    this.#isBegun = true;
    const rendered = this.#columns.map((state) => {
      const { title, value } = state.column;
      const values = rows.map(value);
      const cells = [...titles.map(() => title), ...values.map((cell) => printable(String(cell ?? '')))];
      state.width = cells.reduce((most, cell) => Math.max(most, cell.length), state.width);
      state.isRight ||= values.some((cell) => ['number', 'bigint'].includes(typeof cell));
      return cells.map((cell) => (state.isRight ? cell.padStart(state.width) : cell.padEnd(state.width)));
    });
    return [...titles, ...rows]
      .map((_row, line) =>
        rendered
          .map((cells) => cells[line] ?? '')
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
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
