import { clip, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import { moment, range } from '../words.js';
import { type SeriesSection, table } from './section.js';

export const voids: SeriesSection = { title: 'Void register', share: 0.11, render };

function render({ voids }: SeriesReport, bytes: number): Html | null {
  if (voids.total === 0) return null;
  const hasPeriods = voids.entries.some(({ period }) => period !== '');
  const hasGroups = voids.entries.some(({ group }) => group !== '');
  return table(
    voids.entries,
    [
      { title: 'Numbers', isHeader: true, value: range },
      ...(hasPeriods ? [{ title: 'Period', value: ({ period }: { period: string }) => period }] : []),
      ...(hasGroups
        ? [{ title: 'Group', text: 'any' as const, value: ({ group }: { group: string }) => clip(group) }]
        : []),
      { title: 'Kind', value: ({ kind }) => kind },
      { title: 'Reason', text: 'wide', value: ({ reason }) => clip(reason) },
      {
        title: 'Recorded',
        value: (entry) =>
          html`<span class="date">${moment(entry.recordedAt)}</span>
            <span class="by">by ${entry.recordedBy}</span>`,
      },
    ],
    {
      label: 'Void register',
      bytes,
      total: voids.total,
      more: () => html`, earlier: <code>select * from seqctl.voids</code>`,
    },
  );
}
