import { quote } from '../shell.js';
import type { Gap } from '../verify/gap.js';
import type { Report, SeriesReport } from './report.js';
import { gapsCommand, leaseState, seriesState, settleCommand, stateOf } from './words.js';

/** What a row is about comes first; what does not apply to it is empty. */
const columns = [
  'record',
  'series',
  'group',
  'period',
  'from',
  'to',
  'numbers',
  'state',
  'reason',
  'recorded_by',
  'recorded_at',
  'number_before',
  'date_before',
  'number_after',
  'date_after',
  'next_step',
  'correlation_id',
  'expires_at',
  'hash',
] as const;

type Row = Partial<Record<(typeof columns)[number], string | number | bigint | null>>;

/**
 * RFC 4180, one row a fact, the same columns for all: `report` (once), `series`, `counter`, `missing` (the sums of a period), `gap`,
 * `checkout`, `void`, `correction` (the last number was `from`, then `to`), `chain_head`, `finding`, and `more` where not everything is listed.
 */
export function renderCsv(report: Report): string {
  return [
    columns.join(','),
    ...rowsOf(report).map((row) => columns.map((column) => cell(row[column])).join(',')),
  ]
    .map((line) => `${line}\r\n`)
    .join('');
}

function rowsOf(report: Report): Row[] {
  const findings = report.findings.filter(({ severity }) => severity !== 'info');
  return [
    {
      record: 'report',
      state: report.ok ? 'ok' : 'failed',
      reason: `seqctl ${report.installed}, PostgreSQL ${report.server}, ${report.connection}`,
      recorded_by: report.madeBy,
      recorded_at: report.madeAt.toISOString(),
    },
    ...report.series.flatMap(rowsOfSeries),
    ...findings.map(({ severity, object, what, hint, counter }) => ({
      record: 'finding',
      series: counter?.series ?? null,
      group: counter?.group ?? null,
      period: counter?.period ?? null,
      from: counter?.from ?? null,
      to: counter?.to ?? null,
      state: severity,
      reason: `${object}: ${what}`,
      next_step: hint,
    })),
    ...more('findings', '', findings.length, findings.length + report.omitted, 'seqctl verify'),
  ];
}

function rowsOfSeries(one: SeriesReport): Row[] {
  const { series, counters, gaps, map, checkouts, voids, corrections, heads } = one;
  const { name } = series;
  return [
    {
      record: 'series',
      series: name,
      from: series.firstNumber,
      numbers: one.given,
      state: seriesState(one),
      reason: series.purpose,
      recorded_by: series.createdBy,
      recorded_at: series.createdAt.toISOString(),
    },
    ...counters.entries.map((counter) => ({
      record: 'counter',
      series: name,
      group: counter.group,
      period: counter.period,
      from: counter.firstNumber,
      to: counter.lastNumber,
      numbers: counter.given,
      state: counter.closed ? 'closed' : 'open',
    })),
    ...more(
      'counters',
      name,
      counters.entries.length,
      counters.total,
      `seqctl counters --series ${quote(name)}`,
    ),
    ...(map?.periods ?? []).flatMap((sums) =>
      [
        { numbers: sums.missing - sums.explained, state: 'unexplained' },
        { numbers: sums.explained, state: 'explained' },
      ]
        .filter(({ numbers }) => numbers > 0n)
        .map((row) => ({ record: 'missing', series: name, period: sums.period, ...row })),
    ),
    ...gaps.entries.map(rowOfGap),
    ...more('gaps', name, gaps.entries.length, gaps.total, gapsCommand(name, '', gaps.total)),
    ...checkouts.entries.map((lease) => ({
      record: 'checkout',
      series: name,
      group: lease.group,
      period: lease.period,
      from: lease.number,
      to: lease.number,
      numbers: 1,
      state: leaseState(lease),
      reason: lease.reference,
      recorded_by: lease.openedBy,
      recorded_at: lease.openedAt.toISOString(),
      next_step: lease.state === 'expired' ? settleCommand(lease) : null,
      correlation_id: lease.correlationId,
      expires_at: lease.expiresAt.toISOString(),
    })),
    ...more(
      'checkouts',
      name,
      checkouts.entries.length,
      checkouts.total,
      `seqctl lease list --series ${quote(name)} --all`,
    ),
    ...voids.entries.map((entry) => ({
      record: 'void',
      series: name,
      group: entry.group,
      period: entry.period,
      from: entry.from,
      to: entry.to,
      numbers: entry.to - entry.from + 1n,
      state: entry.kind,
      reason: entry.reason,
      recorded_by: entry.recordedBy,
      recorded_at: entry.recordedAt.toISOString(),
    })),
    ...more('voids', name, voids.entries.length, voids.total, 'select * from seqctl.voids'),
    ...corrections.entries.map((entry) => ({
      record: 'correction',
      series: name,
      group: entry.group,
      period: entry.period,
      from: entry.from,
      to: entry.to,
      state: entry.kind,
      reason: entry.reason,
      recorded_by: entry.recordedBy,
      recorded_at: entry.recordedAt.toISOString(),
    })),
    ...more(
      'corrections',
      name,
      corrections.entries.length,
      corrections.total,
      'select * from seqctl.counter_corrections',
    ),
    ...(heads?.entries ?? []).map((head) => ({
      record: 'chain_head',
      series: name,
      group: head.group,
      period: head.period,
      to: head.number,
      numbers: head.links,
      recorded_at: head.issuedAt.toISOString(),
      hash: head.hash,
    })),
    ...more(
      'chain heads',
      name,
      heads?.entries.length ?? 0,
      heads?.total ?? 0,
      `seqctl chain-heads --series ${quote(name)}`,
    ),
  ];
}

function rowOfGap(gap: Gap): Row {
  return {
    record: 'gap',
    series: gap.series,
    group: gap.group,
    period: gap.period,
    from: gap.from,
    to: gap.to,
    numbers: gap.to - gap.from + 1n,
    state: stateOf(gap),
    reason: gap.explanation?.reason ?? null,
    recorded_by: gap.explanation?.recordedBy ?? null,
    recorded_at: gap.explanation?.recordedAt.toISOString() ?? null,
    number_before: gap.before?.number ?? null,
    date_before: gap.before?.date ?? null,
    number_after: gap.after?.number ?? null,
    date_after: gap.after?.date ?? null,
  };
}

function more(what: string, series: string, listed: number, total: number, command: string): Row[] {
  if (total <= listed) return [];
  return [{ record: 'more', series, numbers: total - listed, state: what, next_step: command }];
}

/** A spreadsheet takes a text that starts like this for a formula, and runs it. */
const formula = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/;

function cell(value: string | number | bigint | null | undefined): string {
  if (typeof value !== 'string') return value === null || value === undefined ? '' : value.toString();
  const text = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
