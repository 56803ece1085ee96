import { fitting, type Html, html } from '../html.js';
import type { MonthOfNumbers, YearOfNumbers } from '../months.js';
import type { SeriesReport } from '../report.js';
import { count, counted } from '../words.js';
import { type SeriesSection, table } from './section.js';

export const months: SeriesSection = { title: 'Numbers issued by month', share: 0.12, render };

/** Months of more years are summed up by year. */
const shownYears = 6;

const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Tables whose rows are bars: every bar has its number beside it, on a screen, on paper and for a screen reader. */
function render({ months: { years, undated }, compared }: SeriesReport, bytes: number): Html | null {
  if (!compared) return null;
  if (years.length === 0 && undated === 0n) return html`<p>No row has a number yet.</p>`;
  const newest = years.slice(0, shownYears);
  const highest = newest
    .flatMap((year) => year.months.map(({ numbers }) => numbers))
    .reduce((most, numbers) => (numbers > most ? numbers : most), 1n);
  const drawn = fitting(bytes * 0.8, newest, (year) => drawYear(year, highest));
  const earlier = years.slice(drawn.parts.length);
  return html`${drawn.parts.length === 0 ? '' : html`<div class="years">${drawn.parts}</div>`}
  ${earlier.length === 0 ? '' : earlierYears(earlier, bytes * 0.2)}
  ${undated === 0n ? '' : html`<p class="note">${counted(undated, 'row has', 'rows have')} no date (a table without a date column, or an empty one), and ${undated === 1n ? 'is' : 'are'} in no month.</p>`}`;
}

function drawYear({ label, months }: YearOfNumbers, highest: bigint): Html {
  const rows = months.map(
    (month) =>
      html`<tr>
        <th scope="row">${nameOf(month, months)}</th>
        <td class="n">${month.numbers === 0n ? '–' : count(month.numbers)}</td>
        <td class="bar">${bar(month, highest)}</td>
      </tr> `,
  );
  return html`<table class="year">
    <caption>
      ${label}
      <span>${counted(sumOf(months), 'number')}</span>
    </caption>
    <thead class="unseen">
      <tr>
        <th scope="col">Month</th>
        <th scope="col">Numbers</th>
        <th scope="col">Bar</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table> `;
}

function bar({ numbers }: MonthOfNumbers, highest: bigint): Html | '' {
  if (numbers === 0n) return '';
  // A hundredth of a per cent is less than a pixel.
  const percent = Number((numbers * 10_000n) / highest) / 100;
  return html`<svg width="100%" height="10" aria-hidden="true">
    <rect width="${Math.max(percent, 0.5)}%" height="10" />
  </svg>`;
}

/** With its year where it is not clear from the label. */
function nameOf({ month }: MonthOfNumbers, months: readonly MonthOfNumbers[]): string {
  const [year = '', number = ''] = month.split('-');
  const name = names[Number(number) - 1] ?? month;
  const first = months[0]?.month ?? '';
  return first.endsWith('-01') ? name : `${name} ${year}`;
}

function earlierYears(years: readonly YearOfNumbers[], bytes: number): Html {
  return table(
    years,
    [
      { title: 'Year', isHeader: true, value: ({ label }) => label },
      { title: 'Numbers', isNumber: true, value: ({ months }) => count(sumOf(months)) },
    ],
    { label: 'Years without a chart', bytes, more: () => ' years' },
  );
}

function sumOf(months: readonly MonthOfNumbers[]): bigint {
  return months.reduce((sum, { numbers }) => sum + numbers, 0n);
}
