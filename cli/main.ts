#!/usr/bin/env node
import { exitCodes, OperationError } from './errors.js';
import { formatError } from './output.js';
import { runProgram } from './program.js';

// The only file that touches the process: what it gives to the program and what it takes from it stands here.

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Once: a second signal ends the process at once.
  process.once(signal, () => interruption.abort(new Error(signal)));
}

// A reader that closed its end, as `head` does, is no failure of ours.
const lost: Error[] = [];
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || lost.push(error) > 1) return;
  process.exitCode = exitCodes.operation;
  const failure = new OperationError(`could not write to standard output: ${error.message}`, {
    hint: 'What the command changed stays changed. Make room, or send its output elsewhere.',
  });
  process.stderr.write(formatError(failure, false));
});

const exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  signal: interruption.signal,
  terminal: process.stderr.isTTY ? { columns: process.stderr.columns } : undefined,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
});
// What was lost is an error, whatever the result was.
if (lost.length === 0) process.exitCode = exitCode;
