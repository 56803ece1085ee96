import type { Gap, Neighbour } from '../../verify/gap.js';
import type { CounterGaps, GapCell } from '../../verify/gap-map.js';
import { clip, type Content, fitting, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import {
  count,
  counted,
  counterName,
  gapsCommand,
  type GapTone,
  moment,
  neighbour,
  range,
  stateOf,
  toneOf,
} from '../words.js';
import { drawMap, type MapCell, mapLegend } from './gap-map.js';
import { type SeriesSection, table } from './section.js';

export const gaps: SeriesSection = { title: 'Missing numbers', share: 0.33, render };

/** With less than this, a counter would have a map and no list. */
const leastBytes = 15_000;

/** Each counter with missing numbers: a map of it, then the same as a list, which paper has, too. */
function render(one: SeriesReport, bytes: number): Html | null {
  const { map, series } = one;
  if (map === null) return null;
  if (map.counterCount === 0)
    return one.given === 0n ? null : html`<p>None: every number from the first to the last is there.</p>`;
  const listed = listedByCounter(one);
  const shown = inOrder(map.counters);
  let left = bytes;
  const parts: Html[] = [];
  for (const [index, counter] of shown.entries()) {
    const part = renderCounter(
      one,
      counter,
      listed.get(keyOf(counter)) ?? [],
      Math.max(left / (shown.length - index), leastBytes),
    );
    if (part.bytes > left) break;
    left -= part.bytes;
    parts.push(part);
  }
  const omitted = map.counterCount - parts.length;
  const rest =
    omitted === 0
      ? ''
      : html`<p class="note">
          ${counted(omitted, 'more counter')} with missing numbers would make this page too long. The tables
          above have their sums; this lists every gap:
          <code>${gapsCommand(series.name, '', one.gaps.total)}</code>
        </p>`;
  return html`${mapLegend(new Set(one.gaps.entries.map(toneOf)))}${parts}${rest}`;
}

function renderCounter(
  { series }: SeriesReport,
  counter: CounterGaps,
  listed: readonly Gap[],
  bytes: number,
): Html {
  const command = gapsCommand(series.name, counter.group, counter.gaps);
  const name = counterName(counter);
  const unexplained = counter.missing - counter.explained;
  const sums = [
    `${counted(counter.missing, 'number')} missing in ${counted(counter.gaps, 'gap')} between ${counter.first} and ${counter.last}`,
    unexplained === 0n
      ? 'all explained'
      : counter.explained === 0n
        ? 'none explained'
        : `${count(unexplained)} without a reason`,
  ].join(': ');
  const isListed = listed.length === counter.gaps;
  const cells = counter.cells.map((cell): MapCell => {
    const inside = isListed ? listed.filter(({ from, to }) => from <= cell.to && to >= cell.from) : [];
    return inside.length === 0
      ? { ...cell, tone: toneOfSums(cell), text: describeSums(cell) }
      : { ...cell, tone: toneOfGaps(inside), text: describeGaps(inside, cell) };
  });
  const map = drawMap(counter, cells, `Map of ${clip(name)}`);
  const head = html`<h4>${clip(name)}</h4>
    <p class="sums">
      ${sums}.${counter.cellWidth === 1n ? '' : ` A square is ${counted(counter.cellWidth, 'number')}.`}
    </p> `;
  const room = bytes - head.bytes - map.bytes;
  if (room < 0) {
    return html`${head}
      <p class="note">
        Its map would make this page too long. This lists every gap: <code>${command}</code>
      </p>`;
  }
  const list = isListed ? gapTable(listed, name, room, command) : sumsList(counter, room, command);
  return html`<div class="counter">${head}${map} ${list}</div> `;
}

function toneOfSums({ explained, missing }: GapCell): MapCell['tone'] {
  if (explained === 0n) return 'open';
  return explained === missing ? 'known' : 'mixed';
}

/** Where one square has several gaps: what is said of all of them. */
function toneOfGaps(gaps: readonly Gap[]): MapCell['tone'] {
  const tones = new Set(gaps.map(toneOf));
  const [first = 'open'] = tones;
  if (tones.size === 1) return first;
  const isExplained = !tones.has('open') && !tones.has('late');
  if (isExplained) return 'known';
  return tones.has('known') || tones.has('out') ? 'mixed' : 'open';
}

const stateClass: Record<GapTone, string> = { open: 'bad', late: 'bad', out: 'out', known: 'known' };

function gapTable(gaps: readonly Gap[], name: string, bytes: number, command: string): Html {
  return table(
    gaps,
    [
      { title: 'Missing', isHeader: true, value: range },
      { title: 'Numbers', isNumber: true, value: ({ from, to }) => count(to - from + 1n) },
      {
        title: 'State',
        value: (gap) => html`<span class="state ${stateClass[toneOf(gap)]}">${stateOf(gap)}</span>`,
      },
      { title: 'Reason', text: 'wide', value: reason },
      { title: 'Number before', value: ({ before }) => beside(before) },
      { title: 'Number after', value: ({ after }) => beside(after) },
    ],
    { label: `Missing numbers of ${clip(name)}`, bytes, more: () => html` gaps: <code>${command}</code>` },
  );
}

function beside(one: Neighbour | null): Content {
  if (one === null) return '–';
  return html`${one.number} ${one.date === null ? '' : html`<span class="by date">${one.date}</span>`}`;
}

function reason({ explanation }: Gap): Html {
  if (explanation === null) return html`<span class="by">none is recorded</span>`;
  const { reason, recordedBy, recordedAt } = explanation;
  return html`${clip(reason)} <span class="by">recorded by ${recordedBy}, ${moment(recordedAt)}</span>`;
}

/** Where there are too many gaps to list: square by square. */
function sumsList(counter: CounterGaps, bytes: number, command: string): Html {
  const { cells, gaps, cellWidth } = counter;
  const groups: readonly (readonly [title: string, cells: readonly GapCell[]])[] = [
    ['Missing without a reason', cells.filter(({ explained }) => explained === 0n)],
    [
      'Missing, some of them explained',
      cells.filter(({ explained, missing }) => explained > 0n && explained < missing),
    ],
    ['Missing, explained', cells.filter(({ explained, missing }) => explained === missing)],
  ];
  let left = bytes;
  const lists = groups
    .filter(([, own]) => own.length > 0)
    .map(([title, own]) => {
      const { parts, bytes: used } = fitting(left, own, sumsItem);
      left -= used;
      const unlisted = own.length - parts.length;
      const rest = unlisted === 0 ? '' : html`<li>… and ${counted(unlisted, 'more square')}</li>`;
      return html`<p class="by">${title}</p>
        <ul class="squares">
          ${parts}${rest}
        </ul>`;
    });
  return html`<p class="note">
      ${counted(gaps, 'gap')} are too many for one page. They are summed up here,
      ${counted(cellWidth, 'number')} at a time; this lists every one: <code>${command}</code>
    </p>
    ${lists}`;
}

function sumsItem(cell: GapCell): Html {
  const { missing, explained } = cell;
  const some = explained > 0n && explained < missing ? `, ${count(explained)} explained` : '';
  return html`<li><b>${range(cell)}</b>: ${count(missing)}${some}</li>`;
}

interface Sums {
  readonly missing: bigint;
  readonly explained: bigint;
}

function shortSums({ missing, explained }: Sums): string {
  if (explained === 0n) return `${count(missing)} missing, no reason`;
  if (explained === missing) return `${count(missing)} missing, explained`;
  return `${count(missing)} missing, ${count(missing - explained)} without a reason`;
}

/** e.g. `Numbers 2501 to 5000: 1,250 missing in 1,250 gaps, no reason` */
function describeSums(cell: GapCell): string {
  const numbers = cell.from === cell.to ? 'Number' : 'Numbers';
  return `${numbers} ${range(cell)}: ${shortSums(cell)}; ${counted(cell.gaps, 'gap')}, summed up here`;
}

/** More in one square than anybody reads in a note. */
const notedGaps = 6;

function describeGaps(gaps: readonly Gap[], cell: { readonly from: bigint; readonly to: bigint }): string {
  const lines = gaps.slice(0, notedGaps).map(describeGap);
  const more = gaps.length - lines.length;
  const rest = more === 0 ? [] : [`and ${counted(more, 'more gap')} up to ${cell.to}: see the list`];
  return [...lines, ...rest].join(' · ');
}

function describeGap(gap: Gap): string {
  const { from, to, explanation, before, after } = gap;
  const what = from === to ? `Number ${from} is missing` : `Numbers ${from} to ${to} are missing`;
  if (explanation !== null) return `${what}: ${explanation.kind}, ${clip(explanation.reason, 200)}`;
  const beside = [
    ...(before === null ? [] : [`after ${neighbour(before) ?? ''}`]),
    ...(after === null ? [] : [`before ${neighbour(after) ?? ''}`]),
  ].join(', ');
  return `${what}: unexplained${beside === '' ? '' : `; ${beside}`}`;
}

function listedByCounter({ gaps }: SeriesReport): Map<string, Gap[]> {
  const listed = new Map<string, Gap[]>();
  for (const gap of gaps.entries) {
    const own = listed.get(keyOf(gap));
    if (own === undefined) listed.set(keyOf(gap), [gap]);
    else own.push(gap);
  }
  for (const own of listed.values()) own.sort((a, b) => (a.from < b.from ? -1 : 1));
  return listed;
}

/** Those with unexplained gaps first, then the latest period, then by group. */
function inOrder(counters: readonly CounterGaps[]): CounterGaps[] {
  const rank = ({ missing, explained }: CounterGaps): number => (missing > explained ? 0 : 1);
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return counters.toSorted(
    (a, b) => rank(a) - rank(b) || compare(b.period, a.period) || compare(a.group, b.group),
  );
}

function keyOf({ group, period }: { readonly group: string; readonly period: string }): string {
  return `${period}\n${group}`;
}
