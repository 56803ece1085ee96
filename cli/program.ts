import { Command, CommanderError, Help } from 'commander';

import { addAdoptCommand } from './commands/adopt.js';
import { addBenchCommand } from './commands/bench.js';
import { addDemoCommand } from './commands/demo.js';
import { addAttachCommand } from './commands/attach.js';
import { addChainHeadsCommand } from './commands/chain-heads.js';
import { addCloseCommand } from './commands/close.js';
import { addCountersCommand } from './commands/counters.js';
import { addDetachCommand } from './commands/detach.js';
import { addGapsCommand } from './commands/gaps.js';
import { addGrantCommand } from './commands/grant.js';
import { addNumberPendingCommand } from './commands/number-pending.js';
import { addExample } from './commands/options.js';
import { addInstallCommand } from './commands/install.js';
import { addLeaseCommand } from './commands/lease.js';
import { addLowerCounterCommand } from './commands/lower-counter.js';
import { addRemoveCounterCommand } from './commands/remove-counter.js';
import { addReopenCommand } from './commands/reopen.js';
import { addReportCommand } from './commands/report.js';
import { addRevokeCommand } from './commands/revoke.js';
import { addSeriesCommand } from './commands/series.js';
import { addStatusCommand } from './commands/status.js';
import { addUninstallCommand } from './commands/uninstall.js';
import { addVerifyCommand } from './commands/verify.js';
import { addVersionCommand } from './commands/version.js';
import { addVoidCommand } from './commands/void.js';
import type { Context, GlobalOptions } from './context.js';
import { CheckFailed, type ExitCode, exitCodes, SeqctlError } from './errors.js';
import { errorDocument, formatError, isInDocument, Output } from './output.js';
import { toolVersion } from './package.js';

const usageHint = 'seqctl --help lists the commands, seqctl COMMAND --help their options';

/** Runs one command line (without node and script) and returns its exit code. */
export async function runProgram(args: readonly string[], context: Context): Promise<ExitCode> {
  const program = buildProgram(context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return report(error, args, program, context);
  }
}

/** The tree of commands; separate from running it, so that tests can read the help texts. */
export function buildProgram(context: Context): Command {
  const program = new Command('seqctl')
    .description('Gapless document numbers for PostgreSQL.')
    .version(toolVersion, '--version', 'print the version of this tool')
    .option('--database-url <url>', 'the database (default: DATABASE_URL, else the PG* variables)')
    .option('--json', 'print one JSON document on stdout')
    .option('--verbose', 'print stack traces of errors')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show this help, or that of a command')
    .configureHelp({ showGlobalOptions: true, subcommandTerm })
    // Before the subcommands, which copy these settings when they are added.
    .exitOverride()
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr })
    .showHelpAfterError(`hint: ${usageHint}`);
  addInstallCommand(program, context);
  addUninstallCommand(program, context);
  addVersionCommand(program, context);
  addStatusCommand(program, context);
  addSeriesCommand(program, context);
  addAttachCommand(program, context);
  addAdoptCommand(program, context);
  addDetachCommand(program, context);
  addNumberPendingCommand(program, context);
  addCountersCommand(program, context);
  addCloseCommand(program, context);
  addReopenCommand(program, context);
  addVoidCommand(program, context);
  addLowerCounterCommand(program, context);
  addRemoveCounterCommand(program, context);
  addLeaseCommand(program, context);
  addGapsCommand(program, context);
  addVerifyCommand(program, context);
  addChainHeadsCommand(program, context);
  addReportCommand(program, context);
  addGrantCommand(program, context);
  addRevokeCommand(program, context);
  addExample(
    program,
    'seqctl install',
    `seqctl series create invoice --format 'INV-{year}-{number:5}'`,
    'seqctl attach public.invoices --series invoice --date-column issued_on',
    'seqctl verify',
  );
  addBenchCommand(program, context);
  addDemoCommand(program, context);
  return program;
}

/** Without `[options]`, which would leave the descriptions too little room to be wrapped. */
function subcommandTerm(command: Command): string {
  return new Help().subcommandTerm(command).replace(' [options]', '');
}

function report(error: unknown, args: readonly string[], program: Command, context: Context): ExitCode {
  if (error instanceof CheckFailed) return exitCodes.checkFailed;
  if (error instanceof CommanderError) return reportUsage(error, args, context);
  const { json = false, verbose = false } = program.opts<GlobalOptions>();
  context.stderr(formatError(error, verbose));
  if (!(error instanceof SeqctlError)) return exitCodes.operation;
  if (json && !isInDocument(error)) new Output(context, json).result(errorDocument(error), '');
  return error.exitCode;
}

/** commander has printed its message already, but for `help` with an unknown command; it calls `seqctl` without a command an error, too. */
function reportUsage(error: CommanderError, args: readonly string[], context: Context): ExitCode {
  if (error.exitCode === 0) return exitCodes.ok;
  let message = error.message.replace(/^error: /, '');
  if (error.code === 'commander.help') {
    const unknown = args
      .filter((arg) => !arg.startsWith('-'))
      .find((_, index, words) => words[index - 1] === 'help');
    message = unknown === undefined ? 'no command was given' : `unknown command '${unknown}'`;
    if (unknown !== undefined) context.stderr(`error: ${message}\n`);
  }
  // Not from program.opts(): an option after what was not understood has not been read.
  if (args.includes('--json')) {
    const usageError = new SeqctlError(exitCodes.usage, message, { hint: usageHint });
    new Output(context, true).result(errorDocument(usageError), '');
  }
  return exitCodes.usage;
}
