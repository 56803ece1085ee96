import { randomBytes } from 'node:crypto';

import { withConnection } from '../cli/connection/connect.js';
import { type ConnectionSettings, readConnectionSettings } from '../cli/connection/settings.js';
import { OperationError, sqlstateOf, toOperationError } from '../cli/errors.js';
import { install } from '../cli/installer/install.js';
import type { EmbeddedMajor } from '../embedded/binaries.js';
import { startEmbeddedServer } from '../embedded/server.js';
import { createSchema, dropSchema } from './schema.js';

/** A place with seqctl installed where benchmarks and the demo may do as they like. Nothing of it stays. */
export interface Sandbox {
  /** Name of its schema, which is alone in the search_path of `settings`. Series are to be named `<name>_…`. */
  readonly name: string;
  readonly settings: ConnectionSettings;
  /** e.g. `embedded server` */
  readonly where: string;
}

export interface SandboxOptions {
  /** e.g. `seqctl_bench`; six random hexadecimal digits follow it. */
  readonly prefix: string;
  /** A server of the user's; undefined starts an embedded one. */
  readonly server?: ConnectionSettings | undefined;
  /** In a schema of the given database instead of a database of its own. */
  readonly inPlace: boolean;
  readonly major?: EmbeddedMajor | undefined;
  /** Settings of the embedded server. */
  readonly serverSettings?: Readonly<Record<string, string>>;
  /** Aborted by SIGINT and SIGTERM: `work` has to end then, and whatever there is is removed. */
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/**
 * Runs `work` in a sandbox and removes it, however `work` ends.
 *
 * On a user's server it is a database of its own, with seqctl of this package installed into it: then nothing of the
 * user's databases is touched, not even a counter, and removal is one DROP DATABASE. Only with `inPlace` it is a schema of its own in
 * the given database, where the user's seqctl gives the numbers (see schema.ts).
 *
 * @throws SeqctlError that says which right is missing, or what was left behind
 */
export async function withSandbox<T>(
  options: SandboxOptions,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const name = `${options.prefix}_${randomBytes(3).toString('hex')}`;
  try {
    return options.server === undefined
      ? await inEmbeddedServer(name, options, work)
      : await onServer(name, options.server, options, work);
  } catch (error) {
    if (!options.signal.aborted || error instanceof LeftBehind) throw error;
    throw new OperationError('interrupted', { hint: 'Everything that was made for this run is removed.' });
  }
}

async function inEmbeddedServer<T>(
  name: string,
  options: SandboxOptions,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  options.onProgress(
    `starting an embedded PostgreSQL ${options.major ?? 18} (flushes to disk, as a real one)`,
  );
  const server = await startEmbeddedServer({
    durable: true,
    ...(options.major === undefined ? {} : { major: options.major }),
    settings: options.serverSettings ?? {},
  }).catch((error: unknown) => {
    throw new OperationError('no embedded PostgreSQL can be started', {
      detail: error instanceof Error ? error.message : String(error),
      hint: 'Or give a server of yours with --database-url; what is made there is removed again.',
      cause: error,
    });
  });
  try {
    options.signal.throwIfAborted();
    const settings = readConnectionSettings(server.url, {});
    return await inDatabase(name, settings, options, 'embedded server', work);
  } finally {
    await server.stop();
  }
}

async function onServer<T>(
  name: string,
  server: ConnectionSettings,
  options: SandboxOptions,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  if (!options.inPlace) {
    await refuseWithoutRight(server);
    options.onProgress(`working in the temporary database ${name}`);
    return inDatabase(name, server, options, `temporary database on ${server.host}`, work);
  }
  options.onProgress(`working in the temporary schema ${name} of database "${server.database}"`);
  await createSchema(server, name);
  const sandbox = { name, settings: inSchema(server, name), where: `temporary schema on ${server.host}` };
  return removing(
    () => work(sandbox),
    () => dropSchema(server, name),
    `schema ${name} in database "${server.database}"`,
  );
}

async function refuseWithoutRight(server: ConnectionSettings): Promise<void> {
  await withConnection(server, async (client) => {
    const { rows } = await client.query<{ role: string; may: boolean }>(
      `select pg_catalog.quote_ident(rolname) as role, rolsuper or rolcreatedb as may
       from pg_catalog.pg_roles where rolname = current_user`,
    );
    const { role = '', may = false } = rows[0] ?? {};
    if (may) return;
    throw new OperationError(`role ${role} may not create a database, and this runs in one of its own`, {
      sqlstate: '42501',
      hint:
        `Have a superuser run: alter role ${role} createdb; or give the URL of another role. With --in-place it runs in a temporary ` +
        `schema of database "${server.database}", numbered by the seqctl that is installed there.`,
    });
  });
}

async function inDatabase<T>(
  name: string,
  server: ConnectionSettings,
  options: SandboxOptions,
  where: string,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const run = (sql: string): Promise<unknown> => withConnection(server, (client) => client.query(sql));
  // template1 may hold anything, a seqctl of another version included.
  await run(`create database ${name} template template0`).catch((error: unknown) => {
    throw toOperationError(error, `create database ${name}`);
  });
  return removing(
    async () => {
      const settings = { ...server, database: name };
      await install(settings, { signal: options.signal });
      await withConnection(settings, (client) => client.query(`create schema ${name}`));
      return work({ name, settings: inSchema(settings, name), where });
    },
    () => run(`drop database if exists ${name} with (force)`),
    `database ${name}`,
  );
}

function inSchema(settings: ConnectionSettings, schema: string): ConnectionSettings {
  const { options = '' } = settings;
  return { ...settings, options: `${options} -c search_path=${schema}`.trim() };
}

/** `work`, then `remove` in any case; a failed removal is told also when `work` failed, because the user must act. */
async function removing<T>(work: () => Promise<T>, remove: () => Promise<unknown>, what: string): Promise<T> {
  const outcome = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  try {
    await remove();
  } catch (error) {
    throw new LeftBehind(`${what} could not be removed: ${(error as Error).message}`, {
      sqlstate: sqlstateOf(error),
      hint: `Remove it by hand: it is of no use to anybody.`,
      cause: 'error' in outcome ? outcome.error : error,
    });
  }
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

class LeftBehind extends OperationError {}
