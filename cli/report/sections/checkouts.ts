import type { Lease } from '../../operations/leases.js';
import { quote } from '../../shell.js';
import { clip, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import { counted, leaseState, leaseTone, moment } from '../words.js';
import { type SeriesSection, table } from './section.js';

/** Numbers that left the database before their document was stored. */
export const checkouts: SeriesSection = { title: 'Checkouts', share: 0.09, render };

function render({ checkouts, series }: SeriesReport, bytes: number): Html | null {
  const { entries, total, open, expired, finalized, released } = checkouts;
  if (open + expired + finalized + released === 0) return null;
  const hasPeriods = entries.some(({ period }) => period !== '');
  const hasGroups = entries.some(({ group }) => group !== '');
  const list = table(
    entries,
    [
      { title: 'Number', isHeader: true, value: ({ number }) => number },
      ...(hasPeriods ? [{ title: 'Period', value: ({ period }: Lease) => period }] : []),
      ...(hasGroups
        ? [{ title: 'Group', text: 'any' as const, value: ({ group }: Lease) => clip(group) }]
        : []),
      {
        title: 'State',
        value: (one) => html`<span class="state ${leaseTone(one)}">${leaseState(one)}</span>`,
      },
      {
        title: 'Checked out for',
        text: 'wide',
        value: ({ correlationId, reference }) =>
          html`${clip(correlationId)}${reference === null ? '' : html` <span class="by">reference ${clip(reference)}</span>`}`,
      },
      {
        title: 'Checked out',
        value: ({ openedAt, openedBy }) =>
          html`<span class="date">${moment(openedAt)}</span> <span class="by">by ${openedBy}</span>`,
      },
      { title: 'Until', value: ({ expiresAt }) => html`<span class="date">${moment(expiresAt)}</span>` },
    ],
    {
      label: 'Checkouts',
      bytes,
      total,
      more: () => html`: <code>seqctl lease list --series ${quote(series.name)} --all</code>`,
    },
  );
  return html`<p>${sums(checkouts)}</p>
    ${list}`;
}

function sums({
  open,
  expired,
  withoutRow,
  finalized,
  waiting,
  released,
}: SeriesReport['checkouts']): string {
  const out = open + expired;
  const late = expired === 0 ? '' : `, ${counted(expired, 'of them past its', 'of them past their')} time`;
  return [
    out === 0
      ? 'No number is checked out.'
      : `${counted(out, 'number is', 'numbers are')} checked out${late}.`,
    finalized === 0
      ? ''
      : `${counted(finalized, 'was', 'were')} finalized${withoutRow === null || withoutRow === 0 ? '' : `, ${counted(withoutRow, 'without', 'without')} a row in an attached table`}.`,
    released === 0
      ? ''
      : `${counted(released, 'was', 'were')} released${waiting === 0 ? '' : `, ${counted(waiting, 'waits', 'wait')} to be given again`}.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}
