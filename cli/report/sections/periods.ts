import { quote } from '../../shell.js';
import { type Html, html } from '../html.js';
import type { PeriodSummary } from '../periods.js';
import type { SeriesReport } from '../report.js';
import { count } from '../words.js';
import { type SeriesSection, table } from './section.js';

export const periods: SeriesSection = { title: 'Periods', share: 0.07, render };

function render({ series, periods, map, compared, counters }: SeriesReport, bytes: number): Html | null {
  if (periods.total === 0) return null;
  const missing = new Map(map?.periods.map((one) => [one.period, one]));
  const hasGroups = counters.total > periods.total;
  const missingIn = (which: 'explained' | 'unexplained') => (row: PeriodSummary) => {
    const sums = missing.get(row.period);
    if (!compared) return '–';
    if (sums === undefined) return '0';
    return count(which === 'explained' ? sums.explained : sums.missing - sums.explained);
  };
  return table(
    periods.entries,
    [
      { title: 'Period', isHeader: true, value: ({ period }) => (period === '' ? 'all time' : period) },
      ...(hasGroups
        ? [{ title: 'Groups', isNumber: true, value: (row: PeriodSummary) => count(row.counters) }]
        : [
            { title: 'First', isNumber: true, value: (row: PeriodSummary) => row.firstNumber },
            { title: 'Last', isNumber: true, value: (row: PeriodSummary) => row.lastNumber },
          ]),
      { title: 'Numbers given', isNumber: true, value: ({ given }) => count(given) },
      { title: 'Missing, no reason', isNumber: true, value: missingIn('unexplained') },
      { title: 'Missing, explained', isNumber: true, value: missingIn('explained') },
      { title: 'State', value: closedIn },
    ],
    {
      label: 'Periods',
      bytes,
      total: periods.total,
      more: () => html`, earlier: <code>seqctl counters --series ${quote(series.name)}</code>`,
    },
  );
}

function closedIn({ counters, closed }: PeriodSummary): string {
  if (closed === 0) return 'open';
  return closed === counters ? 'closed' : `${count(closed)} of ${count(counters)} closed`;
}
