import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import {
  finalizeLease,
  type Lease,
  type LeaseFilter,
  listLeases,
  releaseLease,
} from '../operations/leases.js';
import { formatTable, printable } from '../output.js';
import { describeCounter } from '../verify/finding.js';
import { addExample, dryRunOption, lockTimeoutOption, parseInteger } from './options.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

interface LeaseFlags extends WriteFlags {
  readonly number?: string;
}

const expectedNumber = 'the number that it is about; refused if the checkout has another';

export function addLeaseCommand(program: Command, context: Context): void {
  const lease = program
    .command('lease')
    .description(
      'list and settle checkouts: numbers that left the database before their document was stored',
    );
  addExample(lease, 'seqctl lease list');
  addList(lease, context);
  addFinalize(lease, context);
  addRelease(lease, context);
}

function addList(parent: Command, context: Context): void {
  const command = parent
    .command('list')
    .description('list the checkouts that are open or have expired; reads only')
    .option('--series <name>', 'only this series')
    .option('--all', 'those that were finalized or released, too')
    .action(async (filter: LeaseFilter, command: Command) => {
      const leases = await listLeases(connectionOf(command, context), filter, context.signal);
      const none = filter.all === true ? 'No number was ever checked out.' : 'No number is checked out.';
      outputOf(command, context).result(
        { leases },
        leases.length === 0 ? none : leaseTable(leases, filter.all === true),
      );
    });
  addExample(command, 'seqctl lease list --series invoice --all');
}

function addFinalize(parent: Command, context: Context): void {
  const command = parent
    .command('finalize')
    .description('record that a document has the number of a checkout, also of one that has expired')
    .argument('<series>', 'name of the series')
    .argument(
      '<id>',
      'the correlation id: what the number was checked out for, as seqctl lease list shows it',
    )
    .option('--reference <text>', 'what names the document')
    .option('--number <n>', expectedNumber, parseInteger)
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(
      async (
        series: string,
        correlationId: string,
        flags: LeaseFlags & { readonly reference?: string },
        command: Command,
      ) => {
        const output = outputOf(command, context);
        const options = writeOptions(flags, context, output);
        const connection = connectionOf(command, context);
        const lease = await finalizeLease(
          connection,
          { series, correlationId, number: flags.number },
          flags.reference,
          options,
        );
        const reference = lease.reference === null ? '' : `, reference ${lease.reference}`;
        output.result(
          { ...lease, dryRun: options.dryRun },
          `${describe(lease, options.dryRun)}${printable(reference)}.${dryRunTail(flags)}`,
        );
      },
    );
  addExample(command, `seqctl lease finalize invoice order-17 --reference 'mail of 9 March'`);
}

function addRelease(parent: Command, context: Context): void {
  const command = parent
    .command('release')
    .description('give the number of a checkout back, also of one that has expired; the next caller gets it')
    .argument('<series>', 'name of the series')
    .argument(
      '<id>',
      'the correlation id: what the number was checked out for, as seqctl lease list shows it',
    )
    .option('--number <n>', expectedNumber, parseInteger)
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (series: string, correlationId: string, flags: LeaseFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const lease = await releaseLease(
        connectionOf(command, context),
        { series, correlationId, number: flags.number },
        options,
      );
      output.result(
        { ...lease, dryRun: options.dryRun },
        `${describe(lease, options.dryRun)}.${dryRunTail(flags)}`,
      );
    });
  addExample(command, 'seqctl lease release invoice order-17');
}

/** e.g. `number 4 of invoice / acme / 2026, checked out for order-17, is finalized` */
function describe(lease: Lease, dryRun: boolean): string {
  const { number, correlationId, state } = lease;
  const is = dryRun ? 'would be' : 'is';
  return printable(
    `number ${number} of ${describeCounter(lease)}, checked out for ${correlationId}, ${is} ${state}`,
  );
}

function leaseTable(leases: readonly Lease[], settled: boolean): string {
  return formatTable(leases, [
    { title: 'SERIES', value: (one) => one.series },
    { title: 'GROUP', value: (one) => one.group },
    { title: 'PERIOD', value: (one) => one.period },
    { title: 'NUMBER', value: (one) => one.number },
    { title: 'DOCUMENT NUMBER', value: (one) => one.documentNumber },
    { title: 'CHECKED OUT FOR', value: (one) => one.correlationId },
    { title: 'STATE', value: (one) => (one.waits ? 'released, waits' : one.state) },
    { title: 'BY', value: (one) => one.openedBy },
    { title: 'EXPIRES', value: (one) => one.expiresAt.toISOString() },
    ...(settled
      ? [
          { title: 'SETTLED', value: (one: Lease) => one.settledAt?.toISOString() ?? null },
          { title: 'SETTLED BY', value: (one: Lease) => one.settledBy },
          {
            title: 'REFERENCE',
            value: (one: Lease) => (one.settledHow === 'expired' ? '(expired)' : one.reference),
          },
        ]
      : []),
  ]);
}
