import { clip, type Html, html } from '../html.js';
import type { Report, SeriesReport } from '../report.js';
import { count, counted, missingOf, seriesState, type SeriesState, uncompared } from '../words.js';
import { anchorOf } from './series.js';
import { type Section, table } from './section.js';

const words: Record<SeriesState, string> = {
  empty: 'no number yet',
  gapless: 'gapless',
  explained: 'gaps, all explained',
  unexplained: 'gaps without a reason',
  'not compared': 'not compared',
};

const tones: Record<SeriesState, 'good' | 'known' | 'bad' | 'none'> = {
  empty: 'none',
  gapless: 'good',
  explained: 'known',
  unexplained: 'bad',
  'not compared': 'none',
};

/** The answer to the auditor's first question. */
export const summary: Section = {
  id: 'summary',
  title: 'Are the numbers gapless?',
  bytes: 120_000,
  render,
};

function render(report: Report, bytes: number): Html {
  const { series } = report;
  const missing = missingOf(series);
  const given = series.reduce((sum, one) => sum + one.given, 0n);
  const bare = uncompared(series).length;
  // None is missing only where somebody looked.
  const missed = (numbers: bigint): string =>
    series.some(({ compared }) => compared) ? count(numbers) : 'not compared';
  const voids = series.reduce((sum, one) => sum + one.voids.total, 0);
  const out = series.reduce((sum, { checkouts }) => sum + checkouts.open + checkouts.expired, 0);
  return html`${verdict(report)}
    <dl class="figures">
      <div>
        <dt>Numbers given</dt>
        <dd>${count(given)}</dd>
      </div>
      <div>
        <dt>Missing without a reason</dt>
        <dd>${missed(missing.unexplained)}</dd>
      </div>
      <div>
        <dt>Missing, explained</dt>
        <dd>${missed(missing.explained)}</dd>
      </div>
      ${
        bare === 0
          ? ''
          : html`<div>
              <dt>Series not compared</dt>
              <dd>${count(bare)}</dd>
            </div>`
      }
      ${
        out === 0
          ? ''
          : html`<div>
              <dt>Checked out now</dt>
              <dd>${count(out)}</dd>
            </div>`
      }
      <div>
        <dt>Entries in the void register</dt>
        <dd>${count(voids)}</dd>
      </div>
      <div>
        <dt>Errors the check found</dt>
        <dd>${count(report.errors)}</dd>
      </div>
    </dl>
    ${series.length === 0 ? '' : seriesTable(series, bytes)}`;
}

function verdict(report: Report): Html {
  const [tone, answer, more] = answerOf(report);
  return html`<div class="verdict ${tone}">
    <p class="answer">${answer}</p>
    <p>${more}</p>
  </div>`;
}

function answerOf({
  series,
  ok,
  errors,
  findings,
  only,
}: Report): readonly [tone: string, answer: string, more: string] {
  if (findings.some(({ kind }) => kind === 'unchecked')) {
    return ['bad', 'It could not be checked.', 'The installation is damaged: see the findings below.'];
  }
  const missing = missingOf(series);
  const bare = uncompared(series).length;
  const beside =
    bare === 0 ? '' : ` ${counted(bare, 'series was', 'series were')} not compared with a table.`;
  if (missing.unexplained > 0n) {
    const rest =
      missing.explained > 0n
        ? ` ${count(missing.explained)} more ${missing.explained === 1n ? 'has' : 'have'} a recorded reason.`
        : '';
    const are = missing.unexplained === 1n ? 'number is' : 'numbers are';
    return [
      'bad',
      'No.',
      `${count(missing.unexplained)} ${are} missing without a recorded reason.${rest}${beside}`,
    ];
  }
  if (!ok) {
    const isRead = series.every(({ compared, attachments }) => compared || attachments.length === 0);
    const isExplained = missing.explained > 0n;
    const known = isExplained ? 'Each missing number has a recorded reason' : 'No number is missing';
    return [
      'bad',
      isRead ? 'There is something to clear up.' : 'Not every number could be checked.',
      `${isRead ? `${known}, but the` : 'The'} check found ${counted(errors, 'error')}: see the findings below.${beside}`,
    ];
  }
  if (series.every(({ missing }) => missing === null)) {
    const scope =
      only === null ? 'There is no series with an attached table yet' : 'No table is attached to this series';
    return ['none', 'There is nothing to check.', `${scope}, so there are no numbers to compare.${beside}`];
  }
  if (missing.explained > 0n) {
    const are = missing.explained === 1n ? 'number is' : 'numbers are';
    return [
      'known',
      bare === 0 ? 'Yes, with explained gaps.' : 'Yes where compared, with explained gaps.',
      `${count(missing.explained)} ${are} missing, each with a recorded reason; no number was given twice.${beside}`,
    ];
  }
  const all = `Every number from the first to the last is there, and none twice.${beside}`;
  return bare === 0 ? ['good', 'Yes.', all] : ['known', 'Yes, where it was compared.', all];
}

function seriesTable(series: readonly SeriesReport[], bytes: number): Html {
  return table(
    series,
    [
      {
        title: 'Series',
        isHeader: true,
        value: (one) => html`<a href="#${anchorOf(one)}">${clip(one.series.name)}</a>`,
      },
      { title: 'Counters', isNumber: true, value: (one) => count(one.counters.total) },
      { title: 'Numbers given', isNumber: true, value: (one) => count(one.given) },
      {
        title: 'Missing, no reason',
        isNumber: true,
        value: ({ missing }) => (missing === null ? '–' : count(missing.unexplained)),
      },
      {
        title: 'Missing, explained',
        isNumber: true,
        value: ({ missing }) => (missing === null ? '–' : count(missing.explained)),
      },
      {
        title: 'Result',
        value: (one) =>
          html`<span class="state ${tones[seriesState(one)]}">${words[seriesState(one)]}</span>`,
      },
    ],
    { label: 'Series', bytes, more: () => html`: <code>seqctl series list</code>` },
  );
}
