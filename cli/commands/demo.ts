import { type Command, InvalidArgumentError } from 'commander';

import { formatDemo } from '../../demo/report.js';
import { runDemo } from '../../demo/run-demo.js';
import { type Context, outputOf } from '../context.js';
import { CheckFailed } from '../errors.js';
import { addExample } from './options.js';
import { embeddedOption, inPlaceOption, majorOf, placeOf } from './sandbox-options.js';

interface DemoFlags {
  readonly seconds: number;
  readonly embedded: string;
}

export function addDemoCommand(program: Command, context: Context): void {
  const command = program
    .command('demo')
    .description(
      'show 16 clients that insert, fail and are killed, numbered by seqctl and by a SEQUENCE, on an embedded ' +
        'PostgreSQL or (in a database of its own, removed at the end) on the server of --database-url (DATABASE_URL alone is not used); exit 1 if ' +
        'seqctl left a gap or a duplicate',
    )
    .option('--seconds <n>', 'how long each of the two runs', parseSeconds, 10)
    .addOption(inPlaceOption())
    .addOption(embeddedOption())
    .action(async (flags: DemoFlags, command: Command) => {
      const output = outputOf(command, context);
      const report = await runDemo({
        ...placeOf(command, context),
        major: majorOf(flags.embedded),
        seconds: flags.seconds,
        signal: context.signal,
        onProgress: output.progress,
        stderr: context.stderr,
        terminal: context.terminal,
      });
      output.result(report, formatDemo(report));
      if (!report.gapless) throw new CheckFailed();
    });
  addExample(
    command,
    'seqctl demo --seconds 3',
    'seqctl demo --database-url postgres://postgres:secret@db:5432/shop',
  );
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 1 && seconds <= 3600)) {
    throw new InvalidArgumentError('It is a number of seconds from 1 to 3600.');
  }
  return seconds;
}
