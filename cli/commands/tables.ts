import type { Attachment } from '../operations/attachments.js';
import type { AttachmentStatus, PendingReport } from '../operations/pending.js';
import type { Counter } from '../operations/counters.js';
import type { Closing, Series } from '../operations/series.js';
import { formatTable, type TableColumn } from '../output.js';

export function seriesTable(series: readonly Series[]): string {
  return formatTable(series, [
    { title: 'SERIES', value: (one) => one.name },
    { title: 'FORMAT', value: (one) => one.format },
    { title: 'RESET', value: describeReset },
    { title: 'TIME ZONE', value: (one) => one.timeZone },
    { title: 'FIRST', value: (one) => one.firstNumber },
    { title: 'MAX', value: (one) => one.maxNumber },
    { title: 'PURPOSE', value: (one) => one.purpose },
  ]);
}

/** e.g. `yearly from 04-01` */
export function describeReset({ reset, fiscalYearStart }: Series): string {
  return fiscalYearStart === '01-01' ? reset : `${reset}, fiscal year from ${fiscalYearStart}`;
}

export function attachmentTable(attachments: readonly Attachment[]): string {
  // Most series keep no hash chain.
  const chained = attachments.some(({ chainColumns }) => chainColumns.length > 0);
  return formatTable(attachments, chained ? [...attachmentColumns, chainColumn] : attachmentColumns);
}

/** With the number of rows that wait for their number, where there can be any. */
export function attachmentStatusTable(attachments: readonly AttachmentStatus[]): string {
  return formatTable(attachments, [
    ...attachmentColumns,
    { title: 'PENDING', value: ({ pendingRows }) => pendingRows ?? '?', alignRight: true },
  ]);
}

const chainColumn: TableColumn<Attachment> = {
  title: 'CHAIN COLUMNS',
  value: (one) => one.chainColumns.join(', '),
};

const attachmentColumns: readonly TableColumn<Attachment>[] = [
  { title: 'TABLE', value: (one) => one.target },
  { title: 'NUMBER', value: (one) => one.numberColumn },
  { title: 'SERIES', value: (one) => one.series },
  { title: 'DATE', value: (one) => one.dateColumn },
  { title: 'GROUPS', value: (one) => one.groupColumns.join(', ') },
  { title: 'DOCUMENT NUMBER', value: (one) => one.documentNumberColumn },
  { title: 'ASSIGN', value: (one) => one.assign },
  { title: 'ISSUE WHEN', value: (one) => one.issueWhen },
  { title: 'CHRONOLOGY', value: (one) => one.chronology },
  { title: 'PROTECT', value: (one) => (one.protect ? 'yes' : 'no') },
  { title: 'INDEX', value: (one) => one.uniqueIndex },
];

export function counterTable(counters: readonly Counter[]): string {
  return formatTable(counters, [
    { title: 'SERIES', value: (one) => one.series },
    { title: 'GROUP', value: (one) => one.group },
    { title: 'PERIOD', value: (one) => one.period },
    { title: 'LAST', value: (one) => one.lastNumber },
    { title: 'GIVEN', value: (one) => one.given },
    { title: 'FIRST', value: (one) => one.firstNumber },
    { title: 'MAX', value: (one) => one.maxNumber },
    { title: 'CLOSED', value: (one) => (one.closed ? 'closed' : null) },
  ]);
}

export function closingTable(closings: readonly Closing[]): string {
  return formatTable(closings, [
    { title: 'PERIOD', value: (one) => one.period },
    { title: 'GROUP', value: (one) => one.group ?? '(all)' },
    { title: 'WAS', value: (one) => (one.action === 'close' ? 'closed' : 'reopened') },
    { title: 'AT', value: (one) => one.changedAt.toISOString() },
    { title: 'BY', value: (one) => one.changedBy },
    { title: 'REASON', value: (one) => one.reason },
  ]);
}

export function pendingTable({ series, counters }: PendingReport): string {
  return formatTable(counters, [
    { title: 'SERIES', value: () => series },
    { title: 'GROUP', value: ({ group }) => group ?? '(no group)' },
    { title: 'PERIOD', value: ({ period }) => period ?? '(no date)' },
    { title: 'PENDING', value: ({ rows }) => rows },
  ]);
}
