import type { Client } from 'pg';

import { NewerDatabaseError, OperationError } from '../errors.js';
import { toolVersion } from '../package.js';
import { compareVersions } from './semver.js';
import type { MigrationFile } from './sources.js';

/** Majors the tests run on; older ones are refused, newer ones get a warning. */
export const oldestMajor = 14;
export const newestMajor = 18;

/** What is in the database before anything is done. */
export interface DatabaseState {
  readonly database: string;
  /** As the server says it, e.g. `18.4 (Debian 18.4-1)`. */
  readonly serverVersion: string;
  readonly serverMajor: number;
  readonly isStandby: boolean;
  readonly schema: SchemaState;
}

export type SchemaState =
  | { readonly kind: 'absent' }
  /** A schema of that name that seqctl did not make. */
  | { readonly kind: 'foreign'; readonly owner: string }
  | {
      readonly kind: 'installed';
      readonly owner: string;
      /** 0.0.0 where the row is missing, as after a restore of the schema without its data: install repairs it. */
      readonly version: string;
      /** Names of the migrations that ran, in order. */
      readonly migrations: readonly string[];
    };

interface ServerRow {
  readonly database: string;
  readonly version: string;
  readonly number: number;
  readonly is_standby: boolean;
  readonly owner: string | null;
  readonly has_installation: boolean;
}

/** Reads only; needs no right but those of PUBLIC while seqctl is not installed. */
export async function readState(client: Client): Promise<DatabaseState> {
  const { rows } = await client.query<ServerRow>(`
    select
        current_database() as database,
        current_setting('server_version') as version,
        current_setting('server_version_num')::integer as number,
        pg_is_in_recovery() as is_standby,
        (select r.rolname from pg_catalog.pg_namespace as n join pg_catalog.pg_roles as r on r.oid = n.nspowner
         where n.nspname = 'seqctl') as owner,
        (
            select count(*) = 2 from pg_catalog.pg_class as c
            join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
            where n.nspname = 'seqctl' and c.relname in ('installation', 'migration') and c.relkind = 'r'
        ) as has_installation`);
  const row = rows[0];
  if (row === undefined) throw new Error('the server returned no row about itself');
  return {
    database: row.database,
    serverVersion: row.version,
    serverMajor: Math.floor(row.number / 10_000),
    isStandby: row.is_standby,
    schema: await readSchemaState(client, row),
  };
}

async function readSchemaState(client: Client, row: ServerRow): Promise<SchemaState> {
  if (row.owner === null) return { kind: 'absent' };
  if (!row.has_installation) return { kind: 'foreign', owner: row.owner };
  await refuseUnreadable(client, row.owner);
  const installation = await client.query<{ version: string }>('select version from seqctl.installation');
  const migrations = await client.query<{ name: string }>('select name from seqctl.migration order by id');
  return {
    kind: 'installed',
    owner: row.owner,
    version: installation.rows[0]?.version ?? '0.0.0',
    migrations: migrations.rows.map(({ name }) => name),
  };
}

async function refuseUnreadable(client: Client, owner: string): Promise<void> {
  const { rows } = await client.query<{ role: string; allowed: boolean }>(`
    select
        quote_ident(current_user) as role,
        has_schema_privilege('seqctl', 'usage')
            and bool_and(has_table_privilege(c.oid, 'select')) as allowed
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'seqctl' and c.relname in ('installation', 'migration') and c.relkind = 'r'`);
  const row = rows[0];
  if (row === undefined || row.allowed) return;
  throw new OperationError(`role ${row.role} may not read schema seqctl, which belongs to "${owner}"`, {
    sqlstate: '42501',
    hint: `Connect as "${owner}". Or have it (or a superuser) run, to look: seqctl grant ${row.role} read\nTo install: grant "${owner}" to ${row.role};`,
  });
}

/** @throws OperationError when the server cannot run seqctl, or takes no writes */
export function refuseUnfitServer(state: DatabaseState): void {
  if (state.serverMajor < oldestMajor) {
    throw new OperationError(`PostgreSQL ${state.serverVersion} is too old for seqctl`, {
      hint: `Upgrade the server: seqctl needs PostgreSQL ${oldestMajor} to ${newestMajor}.`,
    });
  }
  if (state.isStandby) throw standbyError();
}

export function standbyError(): OperationError {
  return new OperationError('this server is a standby: it takes no writes', {
    hint: 'Connect to the primary server; the standby follows by itself.',
  });
}

/** @throws OperationError for a schema seqctl did not make, NewerDatabaseError for a newer installation */
export function refuseForeignOrNewer(schema: SchemaState, migrations: readonly MigrationFile[]): void {
  if (schema.kind === 'absent') return;
  if (schema.kind === 'foreign') {
    throw new OperationError('the database has a schema "seqctl" that seqctl did not make', {
      detail: `It belongs to "${schema.owner}" and lacks the tables seqctl.installation and seqctl.migration, or one of them.`,
      hint: 'Rename it (alter schema seqctl rename to …) or drop it, or use another database.',
    });
  }
  const unknown = schema.migrations.filter((name) => !migrations.some((file) => file.name === name));
  const detail = unknown.length === 0 ? undefined : `Migrations unknown to this tool: ${unknown.join(', ')}`;
  if (compareVersions(schema.version, toolVersion) > 0) {
    throw new NewerDatabaseError(
      `the database has seqctl ${schema.version}, which is newer than this tool, ${toolVersion}`,
      { detail, hint: `Use seqctl ${schema.version} or newer, e.g. npx seqctl@${schema.version} …` },
    );
  }
  if (unknown.length > 0) {
    throw new NewerDatabaseError(
      `the database has seqctl ${schema.version}, but not that of this tool, ${toolVersion}`,
      { detail, hint: 'Use the seqctl that ran them, or a newer one.' },
    );
  }
}
