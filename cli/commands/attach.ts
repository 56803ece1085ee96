import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { attach } from '../operations/attachments.js';
import { addNumberingOptions, type NumberingFlags, numberingSettings } from './numbering-options.js';
import { addExample, dryRunOption, lockTimeoutOption } from './options.js';
import { attachmentTable } from './tables.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

type AttachFlags = WriteFlags & NumberingFlags;

export function addAttachCommand(program: Command, context: Context): void {
  const command = program
    .command('attach')
    .description('bind a column of a table to a series: from then on plain INSERTs are numbered')
    .argument('<table>', 'the table as in SQL, e.g. public.invoices');
  addNumberingOptions(command)
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (target: string, flags: AttachFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const settings = numberingSettings(flags);
      const { attachment, message } = await attach(connectionOf(command, context), target, settings, options);
      const would = options.dryRun ? 'would be attached' : 'attached';
      output.result(
        { attachment, message, dryRun: options.dryRun },
        `${would}: ${message}.\n\n${attachmentTable([attachment])}${dryRunTail(flags)}`,
      );
    });
  addExample(
    command,
    'seqctl attach public.invoices --series invoice --date-column issued_on --group-columns company_id',
    `seqctl attach public.orders --series order --issue-when "status = 'issued'" --assign commit`,
  );
}
