import { formatTable } from '../cli/output.js';
import type { DemoReport, DemoRun } from './run-demo.js';
import type { Census } from './tables.js';

/** The report as a person reads it, within 80 columns. */
export function formatDemo(report: DemoReport): string {
  return [
    `${report.clients} clients for ${report.seconds} s each way, on ${report.server} (${report.where})`,
    formatEvents(report.runs),
    'What the tables hold now, counted row by row:',
    formatCensus(report.runs),
    ...formatMissing(report.runs),
    formatVerdict(report),
  ].join('\n\n');
}

function formatEvents(runs: readonly DemoRun[]): string {
  const events = [
    { name: 'transactions committed', key: 'committed' },
    { name: 'transactions rolled back', key: 'rolledBack' },
    { name: 'savepoints rolled back', key: 'savepoints' },
    { name: 'rows that met ON CONFLICT', key: 'conflicts' },
    { name: 'statements that failed', key: 'failed' },
    { name: 'backends killed', key: 'killed' },
    { name: 'deadlocks, run again', key: 'retries' },
  ] as const;
  return formatTable(events, [
    { title: 'WHAT HAPPENED', value: ({ name }) => name },
    ...runs.map(({ numbering, tally }) => ({
      title: numbering === 'seqctl' ? 'SEQCTL' : 'SEQUENCE',
      value: ({ key }: (typeof events)[number]) => tally[key],
    })),
  ]);
}

function formatCensus(runs: readonly DemoRun[]): string {
  return formatTable(
    runs.flatMap(({ census }) => census),
    [
      { title: 'NUMBERED BY', value: ({ numbering }) => numbering },
      { title: 'COMPANY', value: ({ company }) => company },
      { title: 'YEAR', value: ({ year }) => String(year) },
      { title: 'ROWS', value: ({ rows }) => rows },
      { title: 'HIGHEST', value: ({ highest }) => highest },
      { title: 'COUNTER', value: ({ counter }) => counter },
      { title: 'GAPS', value: ({ gaps }) => gaps },
      { title: 'DUPLICATES', value: ({ duplicates }) => duplicates },
    ],
  );
}

function formatMissing(runs: readonly DemoRun[]): string[] {
  const holed = runs.flatMap(({ census }) => census).filter(({ gaps }) => gaps > 0);
  if (holed.length === 0) return [];
  const lines = holed.map(
    (census) =>
      `  ${census.numbering}, ${census.company} ${census.year}: ${census.missing.join(', ')}${moreOf(census)}`,
  );
  return [`The first missing numbers, which an auditor will ask for:\n${lines.join('\n')}`];
}

function moreOf({ missing, gaps }: Census): string {
  return gaps > missing.length ? ', …' : '';
}

function formatVerdict({ gapless, runs, verify }: DemoReport): string {
  const census = runs.filter(({ numbering }) => numbering === 'seqctl').flatMap((run) => run.census);
  const sum = (value: (one: Census) => number): number =>
    census.reduce((total, one) => total + value(one), 0);
  if (!gapless) {
    const unlike = census.filter(({ counter, highest }) => counter !== highest).length;
    return [
      `seqctl FAILED: ${sum(({ gaps }) => gaps)} gaps, ${sum(({ duplicates }) => duplicates)} duplicates, ` +
        `${sum(({ odd }) => odd)} odd rows,`,
      `${unlike} counters unlike the table; verify: ${verify.errors} errors. Please report this output.`,
      ...verify.findings.map(({ severity, object, what }) => `  ${severity}: ${object}: ${what}`),
    ].join('\n');
  }
  return [
    `seqctl: ${sum(({ rows }) => rows).toLocaleString('en-US')} numbers, not one missing, not one twice.`,
    `seqctl verify: ${verify.errors} errors, ${verify.warnings} warnings.`,
    'A SEQUENCE is faster: nobody waits for anybody. That is why it has holes.',
    '',
    'Go on with a database of yours:',
    '  npx seqctl install --database-url postgres://user:password@host/database',
  ].join('\n');
}
