import { clip, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import { moment } from '../words.js';
import { type SeriesSection, table } from './section.js';

export const closings: SeriesSection = { title: 'Closed and reopened periods', share: 0.03, render };

function render({ closings }: SeriesReport, bytes: number): Html | null {
  if (closings.total === 0) return null;
  return table(
    closings.entries,
    [
      { title: 'Period', isHeader: true, value: ({ period }) => (period === '' ? 'all time' : period) },
      { title: 'Group', text: 'any', value: ({ group }) => (group === null ? 'all' : clip(group)) },
      { title: 'Was', value: ({ action }) => (action === 'close' ? 'closed' : 'reopened') },
      { title: 'Reason', text: 'wide', value: ({ reason }) => (reason === null ? '' : clip(reason)) },
      {
        title: 'When',
        value: (entry) =>
          html`<span class="date">${moment(entry.changedAt)}</span>
            <span class="by">by ${entry.changedBy}</span>`,
      },
    ],
    {
      label: 'Closed and reopened periods',
      bytes,
      total: closings.total,
      more: () => html`, earlier: <code>select * from seqctl.closings</code>`,
    },
  );
}
