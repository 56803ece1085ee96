import { type Command, Option } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { CheckFailed } from '../errors.js';
import { type Cell, printable, type TableColumn, TableLines } from '../output.js';
import type { Gap, Neighbour } from '../verify/gap.js';
import { type GapSummary, listGaps } from '../verify/list-gaps.js';
import { addExample, parseCount } from './options.js';

/** More than anybody reads; the rest is counted. */
const shownGaps = '1000';

/** As many as are in memory before they are written. */
const heldGaps = 10_000;

interface GapsFlags {
  readonly series?: string;
  readonly group?: string;
  readonly period?: string;
  readonly limit: string;
}

export function addGapsCommand(program: Command, context: Context): void {
  const command = program
    .command('gaps')
    .description(
      'list the missing numbers as ranges, with the reason where the void register has one; reads only; ' +
        'exit 1 when one is unexplained',
    )
    .option('--series <name>', 'only this series')
    .option('--group <key>', 'only this group, as seqctl counters shows it')
    .option('--period <period>', 'only this period, as seqctl counters shows it, e.g. 2026 or 2026-Q1')
    .addOption(
      new Option('--limit <n>', 'list as many unexplained gaps, and as many explained ones')
        .argParser(parseCount)
        .default(shownGaps, shownGaps),
    )
    .action(async (flags: GapsFlags, command: Command) => {
      const output = outputOf(command, context);
      const table = new TableLines(columns);
      const { document } = await output.resultWithList(
        'gaps',
        (gaps: readonly Gap[]) => table.add(gaps),
        async (write) => {
          // Those of several series in one piece, where there are few, are one table.
          const held: Gap[] = [];
          const summary = await listGaps(
            connectionOf(command, context),
            {
              ...flags,
              limit: Number(flags.limit),
              signal: context.signal,
              onProgress: context.terminal === undefined ? undefined : output.progress,
              onWaiting: output.progress,
            },
            (gaps) => {
              held.push(...gaps);
              if (held.length > heldGaps) write(held.splice(0));
            },
          );
          write(held);
          return { document: summary, text: describe(summary) };
        },
      );
      if (!document.ok) throw new CheckFailed();
    });
  addExample(
    command,
    'seqctl gaps --series invoice',
    'seqctl gaps --series invoice --group acme --period 2026',
  );
}

/** What follows the list, if there is one. */
function describe(summary: GapSummary): string {
  const { unexplained, explained, omitted, problems } = summary;
  const isListed = unexplained + explained > 0;
  const rest = [
    ...problems.map(({ object, what, hint }) => printable(`${object}: ${what}. ${hint}`)),
    ...describeNotCompared(summary),
    verdict(summary),
  ].join('\n\n');
  if (!isListed) return rest;
  return `${omitted > 0 ? `… and ${omitted} more gaps: --limit lists more.\n` : ''}\n${rest}\n`;
}

function describeNotCompared({ notCompared, numbersNotCompared: numbers }: GapSummary): string[] {
  if (notCompared.length === 0) return [];
  const gave = numbers === 0n ? '' : ` (${counted(numbers, 'number')})`;
  return [printable(`Not compared, because no table is attached: ${notCompared.join(', ')}${gave}.`)];
}

const columns: readonly TableColumn<Gap>[] = [
  { title: 'SERIES', value: ({ series }) => series },
  { title: 'GROUP', value: ({ group }) => group },
  { title: 'PERIOD', value: ({ period }) => period },
  { title: 'FROM', value: ({ from }) => from },
  { title: 'TO', value: ({ to }) => to },
  { title: 'AFTER', value: ({ before }) => neighbour(before) },
  { title: 'BEFORE', value: ({ after }) => neighbour(after) },
  { title: 'STATE', value: ({ explanation }) => explanation?.kind ?? 'unexplained' },
  { title: 'REASON', value: ({ explanation }) => explanation?.reason ?? null },
];

function neighbour(one: Neighbour | null): Cell {
  if (one === null) return null;
  return one.date === null ? one.number : `${one.number} (${one.date})`;
}

/** What an auditor reads first: it says how much was looked at, and never that all is well when that was nothing. */
function verdict(summary: GapSummary): string {
  const { unexplained, explained, problems, counters, numbers, numbersNotCompared } = summary;
  if (unexplained > 0) return `${counted(unexplained, 'gap')} unexplained, ${explained} explained.`;
  if (problems.length > 0) return 'Not every number could be read.';
  const compared = `compared ${counted(numbers, 'number')} of ${counted(counters, 'counter')}`;
  if (explained > 0) return `${counted(explained, 'gap')}, explained; ${compared}.`;
  if (numbers > 0n) return `No number is missing: ${compared}.`;
  return numbersNotCompared > 0n ? 'No number was compared.' : 'No number was given yet.';
}

function counted(count: number | bigint, word: string): string {
  return `${count} ${word}${BigInt(count) === 1n ? '' : 's'}`;
}
