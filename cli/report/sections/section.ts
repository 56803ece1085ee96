import { type Content, fitting, type Html, html } from '../html.js';
import type { Report, SeriesReport } from '../report.js';
import { count } from '../words.js';

/** A chapter of the page; null: there is nothing to say. Returns no more than about `bytes`. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly render: (report: Report, bytes: number) => Html | null;
  /** Its share of the page, in bytes. */
  readonly bytes: number;
}

/** A part of each series' chapter. */
export interface SeriesSection {
  readonly title: string;
  readonly render: (one: SeriesReport, bytes: number) => Html | null;
  /** Its share of what the series has, of 1. */
  readonly share: number;
}

interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => Content;
  /** Digits under digits. */
  readonly isNumber?: boolean;
  /** It says what the row is about. */
  readonly isHeader?: boolean;
  /** Texts of any length, which may break anywhere; `wide` takes what width is left. */
  readonly text?: 'any' | 'wide';
}

export interface TableOptions {
  /** For those who cannot see the heading above. */
  readonly label: string;
  readonly bytes: number;
  /** How many rows there are in all; left out: as many as there are here. */
  readonly total?: number;
  /** What the rows are called, and where all of them are, e.g. `entries: select * from seqctl.voids`. */
  readonly more?: (left: number) => Content;
}

/** A table that says how many rows it leaves out. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], options: TableOptions): Html {
  const { label, bytes, total = rows.length, more } = options;
  const head = columns.map(({ title, isNumber = false }) =>
    isNumber ? html`<th scope="col" class="n">${title}</th>` : html`<th scope="col">${title}</th>`,
  );
  const { parts } = fitting(
    bytes,
    rows,
    (row) =>
      html`<tr>
        ${columns.map((column) => cell(column, row))}
      </tr> `,
  );
  const left = total - parts.length;
  const rest =
    left > 0
      ? html`<p class="more">… and ${count(left)} more${more === undefined ? '' : more(left)}.</p>`
      : '';
  if (parts.length === 0) return html`${rest}`;
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
      <table>
        <thead>
          <tr>
            ${head}
          </tr>
        </thead>
        <tbody>
          ${parts}
        </tbody>
      </table>
    </div>
    ${rest}`;
}

function cell<T>({ value, isHeader = false, isNumber = false, text }: Column<T>, row: T): Html {
  const content = value(row);
  if (isHeader) return html`<th scope="row">${content}</th>`;
  if (isNumber) return html`<td class="n">${content}</td>`;
  if (text === undefined) return html`<td>${content}</td>`;
  return html`<td class="${text === 'wide' ? 'w' : 't'}">${content}</td>`;
}
