import { clip, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import { moment } from '../words.js';
import { type SeriesSection, table } from './section.js';

export const corrections: SeriesSection = { title: 'Corrected counters', share: 0.02, render };

function render({ corrections }: SeriesReport, bytes: number): Html | null {
  if (corrections.total === 0) return null;
  return table(
    corrections.entries,
    [
      { title: 'Period', isHeader: true, value: ({ period }) => (period === '' ? 'all time' : period) },
      { title: 'Group', text: 'any', value: ({ group }) => clip(group) },
      { title: 'Was', value: ({ kind }) => kind },
      {
        title: 'Last number',
        value: ({ from, to }) => (to === null ? `${from}, then none` : `${from}, then ${to}`),
      },
      { title: 'Reason', text: 'wide', value: ({ reason }) => clip(reason) },
      {
        title: 'Recorded',
        value: (entry) =>
          html`<span class="date">${moment(entry.recordedAt)}</span>
            <span class="by">by ${entry.recordedBy}</span>`,
      },
    ],
    {
      label: 'Corrected counters',
      bytes,
      total: corrections.total,
      more: () => html`, earlier: <code>select * from seqctl.counter_corrections</code>`,
    },
  );
}
