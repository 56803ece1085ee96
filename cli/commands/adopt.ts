import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { CheckFailed, UsageError } from '../errors.js';
import {
  type Adoption,
  type AdoptionFinding,
  applyAdoption,
  reportAdoption,
} from '../operations/adoption.js';
import { formatTable } from '../output.js';
import { addNumberingOptions, type NumberingFlags, numberingSettings } from './numbering-options.js';
import { addExample, lockTimeoutOption, parseSmallCount } from './options.js';
import { type WriteFlags, writeOptions } from './write.js';

interface AdoptFlags extends WriteFlags, NumberingFlags {
  readonly apply?: boolean;
  readonly reason?: string;
  readonly maxFindings: string;
}

export function addAdoptCommand(program: Command, context: Context): void {
  const command = program
    .command('adopt')
    .description(
      'take over a table that has numbers already: a report of what it holds and, with --apply, the counters and the triggers',
    )
    .argument('<table>', 'the table as in SQL, e.g. public.invoices');
  addNumberingOptions(command)
    .option('--apply', 'do it, in one transaction; without it nothing is changed')
    .option('--reason <text>', 'why numbers are missing, kept in the void register for the auditor')
    .option(
      '--max-findings <n>',
      'how many findings of each kind to list; all are counted',
      parseSmallCount,
      '20',
    )
    .addOption(lockTimeoutOption())
    .action(async (table: string, flags: AdoptFlags, command: Command) => {
      const { apply = false, reason = '', maxFindings } = flags;
      if (apply && reason.trim() === '') throw noReason();
      const connection = connectionOf(command, context);
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const settings = numberingSettings(flags);
      const adoption = apply
        ? await applyAdoption(connection, table, settings, maxFindings, reason, options)
        : await reportAdoption(connection, table, settings, maxFindings, options);
      output.result({ ...adoption, applied: apply }, describe(adoption, flags, apply));
      if (adoption.findings.some(({ severity }) => severity === 'error')) throw new CheckFailed();
    });
  addExample(
    command,
    'seqctl adopt public.invoices --series invoice --date-column issued_on --document-number-column document_number',
    "seqctl adopt public.invoices --series invoice --date-column issued_on --apply --reason 'taken over from the old shop'",
  );
}

function noReason(): UsageError {
  return new UsageError('--apply needs a --reason', {
    hint: "It is recorded with every missing number, e.g. --reason 'taken over from the old shop'.",
  });
}

function describe({ target, findings }: Adoption, { chronology }: AdoptFlags, applied: boolean): string {
  const odd = findings.filter(({ severity }) => severity !== 'info');
  const counters = findings.filter(({ finding }) => finding === 'counter');
  const parts = [
    odd.length > 0 ? `${findingTable(odd)}${omitted(odd)}` : '',
    counters.length > 0 ? `${counterTable(counters)}${omitted(counters)}` : '',
    `${target}: ${detailOf(findings, 'numbers')}.`,
    applied
      ? `adopted: ${detailOf(findings, 'attached')}.`
      : describePlan(findings, chronology !== undefined && chronology !== 'off'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function describePlan(findings: readonly AdoptionFinding[], keepsChronology: boolean): string {
  const errors = sumOfTotals(findings.filter(({ severity }) => severity === 'error'));
  if (errors > 0n) return `${count(errors, 'error')} must be corrected first; nothing was changed.`;
  const gaps = sumOfTotals(findings.filter(({ finding }) => finding === 'gap'));
  const record = gaps > 0n ? ` record ${count(gaps, 'gap')} as before adoption,` : '';
  const inversions = sumOfTotals(findings.filter(({ finding }) => finding === 'inversion'));
  const accept = keepsChronology && inversions > 0n ? ` accept ${count(inversions, 'inversion')},` : '';
  return (
    `--apply --reason … would${record}${accept} set the counters and attach the table. ` +
    'This was a report: nothing was changed.'
  );
}

function findingTable(findings: readonly AdoptionFinding[]): string {
  return formatTable(findings, [
    { title: 'SEVERITY', value: ({ severity }) => severity },
    { title: 'FINDING', value: ({ finding }) => finding },
    { title: 'GROUP', value: ({ group }) => group },
    { title: 'PERIOD', value: ({ period }) => period },
    { title: 'DETAIL', value: ({ detail }) => detail },
  ]);
}

function counterTable(counters: readonly AdoptionFinding[]): string {
  return formatTable(counters, [
    { title: 'GROUP', value: ({ group }) => group },
    { title: 'PERIOD', value: ({ period }) => period },
    { title: 'NUMBERS', value: ({ rows }) => rows },
    { title: 'FROM', value: ({ from }) => from },
    { title: 'NEXT', value: ({ to }) => (to === null ? null : to + 1n) },
  ]);
}

/** e.g. `… and 980 more: gap`, a line a kind. */
function omitted(findings: readonly AdoptionFinding[]): string {
  return [...kindsOf(findings)]
    .map(([kind, { total, listed }]) => (total > listed ? `\n… and ${total - listed} more: ${kind}` : ''))
    .join('');
}

function sumOfTotals(findings: readonly AdoptionFinding[]): bigint {
  return [...kindsOf(findings).values()].reduce((sum, { total }) => sum + total, 0n);
}

function kindsOf(findings: readonly AdoptionFinding[]): Map<string, { total: bigint; listed: bigint }> {
  const kinds = new Map<string, { total: bigint; listed: bigint }>();
  for (const { severity, finding, total } of findings) {
    const kind = severity === 'info' ? finding : `${severity} ${finding}`;
    kinds.set(kind, { total, listed: (kinds.get(kind)?.listed ?? 0n) + 1n });
  }
  return kinds;
}

function detailOf(findings: readonly AdoptionFinding[], finding: string): string {
  return findings.find((one) => one.finding === finding)?.detail ?? '';
}

function count(total: bigint, what: string): string {
  return `${total} ${what}${total === 1n ? '' : 's'}`;
}
