import type { Client } from 'pg';

import { withConnection } from '../connection/connect.js';
import { type ConnectionSettings, describeConnection } from '../connection/settings.js';
import { toOperationError } from '../errors.js';
import { type NearLimits, readNearLimits } from '../operations/limits.js';
import { readAttachments } from '../operations/attachments.js';
import { type AttachmentStatus, withPendingRows } from '../operations/pending.js';
import { readSeries, type Series } from '../operations/series.js';
import { toolVersion } from '../package.js';
import { packageSources, readSources, type ObjectFile, type SourceFolders, type Sources } from './sources.js';
import { readState, refuseForeignOrNewer } from './state.js';

export interface VersionReport {
  /** Version of this package. */
  readonly tool: string;
  /** Version in the database; null when seqctl is not installed there. */
  readonly installed: string | null;
  /** e.g. `18.4` */
  readonly server: string;
}

export interface StatusReport extends VersionReport {
  readonly database: string;
  /** What `seqctl install` would do; empty when nothing is pending. */
  readonly pending: readonly PendingStep[];
  /** Empty when seqctl is not installed. */
  readonly series: readonly Series[];
  readonly attachments: readonly AttachmentStatus[];
  /** Counters that have used 90 % of their numbers. */
  readonly nearLimit: NearLimits;
}

export interface PendingStep {
  readonly kind: 'install' | 'version' | 'migration' | ObjectFile['kind'];
  readonly name: string;
  readonly reason: 'missing' | 'differs';
}

/** @throws SeqctlError */
export async function readVersions(settings: ConnectionSettings): Promise<VersionReport> {
  try {
    return await withConnection(settings, async (client) => {
      const { schema, serverVersion } = await readState(client);
      const installed = schema.kind === 'installed' ? schema.version : null;
      return { tool: toolVersion, installed, server: serverVersion };
    });
  } catch (error) {
    throw toOperationError(error, `read the version of seqctl in ${describeConnection(settings)}`);
  }
}

/**
 * Compares the database with this package. Reads only and waits for no lock, so that monitoring may call it often;
 * of a view only the existence is compared (`seqctl verify` compares more).
 *
 * @throws SeqctlError
 */
export async function readStatus(
  settings: ConnectionSettings,
  folders: SourceFolders = packageSources,
): Promise<StatusReport> {
  try {
    const sources = await readSources(folders);
    return await withConnection(settings, async (client) => {
      // So that names of tables are written with their schema.
      await client.query('set search_path = pg_catalog');
      return readStatusOn(client, sources);
    });
  } catch (error) {
    throw toOperationError(error, `read the status of seqctl in ${describeConnection(settings)}`);
  }
}

async function readStatusOn(client: Client, sources: Sources): Promise<StatusReport> {
  const { schema, serverVersion, database } = await readState(client);
  refuseForeignOrNewer(schema, sources.migrations);
  const about = { tool: toolVersion, server: serverVersion, database };
  if (schema.kind !== 'installed') {
    const pending = [{ kind: 'install', name: `seqctl ${toolVersion}`, reason: 'missing' }] as const;
    return { ...about, installed: null, pending, ...noUse };
  }
  const versionStep =
    schema.version === toolVersion
      ? []
      : [{ kind: 'version', name: toolVersion, reason: 'differs' } as const];
  const migrationSteps = sources.migrations
    .filter(({ name }) => !schema.migrations.includes(name))
    .map(({ name }) => ({ kind: 'migration', name, reason: 'missing' }) as const);
  return {
    ...about,
    installed: schema.version,
    pending: [...versionStep, ...migrationSteps, ...(await findPendingObjects(client, sources))],
    ...(await readUse(client)),
  };
}

async function findPendingObjects(client: Client, sources: Sources): Promise<PendingStep[]> {
  const { rows } = await client.query<{ kind: string; name: string; body: string | null }>(`
    select 'function' as kind, proname as name, case when prokind <> 'a' then prosrc end as body
    from pg_catalog.pg_proc where pronamespace = 'seqctl'::regnamespace
    union all
    select 'view', relname, null
    from pg_catalog.pg_class where relnamespace = 'seqctl'::regnamespace and relkind = 'v'
    union all
    select 'trigger', tgname, null
    from pg_catalog.pg_trigger join pg_catalog.pg_class as c on c.oid = tgrelid
    where c.relnamespace = 'seqctl'::regnamespace and not tgisinternal`);
  const installed = new Map(rows.map((row) => [`${row.kind} ${row.name}`, row.body]));
  const steps: PendingStep[] = [];
  for (const { kind, name, text } of sources.objects) {
    const body = installed.get(`${kind} ${name}`);
    // PostgreSQL keeps a body as it was written, so the file of a function contains it word for word.
    if (body === undefined) steps.push({ kind, name: `seqctl.${name}`, reason: 'missing' });
    else if (body !== null && !text.includes(body))
      steps.push({ kind, name: `seqctl.${name}`, reason: 'differs' });
  }
  return steps;
}

type Use = Pick<StatusReport, 'series' | 'attachments' | 'nearLimit'>;

const noUse: Use = { series: [], attachments: [], nearLimit: { counters: [], total: 0 } };

/** No more than monitoring wants to store. */
const shownLimits = 100;

/** Nothing while a step is pending that makes what they are read from. */
async function readUse(client: Client): Promise<Use> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regclass('seqctl.series') is not null
        and to_regclass('seqctl.attachments') is not null
        and to_regprocedure('seqctl._near_limit(integer,numeric)') is not null as exists`,
  );
  if (rows[0]?.exists !== true) return noUse;
  return {
    series: await readSeries(client),
    attachments: await withPendingRows(client, await readAttachments(client)),
    nearLimit: await readNearLimits(client, null, shownLimits),
  };
}
