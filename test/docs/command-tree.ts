import type { Command } from 'commander';

import type { Context } from '../../cli/context.js';

/** For a program that is looked at, not run. */
export const quietContext: Context = {
  env: {},
  signal: new AbortController().signal,
  stdout: () => undefined,
  stderr: () => undefined,
};

/** Every command that does something, and every group of commands. */
export function leavesOf(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...leavesOf(child)]);
}

/** e.g. `seqctl series create` */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}
