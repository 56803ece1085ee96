import { clip, type Html, html } from '../html.js';
import type { Report, SeriesReport } from '../report.js';
import { counted, seriesState, type SeriesState } from '../words.js';
import { chain } from './chain.js';
import { checkouts } from './checkouts.js';
import { closings } from './closings.js';
import { corrections } from './corrections.js';
import { counters } from './counters.js';
import { gaps } from './gaps.js';
import { months } from './months.js';
import { periods } from './periods.js';
import { rules } from './rules.js';
import type { SeriesSection } from './section.js';
import { voids } from './voids.js';

/** The parts of a series' chapter, in order. What is added here gets a share of its bytes. */
const parts: readonly SeriesSection[] = [
  periods,
  counters,
  months,
  gaps,
  checkouts,
  voids,
  corrections,
  closings,
  chain,
  rules,
];

/** With less than this, a chapter would say nothing. */
const leastBytes = 8_000;

/** The chapters of all series in as many bytes as there are, each with its share of what is left: more where more is to be said. */
export function renderSeries({ series }: Report, bytes: number): Html {
  const chapters: Html[] = [];
  let left = bytes;
  let weights = series.reduce((sum, one) => sum + weightOf(one), 0);
  for (const one of inOrder(series)) {
    if (left < leastBytes) break;
    const chapter = renderOne(one, Math.max((left * weightOf(one)) / weights, leastBytes));
    chapters.push(chapter);
    left -= chapter.bytes;
    weights -= weightOf(one);
  }
  const omitted = series.length - chapters.length;
  const rest =
    omitted === 0
      ? ''
      : html`<p class="note">
          ${counted(omitted, 'more series', 'more series')} would make this page too long.
          <code>seqctl report --series NAME</code> shows one of them.
        </p>`;
  return html`${chapters}${rest}`;
}

/** The target of links to a series; its name can be anything. */
export function anchorOf({ series }: SeriesReport): string {
  return `series-${series.id}`;
}

/** Those with unexplained gaps first, so that they are in the page, whatever is not. */
function inOrder(series: readonly SeriesReport[]): SeriesReport[] {
  return series.toSorted((a, b) => weightOf(b) - weightOf(a));
}

function weightOf(one: SeriesReport): number {
  const weights: Record<SeriesState, number> = {
    unexplained: 40,
    explained: 10,
    gapless: 2,
    'not compared': 2,
    empty: 1,
  };
  return weights[seriesState(one)];
}

function renderOne(one: SeriesReport, bytes: number): Html {
  const { series } = one;
  const rendered = parts.map(({ title, render, share }) => {
    const body = render(one, bytes * share);
    return body === null
      ? ''
      : html`<h3>${title}</h3>
          ${body} `;
  });
  return html`<section id="${anchorOf(one)}" class="chapter" aria-labelledby="${anchorOf(one)}-title">
    <h2 id="${anchorOf(one)}-title"><span class="kind">Series</span> ${clip(series.name)}</h2>
    ${series.purpose === null ? '' : html`<p class="purpose">${clip(series.purpose, 500)}</p>`}
    <p class="lead">${sources(one)}</p>
    ${rendered}
  </section> `;
}

function sources(one: SeriesReport): string {
  const tables = one.attachments.map(({ target, numberColumn }) => `${target}.${numberColumn}`).join(', ');
  if (tables === '') {
    return one.given === 0n
      ? 'No table is attached, and no number was given.'
      : `No table is attached: the counters say that ${counted(one.given, 'number was', 'numbers were')} given, and there is nothing to compare them with.`;
  }
  const compared = one.compared ? 'compared with' : 'could not be compared with';
  return `${counted(one.given, 'number')} in ${counted(one.counters.total, 'counter')}, ${compared} ${clip(tables, 500)}.`;
}
