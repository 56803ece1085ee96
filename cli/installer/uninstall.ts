import type { Client } from 'pg';

import { type ConnectionSettings, describeConnection } from '../connection/settings.js';
import { OperationError, sqlstateOf, toOperationError } from '../errors.js';
import { runMigrations } from './migrations.js';
import { assumeOwnership } from './rights.js';
import { type Change, diffSnapshots, takeSnapshot } from './snapshot.js';
import { packageSources, readSources, type SourceFolders, type Sources } from './sources.js';
import { readState, refuseForeignOrNewer, refuseUnfitServer } from './state.js';
import { defaultLockTimeoutMs, type TransactionOptions, withInstallerTransaction } from './transaction.js';

export interface UninstallOptions extends Partial<TransactionOptions> {
  /** Detach every attached table first, instead of refusing. The numbers in the tables stay. */
  readonly detach?: boolean;
  readonly folders?: SourceFolders;
}

export interface AttachmentName {
  readonly series: string;
  /** e.g. `public.invoices` */
  readonly target: string;
  readonly numberColumn: string;
}

export interface UninstallReport {
  readonly outcome: 'uninstalled' | 'absent';
  readonly dryRun: boolean;
  readonly detached: readonly AttachmentName[];
  readonly changes: readonly Change[];
}

/**
 * Removes schema seqctl in one transaction, and nothing else: the numbers in user tables stay, and nothing is
 * dropped by cascade.
 *
 * @throws SeqctlError while tables are attached, or when others put objects into the schema or depend on its
 *   objects; nothing was changed then
 */
export async function uninstall(
  settings: ConnectionSettings,
  options: UninstallOptions = {},
): Promise<UninstallReport> {
  const folders = options.folders ?? packageSources;
  const dryRun = options.dryRun ?? false;
  try {
    const sources = await readSources(folders);
    return await withInstallerTransaction(
      settings,
      { ...options, dryRun, lockTimeoutMs: options.lockTimeoutMs ?? defaultLockTimeoutMs },
      (client) => uninstallOn(client, sources, folders, { dryRun, detach: options.detach ?? false }),
    );
  } catch (error) {
    throw toOperationError(error, `uninstall seqctl from ${describeConnection(settings)}`);
  }
}

async function uninstallOn(
  client: Client,
  sources: Sources,
  folders: SourceFolders,
  { dryRun, detach }: { dryRun: boolean; detach: boolean },
): Promise<UninstallReport> {
  const state = await readState(client);
  if (state.schema.kind === 'absent') return { outcome: 'absent', dryRun, detached: [], changes: [] };
  refuseUnfitServer(state);
  refuseForeignOrNewer(state.schema, sources.migrations);

  const before = await takeSnapshot(client);
  const detached = await readAttachments(client);
  if (detached.length > 0 && !detach) throw attachedError(detached);
  // Before the role changes: detaching needs the rights on the attached tables.
  for (const attachment of detached) await detachOne(client, attachment);
  await assumeOwnership(client, state);
  await refuseCheckouts(client);
  await dropObjects(client, sources);
  await runMigrations(client, 'down', sources.migrations, folders);
  await client.query('drop table seqctl.migration');
  await refuseForeignObjects(client);
  await client.query('drop schema seqctl');
  const changes = diffSnapshots(before, await takeSnapshot(client));
  return { outcome: 'uninstalled', dryRun, detached, changes };
}

/** Whoever has such a number could never say what became of it. */
async function refuseCheckouts(client: Client): Promise<void> {
  // Against a number that is being checked out at this moment.
  await client.query('lock table seqctl.checkout in share row exclusive mode');
  const { rows } = await client.query<{ count: string; first: string }>(`
    select count(*) as count, min(format('number %s of series %s, for %s', k.number, k.series, k.correlation_id)) as first
    from seqctl.checkouts as k
    where k.state in ('open', 'expired')`);
  const { count = '0', first = '' } = rows[0] ?? {};
  if (count === '0') return;
  throw new OperationError(`${count === '1' ? 'a number is' : `${count} numbers are`} checked out`, {
    detail: count === '1' ? first : `One of them: ${first}.`,
    hint: 'Settle them first: seqctl lease list, then seqctl lease finalize or seqctl lease release.',
  });
}

async function readAttachments(client: Client): Promise<AttachmentName[]> {
  const { rows } = await client.query<AttachmentName>(`
    select s.name as series, a.target::text as target, a.number_column as "numberColumn"
    from seqctl.attachment as a
    join seqctl.series as s on s.id = a.series_id
    order by 2, 3`);
  return rows;
}

async function detachOne(client: Client, { target, numberColumn }: AttachmentName): Promise<void> {
  try {
    await client.query('select seqctl.detach($1::regclass, $2::name)', [target, numberColumn]);
  } catch (error) {
    throw new OperationError(`cannot detach ${target}.${numberColumn}: ${(error as Error).message}`, {
      sqlstate: sqlstateOf(error),
      hint: 'Nothing was changed. Run it as a superuser, or let the owner of the table detach it first.',
      cause: error,
    });
  }
}

function attachedError(attachments: readonly AttachmentName[]): OperationError {
  const list = attachments.map(
    ({ series, target, numberColumn }) => `${target}.${numberColumn} (series ${series})`,
  );
  return new OperationError(`${attachments.length} attached column(s) still get their numbers from seqctl`, {
    detail: list.join('\n'),
    hint: 'Run seqctl uninstall --detach to detach them first; the numbers in the tables stay.',
  });
}

/** The triggers, views and functions this package knows; each kind in one statement, so that they may use each other. */
async function dropObjects(client: Client, sources: Sources): Promise<void> {
  const names = (kind: string): string[] =>
    sources.objects.filter((object) => object.kind === kind).map((object) => object.name);
  const { rows } = await client.query<{
    triggers: string | null;
    views: string | null;
    functions: string | null;
  }>(
    `select
        (select string_agg(format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass), '; ') from pg_catalog.pg_trigger as t
         join pg_catalog.pg_class as c on c.oid = t.tgrelid
         where c.relnamespace = 'seqctl'::regnamespace and not t.tgisinternal and t.tgname = any ($3)) as triggers,
        (select string_agg(c.oid::regclass::text, ', ') from pg_catalog.pg_class as c
         where c.relnamespace = 'seqctl'::regnamespace and c.relkind = 'v' and c.relname = any ($1)) as views,
        (select string_agg(p.oid::regprocedure::text, ', ') from pg_catalog.pg_proc as p
         where p.pronamespace = 'seqctl'::regnamespace and p.proname = any ($2)) as functions`,
    [names('view'), names('function'), names('trigger')],
  );
  try {
    if (rows[0]?.triggers) await client.query(rows[0].triggers);
    if (rows[0]?.views) await client.query(`drop view ${rows[0].views}`);
    if (rows[0]?.functions) await client.query(`drop routine ${rows[0].functions}`);
  } catch (error) {
    if (sqlstateOf(error) !== '2BP01') throw error;
    throw new OperationError('other objects of the database depend on seqctl', {
      sqlstate: '2BP01',
      detail: (error as { detail?: string }).detail,
      hint: 'Drop or change them first; seqctl drops nothing that is not its own.',
      cause: error,
    });
  }
}

/** Whatever is left in the schema now was put there by somebody else. */
async function refuseForeignObjects(client: Client): Promise<void> {
  const left = (await takeSnapshot(client)).filter(
    (object) => object.parent === null && !['schema', 'trigger'].includes(object.kind),
  );
  if (left.length === 0) return;
  throw new OperationError('schema seqctl has objects that seqctl did not make', {
    detail: left.map(({ kind, name }) => `${kind} ${name}`).join('\n'),
    hint: 'Move them to another schema or drop them, then run seqctl uninstall again.',
  });
}
