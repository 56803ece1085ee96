import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { type VoidEntry, voidNumbers } from '../operations/voids.js';
import { printable } from '../output.js';
import { describeCounter } from '../verify/finding.js';
import { addExample, dryRunOption, lockTimeoutOption, parseDate, parseInteger } from './options.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

interface VoidFlags extends WriteFlags {
  readonly from: string;
  readonly to?: string;
  readonly date?: string;
  readonly group?: string;
  readonly reason: string;
}

export function addVoidCommand(program: Command, context: Context): void {
  const command = program
    .command('void')
    .description(
      'record why a number, or a range of them, is missing or annulled; what is recorded stays, and the numbers are not given again',
    )
    .argument('<series>', 'name of the series')
    .requiredOption('--from <n>', 'the number, or the first of them', parseInteger)
    .option('--to <n>', 'the last of them (default: only the one)', parseInteger)
    .option(
      '--date <date>',
      'a day of the period, e.g. 2025-12-31; none where the series never resets',
      parseDate,
    )
    .option('--group <key>', 'the group, as seqctl counters shows it; none where the series has no groups')
    .requiredOption('--reason <text>', 'why, for the auditor')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (series: string, flags: VoidFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const entry = await voidNumbers(connectionOf(command, context), { series, ...flags }, options);
      output.result(
        { ...entry, dryRun: options.dryRun },
        `${describe(entry, options.dryRun)}${dryRunTail(flags)}`,
      );
    });
  addExample(command, `seqctl void invoice --from 1 --date 2026-03-09 --reason 'printed on the wrong form'`);
}

/** e.g. `numbers 4 to 5 of invoice / acme / 2026 are void: printed twice` */
function describe(entry: VoidEntry, dryRun: boolean): string {
  const isOne = entry.from === entry.to;
  const numbers = isOne ? `number ${entry.from}` : `numbers ${entry.from} to ${entry.to}`;
  const are = dryRun ? 'would be' : isOne ? 'is' : 'are';
  return printable(`${numbers} of ${describeCounter(entry)} ${are} void: ${entry.reason}`);
}
