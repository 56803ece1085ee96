import { type Command, Option } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { CheckFailed } from '../errors.js';
import { type Cell, printable, type TableColumn, TableLines } from '../output.js';
import type { Gap, Neighbour } from '../verify/gap.js';
import { type GapSummary, listGaps } from '../verify/list-gaps.js';
import { addExample, parseCount } from './options.js';

/** More than anybody reads; the rest is counted. */
const shownGaps = '1000';

interface GapsFlags {
  readonly series?: string;
  readonly group?: string;
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
          const summary = await listGaps(
            connectionOf(command, context),
            {
              ...flags,
              limit: Number(flags.limit),
              signal: context.signal,
              onProgress: context.terminal === undefined ? undefined : output.progress,
              onWaiting: output.progress,
            },
            write,
          );
          return { document: summary, text: describe(summary) };
        },
      );
      if (!document.ok) throw new CheckFailed();
    });
  addExample(command, 'seqctl gaps --series invoice');
}

/** What follows the list, if there is one. */
function describe(summary: GapSummary): string {
  const { unexplained, explained, omitted, problems, notCompared } = summary;
  const isListed = unexplained + explained > 0;
  const rest = [
    ...problems.map(({ object, what, hint }) => printable(`${object}: ${what}. ${hint}`)),
    ...(notCompared.length === 0
      ? []
      : [printable(`Not compared, because no table is attached: ${notCompared.join(', ')}.`)]),
    verdict(summary),
  ].join('\n\n');
  if (!isListed) return rest;
  return `${omitted > 0 ? `… and ${omitted} more gaps: --limit lists more.\n` : ''}\n${rest}\n`;
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

function verdict({ unexplained, explained, problems }: GapSummary): string {
  const counted = (count: number): string => `${count} gap${count === 1 ? '' : 's'}`;
  if (unexplained > 0) return `${counted(unexplained)} unexplained, ${explained} explained.`;
  if (problems.length > 0) return 'Not every number could be read.';
  return explained > 0 ? `${counted(explained)}, explained.` : 'No number is missing.';
}
