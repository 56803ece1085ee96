import { type Command, Option } from 'commander';

import { embeddedMajors, type EmbeddedMajor } from '../../embedded/binaries.js';
import { type ConnectionSettings, readConnectionSettings } from '../connection/settings.js';
import type { Context, GlobalOptions } from '../context.js';
import { UsageError } from '../errors.js';

/** `--embedded 15`: the major of the server that is started when none is given. */
export function embeddedOption(): Option {
  return new Option('--embedded <major>', 'major of the embedded PostgreSQL, used without --database-url')
    .choices(embeddedMajors.map(String))
    .default('18');
}

/** An option, and not what happens without CREATEDB: nobody's counters are put under load by the rights of a role. */
export function inPlaceOption(): Option {
  return new Option(
    '--in-place',
    'in a temporary schema of the database of --database-url instead, with series of its own in the seqctl that is installed ' +
      'there; needs no CREATEDB, but the owner of schema seqctl',
  );
}

export function majorOf(text: string): EmbeddedMajor {
  return embeddedMajors.find((major) => String(major) === text) ?? 18;
}

/**
 * The server of an explicit --database-url; undefined asks for an embedded one. DATABASE_URL alone does not count: whoever
 * has it set for daily work does not mean to put that server under load.
 */
export function placeOf(
  command: Command,
  context: Context,
): { server: ConnectionSettings | undefined; inPlace: boolean } {
  const { databaseUrl, inPlace = false } = command.optsWithGlobals<GlobalOptions & { inPlace?: boolean }>();
  if (databaseUrl !== undefined) return { server: readConnectionSettings(databaseUrl, context.env), inPlace };
  if (!inPlace) return { server: undefined, inPlace };
  throw new UsageError('--in-place needs the database, with --database-url', {
    hint: 'Without both, an embedded PostgreSQL is started.',
  });
}
