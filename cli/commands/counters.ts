import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { type CounterFilter, listCounters } from '../operations/counters.js';
import { addExample } from './options.js';
import { counterTable } from './tables.js';

export function addCountersCommand(program: Command, context: Context): void {
  const command = program
    .command('counters')
    .description('list the counters: the last number of each series, group and period')
    .option('--series <name>', 'only this series')
    .option('--group <key>', 'only this group; several group columns make a JSON array, as the list shows')
    .option('--period <period>', 'only this period, e.g. 2026, FY2026, 2026-Q1, 2026-03 or 2026-03-09')
    .action(async (filter: CounterFilter, command: Command) => {
      const counters = await listCounters(connectionOf(command, context), filter, context.signal);
      outputOf(command, context).result(
        { counters },
        counters.length === 0 ? 'There is no such counter.' : counterTable(counters),
      );
    });
  addExample(command, 'seqctl counters --series invoice --period 2026');
}
