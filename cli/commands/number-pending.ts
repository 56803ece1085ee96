import type { Command } from 'commander';

import type { ConnectionSettings } from '../connection/settings.js';
import { connectionOf, type Context, outputOf } from '../context.js';
import { CheckFailed, OperationError, type SeqctlError } from '../errors.js';
import { countPending, listPending, numberPending, type PendingReport } from '../operations/pending.js';
import type { Output } from '../output.js';
import { ProgressBar } from '../progress.js';
import { addExample, dryRunOption, lockTimeoutOption, parseCount } from './options.js';
import { pendingTable } from './tables.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

interface NumberPendingFlags extends WriteFlags {
  readonly numberColumn: string;
  readonly maxRows?: string;
  readonly batch?: string;
  readonly check?: boolean;
}

export function addNumberPendingCommand(program: Command, context: Context): void {
  const command = program
    .command('number-pending')
    .description(
      'number the rows that are due and have no number, by date and primary key; in one transaction, unless --batch makes it several',
    )
    .argument('<table>', 'the table as in SQL, e.g. public.invoices')
    .option('--number-column <name>', 'the attached column', 'number')
    .option('--max-rows <rows>', 'stop after so many; the earliest come first', parseCount)
    .option(
      '--batch <rows>',
      'commit after so many, so that others wait for a counter only shortly; what is committed stays when a later step fails',
      parseCount,
    )
    .option('--check', 'count the pending rows, and change nothing; exit 1 when there are any')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (table: string, flags: NumberPendingFlags, command: Command) => {
      const connection = connectionOf(command, context);
      const output = outputOf(command, context);
      if (flags.check === true) await report(connection, table, flags, context, output);
      else if (flags.dryRun === true) await rehearse(connection, table, flags, context, output);
      else await run(connection, table, flags, context, output);
    });
  addExample(
    command,
    'seqctl number-pending public.invoices --dry-run',
    'seqctl number-pending public.invoices --batch 10000',
  );
}

/** Says how many rows of which counters are pending; reads only. */
async function report(
  connection: ConnectionSettings,
  table: string,
  { numberColumn, maxRows }: NumberPendingFlags,
  { signal }: Context,
  output: Output,
): Promise<void> {
  const pending = await listPending(connection, table, numberColumn, { maxRows, signal });
  output.result({ ...pending, dryRun: false }, describePending(pending, 'pending'));
  if (pending.pendingRows > 0n) throw new CheckFailed();
}

/** Numbers them and takes it back, so that what would be refused is known: a closed period, a date that goes back. */
async function rehearse(
  connection: ConnectionSettings,
  table: string,
  flags: NumberPendingFlags,
  context: Context,
  output: Output,
): Promise<void> {
  const { numberColumn, maxRows } = flags;
  const pending = await listPending(connection, table, numberColumn, { maxRows, signal: context.signal });
  if (pending.pendingRows > 0n) {
    await numberPending(
      connection,
      table,
      numberColumn,
      pending.pendingRows,
      writeOptions(flags, context, output),
    );
  }
  output.result(
    { ...pending, dryRun: true },
    `${describePending(pending, 'to be numbered')}${dryRunTail(flags)}`,
  );
}

function describePending(pending: PendingReport, what: string): string {
  const { target, pendingRows, omittedCounters, counters } = pending;
  const more = omittedCounters > 0 ? `\n… and ${omittedCounters} more counters.` : '';
  const list = counters.length > 0 ? `\n\n${pendingTable(pending)}${more}` : '';
  return `${countRows(pendingRows)} of ${target} ${pendingRows === 1n ? 'is' : 'are'} ${what}.${list}`;
}

async function run(
  connection: ConnectionSettings,
  table: string,
  flags: NumberPendingFlags,
  context: Context,
  output: Output,
): Promise<void> {
  const before = await countPending(connection, table, flags.numberColumn, context.signal);
  const most = flags.maxRows === undefined ? null : BigInt(flags.maxRows);
  const batch = flags.batch === undefined ? null : BigInt(flags.batch);
  // What comes in meanwhile is left for the next time: else a busy table would never be done.
  const goal = smallest(before.pendingRows, most);
  const bar = new ProgressBar(context, goal);
  const options = {
    ...writeOptions(flags, context, output),
    signal: batch === null ? context.signal : undefined,
  };
  const warn = (): void => {
    bar.end();
    output.progress('stopping after this step; interrupt again to end at once');
  };
  if (batch === null && context.terminal !== undefined && goal !== 0n)
    output.progress(`numbering ${goal === null ? 'the pending rows' : countRows(goal)} in one transaction`);
  if (batch !== null) context.signal.addEventListener('abort', warn);

  let numbered = 0n;
  let steps = 0;
  try {
    while (goal !== 0n) {
      if (context.signal.aborted) throw new OperationError('interrupted', { hint: 'Nothing was changed.' });
      const left = goal === null ? most : goal - numbered;
      const step = smallest(left, batch);
      if (batch !== null) bar.update(numbered);
      const count = await numberPending(connection, table, flags.numberColumn, step, options);
      numbered += count;
      if (count > 0n) steps += 1;
      if (batch === null || count === 0n || (goal !== null && numbered >= goal)) break;
      if (goal === null && count < batch) break;
    }
    if (batch !== null) bar.update(numbered);
  } catch (error) {
    throw explain(error, numbered);
  } finally {
    bar.end();
    context.signal.removeEventListener('abort', warn);
  }
  const { target, numberColumn, pendingRows: pendingBefore } = before;
  output.result(
    { target, numberColumn, numbered, steps, pendingBefore, dryRun: false },
    `${countRows(numbered)} of ${target} ${numbered === 1n ? 'was' : 'were'} numbered` +
      (batch === null ? '' : ` in ${steps} ${steps === 1 ? 'transaction' : 'transactions'}`) +
      `${pendingBefore !== null && pendingBefore > numbered ? `; ${pendingBefore} had been pending` : ''}.`,
  );
}

/** The steps before the one that failed are committed, and the user must hear of it. */
function explain(error: unknown, numbered: bigint): unknown {
  if (numbered === 0n || !(error instanceof OperationError)) return error;
  const { message, detail, sqlstate, hint }: SeqctlError = error;
  const next = 'Run the command again to number the rest.';
  return new OperationError(`${countRows(numbered)} were numbered and stay; then: ${message}`, {
    detail,
    sqlstate,
    hint: sqlstate === undefined || hint === undefined ? next : [hint, next].join('\n'),
    cause: error,
  });
}

function smallest(...values: (bigint | null)[]): bigint | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => (a < b ? a : b));
}

function countRows(count: bigint): string {
  return `${count} ${count === 1n ? 'row' : 'rows'}`;
}
