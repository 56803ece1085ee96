import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { install, type InstallReport } from '../installer/install.js';
import { installScript } from '../installer/script.js';
import { formatChanges } from './changes.js';
import { addExample, lockTimeoutOption } from './options.js';

interface InstallFlags {
  readonly dryRun?: boolean;
  readonly printSql?: boolean;
  readonly lockTimeout: number;
}

export function addInstallCommand(program: Command, context: Context): void {
  const command = program
    .command('install')
    .description('install or upgrade schema seqctl in the database, in one transaction')
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--print-sql', 'print the SQL of a first installation instead of running it')
    .addOption(lockTimeoutOption())
    .action(async (flags: InstallFlags, command: Command) => {
      const output = outputOf(command, context);
      if (flags.printSql === true) {
        const sql = await installScript();
        output.result({ sql }, sql.trimEnd());
        return;
      }
      const report = await install(connectionOf(command, context), {
        dryRun: flags.dryRun ?? false,
        lockTimeoutMs: flags.lockTimeout,
        signal: context.signal,
        onProgress: output.progress,
      });
      output.result(report, describe(report));
    });
  addExample(command, 'seqctl install --dry-run');
}

function describe(report: InstallReport): string {
  const { version, previousVersion, dryRun, changes } = report;
  const would = dryRun ? 'would be ' : '';
  const head = {
    installed: `seqctl ${version} ${would}installed.`,
    upgraded: `seqctl ${version} ${would}installed; it was ${previousVersion ?? ''}.`,
    changed: `seqctl ${version} is installed; ${changes.length} of its objects ${would}repaired.`,
    unchanged: `seqctl ${version} is installed already; nothing ${dryRun ? 'would change' : 'changed'}.`,
  }[report.outcome];
  const tail = dryRun ? '\n\nThis was a dry run: nothing was changed.' : '';
  return head + formatChanges(changes) + tail;
}
