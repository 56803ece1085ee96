import type { Command } from 'commander';

import type { Correction } from '../operations/corrections.js';
import { printable } from '../output.js';
import { describeCounter } from '../verify/finding.js';
import { dryRunOption, lockTimeoutOption, parseDate } from './options.js';
import type { WriteFlags } from './write.js';

export interface CorrectionFlags extends WriteFlags {
  readonly date?: string;
  readonly group?: string;
  readonly reason: string;
}

/** What lower-counter and remove-counter share. */
export function addCorrectionOptions(command: Command): Command {
  return command
    .option(
      '--date <date>',
      'a day of the period, e.g. 2025-12-31; none where the series never resets',
      parseDate,
    )
    .option('--group <key>', 'the group, as seqctl counters shows it; none where the series has no groups')
    .requiredOption('--reason <text>', 'why, for the auditor')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption());
}

/** e.g. `the counter of invoice / acme / 2026 is lowered from 10 to 7: a test import` */
export function describeCorrection(correction: Correction, dryRun: boolean): string {
  const { kind, from, to, reason } = correction;
  const is = dryRun ? 'would be' : 'is';
  const what = kind === 'lowered' ? `lowered from ${from} to ${to ?? ''}` : `removed; it was at ${from}`;
  return printable(`the counter of ${describeCounter(correction)} ${is} ${what}: ${reason}`);
}
