import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { CheckFailed } from '../errors.js';
import { readStatus, type StatusReport } from '../installer/status.js';
import { formatFacts, formatTable } from '../output.js';

export function addStatusCommand(program: Command, context: Context): void {
  program
    .command('status')
    .description(
      'show versions, attachments and what seqctl install would do; exit 1 when something is pending',
    )
    .action(async (_flags: unknown, command: Command) => {
      const report = await readStatus(connectionOf(command, context));
      outputOf(command, context).result(report, describe(report));
      if (report.pending.length > 0) throw new CheckFailed();
    });
}

function describe(report: StatusReport): string {
  const facts = formatFacts([
    ['database', report.database],
    ['server', `PostgreSQL ${report.server}`],
    ['tool', report.tool],
    ['installed', report.installed ?? 'not installed'],
    ['attachments', report.attachments],
    ['pending', report.pending.length === 0 ? 'nothing' : `${report.pending.length}: run seqctl install`],
  ]);
  if (report.pending.length === 0) return facts;
  const steps = formatTable(report.pending, [
    { title: 'PENDING', value: (step) => step.kind },
    { title: 'NAME', value: (step) => step.name },
    { title: 'REASON', value: (step) => step.reason },
  ]);
  return `${facts}\n\n${steps}`;
}
