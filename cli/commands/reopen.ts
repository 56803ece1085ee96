import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { reopenPeriod } from '../operations/periods.js';
import { addExample, dryRunOption, lockTimeoutOption } from './options.js';
import { addPeriodOptions, describePeriodChange, type PeriodFlags } from './period.js';
import { dryRunTail, writeOptions } from './write.js';

interface ReopenFlags extends PeriodFlags {
  readonly reason: string;
}

/** A command of its own, not an option of close: it must have a reason, and nobody should reopen by a slip. */
export function addReopenCommand(program: Command, context: Context): void {
  const command = program
    .command('reopen')
    .description('reopen a closed period of a series; the reason is kept')
    .argument('<series>', 'name of the series')
    .requiredOption('--reason <text>', 'why, for the auditor');
  addPeriodOptions(command)
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (series: string, { reason, ...flags }: ReopenFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const choice = { series, ...flags };
      const change = await reopenPeriod(connectionOf(command, context), choice, reason, options);
      output.result(
        { ...change, reason, dryRun: options.dryRun },
        `${describePeriodChange(change, options.dryRun)}${dryRunTail(flags)}`,
      );
    });
  addExample(command, `seqctl reopen invoice --date 2025-12-31 --reason 'late invoice of the auditor'`);
}
