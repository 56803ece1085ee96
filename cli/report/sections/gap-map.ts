import type { CounterGaps, GapCell } from '../../verify/gap-map.js';
import { type Html, html } from '../html.js';
import type { GapTone } from '../words.js';

/** A square in which a number is missing, and what is said when it is pointed at. */
export interface MapCell extends GapCell {
  readonly text: string;
  readonly tone: GapTone | 'mixed';
}

/** Squares a line: as many as a phone is wide. */
const perLine = 20;
const square = 11;
const step = 13;

/** What all maps of the page share; squares of numbers that are there are one rectangle filled with this. */
export const mapDefinitions = html`<svg class="definitions" width="0" height="0" aria-hidden="true">
  <defs>
    <pattern id="there" width="${step}" height="${square}" patternUnits="userSpaceOnUse">
      <rect class="there" width="${square}" height="${square}" />
    </pattern>
    <pattern id="late" width="1" height="1">
      <rect class="open" width="${square}" height="${square}" />
      <circle class="hole" cx="5.5" cy="5.5" r="2" />
    </pattern>
  </defs>
</svg>`;

/**
 * Lines of squares, from the counter's first number to its last. Only a square with missing numbers is an element of its own. One
 * of a map's squares is a tab stop, the arrow keys lead to the others; without the script of the page, the list says the same.
 */
export function drawMap(counter: CounterGaps, cells: readonly MapCell[], label: string): Html {
  const squares = Number((counter.last - counter.first) / counter.cellWidth) + 1;
  const left = counter.last.toString().length * 7 + 8;
  const lines: Html[] = [];
  let next = 0;
  for (let start = 0; start < squares; start += perLine) {
    const length = Math.min(perLine, squares - start);
    const marks: Html[] = [];
    for (let cell = cells[next]; cell !== undefined && cell.index < start + length; cell = cells[next]) {
      marks.push(drawCell(cell, start, next === 0));
      next += 1;
    }
    const from = counter.first + BigInt(start) * counter.cellWidth;
    const width = left + perLine * step;
    lines.push(
      html`<svg width="${width}" height="16" viewBox="0 -2 ${width} 16">
        <text x="${left - 8}" y="9">${from}</text>
        <g transform="translate(${left})">
          <rect width="${length * step - (step - square)}" height="${square}" fill="url(#there)" />
          ${marks}
        </g>
      </svg> `,
    );
  }
  return html`<div
    class="map"
    role="group"
    aria-label="${label}: arrow keys lead from one missing number to the next"
  >
    ${lines}
  </div>`;
}

function drawCell(cell: MapCell, start: number, isFirst: boolean): Html {
  // The line around it lies half outside.
  const inset = cell.tone === 'open' || cell.tone === 'late' ? 0 : 1;
  const side = square - 2 * inset;
  const x = (cell.index - start) * step + inset;
  return html`<rect
    class="${classes[cell.tone]}"
    x="${x}"
    y="${inset}"
    width="${side}"
    height="${side}"
    tabindex="${isFirst ? '0' : '-1'}"
    role="img"
    aria-label="${cell.text}"
  />`;
}

const classes: Record<MapCell['tone'], string> = {
  open: 'open',
  late: 'late',
  out: 'out',
  known: 'known',
  mixed: 'open mixed',
};

/** What the squares mean, in words; those that not every series has, only where they are. */
export function mapLegend(tones: ReadonlySet<GapTone>): Html {
  const ring = html`x="1" y="1" width="9" height="9"`;
  return html`<ul class="legend">
    <li>${sample(html`<rect class="there" width="11" height="11" />`)}there</li>
    <li>${sample(html`<rect class="open" width="11" height="11" />`)}missing without a reason</li>
    ${tones.has('late') ? html`<li>${sample(html`<rect class="late" width="11" height="11" />`)}checked out, past its time</li>` : ''}
    ${tones.has('out') ? html`<li>${sample(html`<rect class="out" ${ring} />`)}checked out, or waits to be given again</li>` : ''}
    <li>${sample(html`<rect class="known" ${ring} />`)}missing, explained</li>
  </ul>`;
}

function sample(shape: Html): Html {
  return html`<svg width="11" height="11" aria-hidden="true">${shape}</svg>`;
}
