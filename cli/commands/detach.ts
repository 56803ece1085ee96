import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { detach } from '../operations/attachments.js';
import { addExample, dryRunOption, lockTimeoutOption } from './options.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

interface DetachFlags extends WriteFlags {
  readonly numberColumn: string;
}

export function addDetachCommand(program: Command, context: Context): void {
  const command = program
    .command('detach')
    .description('unbind a column; its numbers, its index and the counters stay')
    .argument('<table>', 'the table as in SQL, e.g. public.invoices')
    .option('--number-column <name>', 'the attached column', 'number')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (target: string, flags: DetachFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const detached = await detach(connectionOf(command, context), target, flags.numberColumn, options);
      const would = options.dryRun ? 'would be ' : '';
      const what = `${detached?.target ?? target}.${flags.numberColumn}`;
      const from = detached === null ? '' : ` from series ${detached.series}`;
      output.result(
        { detached, dryRun: options.dryRun },
        `${what} ${would}detached${from}; its numbers stay.${dryRunTail(flags)}`,
      );
    });
  addExample(command, 'seqctl detach public.invoices');
}
