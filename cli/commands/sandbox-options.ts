import { type Command, Option } from 'commander';

import { embeddedMajors, type EmbeddedMajor } from '../../embedded/binaries.js';
import { type ConnectionSettings, readConnectionSettings } from '../connection/settings.js';
import type { Context, GlobalOptions } from '../context.js';

/** `--embedded 15`: the major of the server that is started when none is given. */
export function embeddedOption(): Option {
  return new Option('--embedded <major>', 'major of the embedded PostgreSQL, used without --database-url')
    .choices(embeddedMajors.map(String))
    .default('18');
}

export function majorOf(text: string): EmbeddedMajor {
  return embeddedMajors.find((major) => String(major) === text) ?? 18;
}

/**
 * The server of an explicit --database-url; undefined asks for an embedded one. DATABASE_URL alone does not count: whoever
 * has it set for daily work does not mean to put that server under load.
 */
export function serverOf(command: Command, context: Context): ConnectionSettings | undefined {
  const { databaseUrl } = command.optsWithGlobals<GlobalOptions>();
  return databaseUrl === undefined ? undefined : readConnectionSettings(databaseUrl, context.env);
}
