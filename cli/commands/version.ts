import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { readVersions } from '../installer/status.js';
import { formatFacts } from '../output.js';
import { addExample } from './options.js';

export function addVersionCommand(program: Command, context: Context): void {
  const command = program
    .command('version')
    .description('show the versions of the tool, of the installed schema and of the server')
    .action(async (_flags: unknown, command: Command) => {
      const report = await readVersions(connectionOf(command, context));
      const text = formatFacts([
        ['tool', report.tool],
        ['installed', report.installed ?? 'not installed'],
        ['server', `PostgreSQL ${report.server}`],
      ]);
      outputOf(command, context).result(report, text);
    });
  addExample(command, 'seqctl version --database-url postgres://app@db.example.com/shop');
}
