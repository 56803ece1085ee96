import type { Command } from 'commander';

import { type ConnectionSettings, readConnectionSettings } from './connection/settings.js';
import { Output, type Streams } from './output.js';

/** What main.ts takes from the process and hands to every command. */
export interface Context extends Streams {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Where stderr is a terminal: what is in progress may be shown in place. */
  readonly terminal?: { readonly columns: number } | undefined;
}

/** The options every command has. */
export interface GlobalOptions {
  readonly databaseUrl?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** @throws ConnectionError when the settings cannot be understood */
export function connectionOf(command: Command, context: Context): ConnectionSettings {
  return readConnectionSettings(command.optsWithGlobals<GlobalOptions>().databaseUrl, context.env);
}

export function outputOf(command: Command, context: Context): Output {
  return new Output(context, command.optsWithGlobals<GlobalOptions>().json ?? false);
}
