import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { removeCounter } from '../operations/corrections.js';
import { addCorrectionOptions, type CorrectionFlags, describeCorrection } from './correction.js';
import { addExample } from './options.js';
import { dryRunTail, writeOptions } from './write.js';

export function addRemoveCounterCommand(program: Command, context: Context): void {
  const command = program
    .command('remove-counter')
    .description(
      "remove a counter none of whose numbers is in use, such as one of a mistaken group; who, when and why is recorded (only the owner of seqctl's schema may)",
    )
    .argument('<series>', 'name of the series');
  addCorrectionOptions(command).action(async (series: string, flags: CorrectionFlags, command: Command) => {
    const output = outputOf(command, context);
    const options = writeOptions(flags, context, output);
    const connection = connectionOf(command, context);
    const correction = await removeCounter(connection, { series, ...flags }, flags.reason, options);
    output.result(
      { ...correction, dryRun: options.dryRun },
      `${describeCorrection(correction, options.dryRun)}${dryRunTail(flags)}`,
    );
  });
  addExample(
    command,
    `seqctl remove-counter invoice --group acmee --date 2026-03-09 --reason 'misspelt group'`,
  );
}
