import type { Counter } from '../../operations/counters.js';
import { quote } from '../../shell.js';
import { clip, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import { count } from '../words.js';
import { type SeriesSection, table } from './section.js';

/** Where a period has several counters, which are those of its groups. */
export const counters: SeriesSection = { title: 'Counters', share: 0.1, render };

function render({ series, counters, periods, map, compared }: SeriesReport, bytes: number): Html | null {
  if (counters.total <= periods.total) return null;
  const drawn = new Map(map?.counters.map((one) => [keyOf(one), one]));
  const isComplete = map?.counterCount === map?.counters.length;
  const missingIn = (row: Counter): string => {
    const sums = drawn.get(keyOf(row));
    if (sums !== undefined) return count(sums.missing);
    return compared && isComplete ? '0' : '–';
  };
  return table(
    counters.entries,
    [
      { title: 'Group', isHeader: true, value: ({ group }) => clip(group) },
      ...(series.reset === 'never' ? [] : [{ title: 'Period', value: ({ period }: Counter) => period }]),
      { title: 'First', isNumber: true, value: ({ firstNumber }) => firstNumber },
      { title: 'Last', isNumber: true, value: ({ lastNumber }) => lastNumber },
      { title: 'Numbers given', isNumber: true, value: ({ given }) => count(given) },
      { title: 'Missing', isNumber: true, value: missingIn },
      { title: 'State', value: ({ closed }) => (closed ? 'closed' : 'open') },
    ],
    {
      label: 'Counters',
      bytes,
      total: counters.total,
      more: () => html`: <code>seqctl counters --series ${quote(series.name)}</code>`,
    },
  );
}

function keyOf({ group, period }: { readonly group: string; readonly period: string }): string {
  return `${period}\n${group}`;
}
