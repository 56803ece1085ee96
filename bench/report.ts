import { formatFacts, formatTable } from '../cli/output.js';
import type { Opponent, Unit } from './measurement.js';
import type { BenchReport, BenchResult, Verdict } from './run-bench.js';
import { rollbackShare, type WayResult } from './ways.js';

const headings: Record<Opponent, string> = {
  'un-numbered': 'against the same rows un-numbered (the statement gives the number)',
  'usual trigger': 'against the usual counter trigger',
  'a fifth of the rows': 'against itself with a fifth of the rows (linear is 5)',
  'no chain': 'a series with a hash chain against one without',
};

const verdicts: Record<Verdict, string> = { goal: 'goal', bar: 'bar', missed: 'NO', short: '-' };

/** The report as a person reads it, within 80 columns. */
export function formatReport(report: BenchReport): string {
  const parts = [formatHead(report)];
  if (report.quick) {
    parts.push('A quick run: it shows that everything works, and says nothing about speed.');
  }
  if (report.results.length > 0) parts.push(formatResults(report.results), legend);
  if (report.results.some(({ work }) => work.includes('early lock release'))) parts.push(earlyReleaseNote);
  if (report.ways.length > 0) parts.push(formatWays(report));
  parts.push(formatCensus(report));
  return parts.join('\n\n');
}

function formatHead(report: BenchReport): string {
  const settings = Object.entries(report.settings).map(([name, value]) => `${name}=${value}`);
  const [first = '', ...more] = wrap(settings, 80 - 'settings  '.length);
  const busiest = Math.max(0, ...report.results.map((result) => result.clientCpu));
  return formatFacts([
    ['server', `${report.server}, ${report.where}`],
    ['settings', first],
    ...more.map((line) => ['', line] as const),
    ['flush', `${report.flushMs.toPrecision(2)} ms for an empty transaction of one client to be on disk`],
    [
      'client',
      `one process; ${formatRate(report.ceiling)} empty statements at ${report.clients} connections;`,
    ],
    ['', `it used ${busiest.toFixed(2)} cores at most, which the server could not use`],
    ['took', `${Math.round(report.seconds)} s, with seqctl ${report.tool}`],
  ]);
}

/** One line a measurement, under a heading a rival. */
function formatResults(results: readonly BenchResult[]): string {
  const rivals = [...new Set(results.map((result) => result.rival))];
  const sorted = rivals.flatMap((rival) => results.filter((result) => result.rival === rival));
  const [titles = '', ...lines] = formatTable(sorted, [
    { title: 'WORK', value: ({ work }) => `  ${work}` },
    { title: 'SEQCTL', value: ({ seqctl, unit }) => formatValue(seqctl, unit), alignRight: true },
    { title: 'RIVAL', value: ({ rivalValue, unit }) => formatValue(rivalValue, unit), alignRight: true },
    { title: 'RATIO', value: ({ ratio }) => formatRatio(ratio), alignRight: true },
    { title: 'BAR', value: ({ bar, unit }) => formatLimit(bar, unit), alignRight: true },
    { title: 'GOAL', value: ({ goal, unit }) => formatLimit(goal, unit), alignRight: true },
    { title: 'MET', value: ({ verdict }) => (verdict === null ? '' : verdicts[verdict]) },
  ]).split('\n');
  const body = lines.map((line, index) => {
    const rival = sorted[index]?.rival;
    const isFirst = rival !== undefined && sorted[index - 1]?.rival !== rival;
    return isFirst ? `${headings[rival]}\n${line}` : line;
  });
  return [titles, ...body].join('\n');
}

const legend = `RATIO is seqctl : rival, of the medians of rounds in turns. Of rows a second,
more is better (≥); of seconds, less (≤). MET tells which of bar and goal is
reached; NO: not the bar; -: not the goal, and no bar was set.`;

const earlyReleaseNote = `1 ms flush, early lock release: on both sides a flush takes 1 ms longer
(commit_delay), and a row counts when it is on disk.`;

function formatWays(report: BenchReport): string {
  const ours = report.ways.find((way) => way.name === 'seqctl')?.rowsPerSecond ?? NaN;
  const table = formatTable(report.ways, [
    { title: 'WAY', value: ({ name }) => name },
    { title: 'ROWS/S', value: ({ rowsPerSecond }) => Math.round(rowsPerSecond) },
    { title: 'RATIO', value: ({ rowsPerSecond }) => formatRatio(ours / rowsPerSecond), alignRight: true },
    { title: 'ROWS', value: ({ rows }) => rows },
    { title: 'RETRIES', value: ({ retries }) => retries },
    { title: 'GAPS', value: ({ gaps }) => gaps },
    { title: 'DUPLICATES', value: ({ duplicates }) => duplicates },
  ]);
  return [
    `The ways people number documents: ${report.clients} clients, one series, ${rollbackShare * 100} % of the
transactions rolled back; begin, insert and commit are a round trip each.`,
    table,
    formatWaysNote(report.ways),
  ].join('\n\n');
}

function formatWaysNote(ways: readonly WayResult[]): string {
  const holed = ways.filter(({ gaps, duplicates }) => gaps + duplicates > 0).map(({ name }) => name);
  const broken = holed.length === 0 ? 'none of them in this run' : holed.join(', ');
  return `RATIO is seqctl : way. GAPS and DUPLICATES are counted in the tables.
With numbers missing or doubled: ${broken}.`;
}

function formatCensus({ census: { rows, gaps, duplicates }, results, quick }: BenchReport): string {
  const missed = results.filter(({ verdict }) => verdict === 'missed').length;
  const bars = quick ? 0 : results.filter(({ bar }) => bar !== null).length;
  const reached = bars === 0 ? '' : `\n${bars - missed} of ${bars} bars reached.`;
  return `seqctl numbered ${rows.toLocaleString('en-US')} rows in this run: ${gaps} gaps, ${duplicates} duplicates.${reached}`;
}

function formatValue(value: number, unit: Unit): string {
  return unit === 's' ? `${value.toPrecision(3)} s` : formatRate(value);
}

function formatRate(value: number): string {
  return `${Math.round(value).toLocaleString('en-US')}/s`;
}

/** Small ratios matter to the second digit. */
function formatRatio(ratio: number): string {
  return ratio.toFixed(ratio < 0.1 ? 3 : 2);
}

function formatLimit(limit: number | null, unit: Unit): string {
  return limit === null ? '' : `${unit === 's' ? '≤' : '≥'}${limit}`;
}

function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + word.length <= width)
      lines[lines.length - 1] = `${last}  ${word}`;
    else lines.push(word);
  }
  return lines;
}
