import { type Command, Option } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { type Assign, assigns, attach, chronologies, type Chronology } from '../operations/attachments.js';
import { addExample, dryRunOption, lockTimeoutOption, parseNames } from './options.js';
import { attachmentTable } from './tables.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

interface AttachFlags extends WriteFlags {
  readonly series: string;
  readonly numberColumn: string;
  readonly dateColumn?: string;
  readonly groupColumns?: string[];
  readonly documentNumberColumn?: string;
  readonly issueWhen?: string;
  readonly assign?: Assign;
  readonly chronology?: Chronology;
  readonly protect: boolean;
}

export function addAttachCommand(program: Command, context: Context): void {
  const command = program
    .command('attach')
    .description('bind a column of a table to a series: from then on plain INSERTs are numbered')
    .argument('<table>', 'the table as in SQL, e.g. public.invoices')
    .requiredOption('--series <name>', 'the series that the numbers come from')
    .option('--number-column <name>', 'the bigint or integer column that takes the number', 'number')
    .option('--date-column <name>', 'the date of the document; needed unless the series never resets')
    .option(
      '--group-columns <names>',
      'columns that have numbers of their own, e.g. company_id,branch',
      parseNames,
    )
    .option('--document-number-column <name>', 'the text column that takes the document number')
    .option(
      '--issue-when <condition>',
      `SQL condition on the row under which it is issued, e.g. "status = 'issued'"; until then it is a draft without a number`,
    )
    .addOption(
      new Option(
        '--assign <when>',
        'when a row gets its number: insert (at once), commit (no lock before), manual (by seqctl number-pending); insert if not given',
      ).choices(assigns),
    )
    .addOption(
      new Option(
        '--chronology <how>',
        'dates never go back against numbers: enforce (refuse such rows), stamp (seqctl sets the date); off if not given',
      ).choices(chronologies),
    )
    .option('--no-protect', 'let issued rows be deleted, and their number, group and period changed')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (target: string, flags: AttachFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const settings = {
        ...flags,
        groupColumns: flags.groupColumns ?? [],
        protect: flags.protect ? undefined : false,
      };
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
