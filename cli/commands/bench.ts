import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Command } from 'commander';

import { formatReport } from '../../bench/report.js';
import { runBench } from '../../bench/run-bench.js';
import { type Context, outputOf } from '../context.js';
import { CheckFailed, OperationError } from '../errors.js';
import { addExample } from './options.js';
import { embeddedOption, inPlaceOption, majorOf, placeOf } from './sandbox-options.js';

interface BenchFlags {
  readonly quick?: boolean;
  readonly only?: string;
  readonly out: string;
  readonly embedded: string;
}

export function addBenchCommand(program: Command, context: Context): void {
  const command = program
    .command('bench')
    .description(
      'measure seqctl side by side with the ways people number documents, on the server of --database-url (in a ' +
        'database of its own, removed at the end) or on an embedded one (DATABASE_URL alone is not used); exit 1 if seqctl left a gap or a duplicate',
    )
    .option('--quick', 'a run of seconds, to see that it works')
    .option('--only <text>', 'only the lines with this text in "work, rival"; "ways": only the table of ways')
    .option('--out <file>', 'where the JSON goes', 'bench-result.json')
    .addOption(inPlaceOption())
    .addOption(embeddedOption())
    .action(async (flags: BenchFlags, command: Command) => {
      const output = outputOf(command, context);
      const report = await runBench({
        ...placeOf(command, context),
        major: majorOf(flags.embedded),
        quick: flags.quick ?? false,
        only: flags.only,
        signal: context.signal,
        onProgress: output.progress,
      });
      output.result(report, formatReport(report));
      const file = path.resolve(flags.out);
      await writeFile(file, `${JSON.stringify(report, null, 2)}\n`).catch((cause: unknown) => {
        throw new OperationError(`cannot write ${file}`, {
          detail: (cause as Error).message,
          hint: 'Choose another file with --out. The report above is complete.',
          cause,
        });
      });
      output.progress(`written to ${file}`);
      if (report.census.gaps + report.census.duplicates > 0) throw new CheckFailed();
    });
  addExample(
    command,
    `seqctl bench --quick --only 'one counter'`,
    'seqctl bench --database-url postgres://postgres:secret@db:5432/shop',
  );
}
