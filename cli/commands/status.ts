import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { CheckFailed } from '../errors.js';
import { readStatus, type StatusReport } from '../installer/status.js';
import { formatFacts, formatTable } from '../output.js';
import { addExample } from './options.js';
import { attachmentStatusTable, seriesTable } from './tables.js';

export function addStatusCommand(program: Command, context: Context): void {
  const command = program
    .command('status')
    .description(
      'show versions, series, attachments and what seqctl install would do; exit 1 when something is pending',
    )
    .action(async (_flags: unknown, command: Command) => {
      const report = await readStatus(connectionOf(command, context));
      outputOf(command, context).result(report, describe(report));
      if (report.pending.length > 0) throw new CheckFailed();
    });
  addExample(command, 'seqctl status');
}

/** What withPendingRows gives up for. */
const notCounted =
  'PENDING ? was not counted: this role may not read the table, it is locked or was changed, or it takes longer than a second.';

function describe(report: StatusReport): string {
  const facts = formatFacts([
    ['database', report.database],
    ['server', `PostgreSQL ${report.server}`],
    ['tool', report.tool],
    ['installed', report.installed ?? 'not installed'],
    ['series', report.series.length],
    ['attachments', report.attachments.length],
    ['near limit', describeLimits(report.nearLimit.total)],
    ['pending', report.pending.length === 0 ? 'nothing' : `${report.pending.length}: run seqctl install`],
  ]);
  const parts = [facts];
  if (report.series.length > 0) parts.push(seriesTable(report.series));
  if (report.attachments.length > 0) parts.push(attachmentStatusTable(report.attachments));
  if (report.attachments.some(({ pendingRows }) => pendingRows === null)) parts.push(notCounted);
  if (report.pending.length > 0) parts.push(pendingTable(report));
  return parts.join('\n\n');
}

function describeLimits(total: number): string {
  if (total === 0) return 'nothing';
  return `${total} counter${total === 1 ? ' has' : 's have'} used 90 % of the numbers: run seqctl verify`;
}

function pendingTable(report: StatusReport): string {
  return formatTable(report.pending, [
    { title: 'PENDING', value: (step) => step.kind },
    { title: 'NAME', value: (step) => step.name },
    { title: 'REASON', value: (step) => step.reason },
  ]);
}
