import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { closePeriod } from '../operations/periods.js';
import { addExample, dryRunOption, lockTimeoutOption } from './options.js';
import { addPeriodOptions, describePeriodChange, type PeriodFlags } from './period.js';
import { dryRunTail, writeOptions } from './write.js';

export function addCloseCommand(program: Command, context: Context): void {
  const command = program
    .command('close')
    .description('close a period of a series: no number of it is given any more, until it is reopened')
    .argument('<series>', 'name of the series');
  addPeriodOptions(command)
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (series: string, flags: PeriodFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const change = await closePeriod(connectionOf(command, context), { series, ...flags }, options);
      output.result(
        { ...change, dryRun: options.dryRun },
        `${describePeriodChange(change, options.dryRun)}${dryRunTail(flags)}`,
      );
    });
  addExample(command, 'seqctl close invoice --date 2025-12-31');
}
