import type { Command } from 'commander';

import type { PeriodChange } from '../operations/periods.js';
import { parseDate } from './options.js';
import type { WriteFlags } from './write.js';

/** The options of `close` and `reopen`. */
export interface PeriodFlags extends WriteFlags {
  readonly date?: string;
  readonly group?: string;
}

export function addPeriodOptions(command: Command): Command {
  return command
    .option(
      '--date <date>',
      'a day of the period, e.g. 2025-12-31; none where the series never resets',
      parseDate,
    )
    .option('--group <key>', 'only this group, as seqctl counters shows it (default: every group)');
}

/** e.g. `period 2025 of series invoice is closed for every group: 3 counters.` */
export function describePeriodChange(change: PeriodChange, dryRun: boolean): string {
  const { series, period, group, closed, changed, counters } = change;
  const what = period === '' ? `series ${series}` : `period ${period} of series ${series}`;
  const state = closed ? 'closed' : 'open';
  const groups = group === null ? 'every group' : `group ${group}`;
  if (!changed) return `${what} was ${state} for ${groups} already; nothing was changed.`;
  const is = dryRun ? 'would be' : 'is';
  return `${what} ${is} ${state} for ${groups}: ${counters} counter${counters === 1 ? '' : 's'}.`;
}
