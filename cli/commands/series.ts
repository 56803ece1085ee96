import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import {
  type AlteredSeries,
  alterSeries,
  createSeries,
  dropSeries,
  listSeries,
  type SeriesDetails,
  type SeriesSettings,
  showSeries,
} from '../operations/series.js';
import { formatFacts } from '../output.js';
import {
  addExample,
  dryRunOption,
  lockTimeoutOption,
  parseInteger,
  parseNames,
  parseSmallCount,
} from './options.js';
import { attachmentTable, closingTable, counterTable, describeReset, seriesTable } from './tables.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

export function addSeriesCommand(program: Command, context: Context): void {
  const series = program
    .command('series')
    .description('create, alter, list, show and drop series: named lines of numbers with their rules');
  addExample(series, `seqctl series create invoice --format 'INV-{year}-{number:5}'`);
  addCreate(series, context);
  addAlter(series, context);
  addList(series, context);
  addShow(series, context);
  addDrop(series, context);
}

function addCreate(parent: Command, context: Context): void {
  const command = parent
    .command('create')
    .description('create a series; every setting is checked now')
    .argument('<name>', 'name of the series, e.g. invoice')
    .option('--format <format>', 'how a document number is written (default: {number})')
    .option('--reset <when>', 'never, yearly, quarterly, monthly or daily (default: yearly)')
    .option('--fiscal-year-start <mm-dd>', 'first day of the fiscal year (default: 01-01)')
    .option('--time-zone <zone>', 'where the day of a timestamp is decided (default: UTC)')
    .option('--first-number <n>', 'first number of each period (default: 1)', parseInteger)
    .option('--max-number <n>', 'refuse numbers above this one', parseInteger)
    .option('--max-length <n>', 'refuse document numbers longer than this', parseSmallCount)
    .option('--external-code <text>', 'the code that others know the series by')
    .option('--purpose <text>', 'what the series is for')
    .option(
      '--on-checkout <policy>',
      'while a number is checked out, others wait, fail or recycle (default: wait)',
    )
    .option('--ttl-action <action>', 'keep a checkout that has expired, or release it (default: keep)')
    .option('--chain', 'keep a hash chain of the numbers that are issued, which shows later changes')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (name: string, flags: WriteFlags & SeriesSettings, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const series = await createSeries(connectionOf(command, context), name, flags, options);
      const would = options.dryRun ? 'would be ' : '';
      output.result(
        { series, dryRun: options.dryRun },
        `series ${name} ${would}created.\n\n${seriesTable([series])}${dryRunTail(flags)}`,
      );
    });
  addExample(
    command,
    `seqctl series create invoice --format 'INV-{year}-{number:5}' --reset yearly --time-zone Europe/Rome`,
    '',
    'Fields of a format: {number} {number:5} {year} {year:2} {fiscal_year} {quarter} {month} {day} {group}',
    '{random:8}; {{ and }} are literal braces.',
  );
}

interface AlterFlags extends WriteFlags, SeriesSettings {
  readonly clear?: string[];
}

function addAlter(parent: Command, context: Context): void {
  const command = parent
    .command('alter')
    .description('change what is safe to change of a series; what is left out stays as it is')
    .argument('<name>', 'name of the series')
    .option('--format <format>', 'how document numbers to come are written')
    .option('--max-number <n>', 'refuse numbers above this one', parseInteger)
    .option('--max-length <n>', 'refuse document numbers longer than this', parseSmallCount)
    .option('--external-code <text>', 'the code that others know the series by')
    .option('--purpose <text>', 'what the series is for')
    .option('--on-checkout <policy>', 'wait, fail or recycle; only while no number is checked out')
    .option('--ttl-action <action>', 'keep or release')
    .option('--chain', 'keep a hash chain from now on; what was issued is recorded as it is')
    .option('--clear <settings>', 'take away max-number, max-length, external-code or purpose', parseNames)
    .option('--reset <when>', 'only while it was never used: see create')
    .option('--fiscal-year-start <mm-dd>', 'only while it was never used')
    .option('--time-zone <zone>', 'only while it was never used')
    .option('--first-number <n>', 'only while it has given no number', parseInteger)
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (name: string, flags: AlterFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      const cleared = (flags.clear ?? []).map((setting) => setting.replaceAll('-', '_'));
      const altered = await alterSeries(connectionOf(command, context), name, flags, cleared, options);
      output.result(
        { ...altered, dryRun: options.dryRun },
        `${describeAltered(altered, options.dryRun)}\n\n${seriesTable([altered.series])}${dryRunTail(flags)}`,
      );
    });
  addExample(command, 'seqctl series alter invoice --max-number 99999 --clear purpose');
}

function describeAltered({ series, changed }: AlteredSeries, dryRun: boolean): string {
  if (changed.length === 0) return `series ${series.name} was left as it is.`;
  const names = changed
    .filter((key) => key !== 'chain')
    .map((key) => key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
  const what = [
    ...(names.length > 0 ? [`another ${names.join(', ')}`] : []),
    ...(changed.includes('chain') ? [series.chain ? 'a hash chain' : 'no hash chain'] : []),
  ];
  return `series ${series.name} ${dryRun ? 'would have' : 'has'} ${what.join(' and ')} now.`;
}

function addList(parent: Command, context: Context): void {
  const command = parent
    .command('list')
    .description('list the series')
    .action(async (_flags: unknown, command: Command) => {
      const series = await listSeries(connectionOf(command, context), context.signal);
      const none = 'There is no series yet. Create one with seqctl series create.';
      outputOf(command, context).result({ series }, series.length === 0 ? none : seriesTable(series));
    });
  addExample(command, 'seqctl series list');
}

function addShow(parent: Command, context: Context): void {
  const command = parent
    .command('show')
    .description('show a series: its settings, attached tables and counters')
    .argument('<name>', 'name of the series')
    .action(async (name: string, _flags: unknown, command: Command) => {
      const details = await showSeries(connectionOf(command, context), name, context.signal);
      outputOf(command, context).result(details, describe(details));
    });
  addExample(command, 'seqctl series show invoice');
}

function addDrop(parent: Command, context: Context): void {
  const command = parent
    .command('drop')
    .description('drop a series that was never used')
    .argument('<name>', 'name of the series')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (name: string, flags: WriteFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      await dropSeries(connectionOf(command, context), name, options);
      const would = options.dryRun ? 'would be ' : '';
      output.result(
        { dropped: name, dryRun: options.dryRun },
        `series ${name} ${would}dropped.${dryRunTail(flags)}`,
      );
    });
  addExample(command, 'seqctl series drop invoice --dry-run');
}

function describe({ series, attachments, counterCount, counters, closings }: SeriesDetails): string {
  const settings = formatFacts([
    ['series', series.name],
    ['format', series.format],
    ['reset', describeReset(series)],
    ['time zone', series.timeZone],
    ['first number', series.firstNumber],
    ['max number', series.maxNumber ?? 'none'],
    ['max length', series.maxLength ?? 'none'],
    ['external code', series.externalCode ?? 'none'],
    ['purpose', series.purpose ?? 'none'],
    ['on checkout', series.onCheckout],
    ['expired checkouts', series.ttlAction],
    ['hash chain', series.chain ? 'kept' : 'none'],
    ['created', `${series.createdAt.toISOString()} by ${series.createdBy}`],
  ]);
  const tables =
    attachments.length === 0
      ? 'No table is attached: see seqctl attach --help.'
      : attachmentTable(attachments);
  const more =
    counterCount > counters.length
      ? `\n… and ${counterCount - counters.length} more: seqctl counters --series lists them all.`
      : '';
  const numbers = counters.length === 0 ? 'No number was given yet.' : counterTable(counters);
  const closed = closings.length === 0 ? '' : `\n\n${closingTable(closings)}`;
  return `${settings}\n\n${tables}\n\n${numbers}${more}${closed}`;
}
