import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { uninstall, type UninstallReport } from '../installer/uninstall.js';
import { formatChanges } from './changes.js';
import { addExample, lockTimeoutOption } from './options.js';

interface UninstallFlags {
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly lockTimeout: number;
}

export function addUninstallCommand(program: Command, context: Context): void {
  const command = program
    .command('uninstall')
    .description('remove schema seqctl; the numbers in your tables stay')
    .option('--detach', 'detach every attached table first, instead of refusing')
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .addOption(lockTimeoutOption())
    .action(async (flags: UninstallFlags, command: Command) => {
      const output = outputOf(command, context);
      const report = await uninstall(connectionOf(command, context), {
        detach: flags.detach ?? false,
        dryRun: flags.dryRun ?? false,
        lockTimeoutMs: flags.lockTimeout,
        signal: context.signal,
        onProgress: output.progress,
      });
      output.result(report, describe(report));
    });
  addExample(command, 'seqctl uninstall --detach --dry-run');
}

function describe(report: UninstallReport): string {
  if (report.outcome === 'absent') return 'seqctl is not installed in this database; nothing to do.';
  const would = report.dryRun ? 'would be ' : '';
  const detached = report.detached.map(
    ({ target, numberColumn, series }) =>
      `${target}.${numberColumn} ${would}detached from series ${series}.\n`,
  );
  const tail = report.dryRun ? '\n\nThis was a dry run: nothing was changed.' : '';
  return `${detached.join('')}seqctl ${would}uninstalled.${formatChanges(report.changes)}${tail}`;
}
