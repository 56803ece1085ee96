import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { lowerCounter } from '../operations/corrections.js';
import { addCorrectionOptions, type CorrectionFlags, describeCorrection } from './correction.js';
import { addExample, parseInteger } from './options.js';
import { dryRunTail, writeOptions } from './write.js';

interface LowerFlags extends CorrectionFlags {
  readonly to: string;
}

export function addLowerCounterCommand(program: Command, context: Context): void {
  const command = program
    .command('lower-counter')
    .description(
      "set a counter back, as far as no higher number is in use, so that its numbers are given again; who, when and why is recorded (only the owner of seqctl's schema may)",
    )
    .argument('<series>', 'name of the series')
    .requiredOption('--to <n>', 'the last number that the counter is to have', parseInteger);
  addCorrectionOptions(command).action(async (series: string, flags: LowerFlags, command: Command) => {
    const output = outputOf(command, context);
    const options = writeOptions(flags, context, output);
    const connection = connectionOf(command, context);
    const correction = await lowerCounter(connection, { series, ...flags }, flags.to, flags.reason, options);
    output.result(
      { ...correction, dryRun: options.dryRun },
      `${describeCorrection(correction, options.dryRun)}${dryRunTail(flags)}`,
    );
  });
  addExample(
    command,
    `seqctl lower-counter invoice --to 7 --date 2026-03-09 --reason '8 to 10 were a test import'`,
  );
}
