import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { describeConnection } from '../connection/settings.js';
import { toOperationError } from '../errors.js';
import { toolVersion } from '../package.js';
import { readHeldAccess, restoreAccess } from './levels.js';
import { runMigrations } from './migrations.js';
import { assumeOwnership } from './rights.js';
import { type Change, diffSnapshots, takeSnapshot } from './snapshot.js';
import { packageSources, readSources, type SourceFolders, type Sources } from './sources.js';
import { newestMajor, readState, refuseForeignOrNewer, refuseUnfitServer } from './state.js';
import { defaultLockTimeoutMs, type TransactionOptions, withInstallerTransaction } from './transaction.js';

export interface InstallOptions extends Partial<TransactionOptions> {
  /** Where migrations/ and sql/ are; the package's own when left out. */
  readonly folders?: SourceFolders;
}

export interface InstallReport {
  readonly outcome: 'installed' | 'upgraded' | 'changed' | 'unchanged';
  readonly dryRun: boolean;
  readonly version: string;
  /** The version that was installed before; null on a first install. */
  readonly previousVersion: string | null;
  readonly changes: readonly Change[];
}

/**
 * Installs or upgrades schema seqctl, all in one transaction. Safe to repeat, and to run from many machines at once.
 *
 * @throws SeqctlError; nothing was changed then
 */
export async function install(
  settings: ConnectionSettings,
  options: InstallOptions = {},
): Promise<InstallReport> {
  const folders = options.folders ?? packageSources;
  const dryRun = options.dryRun ?? false;
  try {
    const sources = await readSources(folders);
    return await withInstallerTransaction(
      settings,
      { ...options, dryRun, lockTimeoutMs: options.lockTimeoutMs ?? defaultLockTimeoutMs },
      (client) => installOn(client, sources, folders, dryRun, options.onProgress),
    );
  } catch (error) {
    throw toOperationError(error, `install seqctl into ${describeConnection(settings)}`);
  }
}

async function installOn(
  client: Client,
  sources: Sources,
  folders: SourceFolders,
  dryRun: boolean,
  onProgress: ((text: string) => void) | undefined,
): Promise<InstallReport> {
  const state = await readState(client);
  refuseUnfitServer(state);
  refuseForeignOrNewer(state.schema, sources.migrations);
  await assumeOwnership(client, state);
  if (state.serverMajor > newestMajor) {
    onProgress?.(
      `warning: PostgreSQL ${state.serverVersion} is newer than seqctl ${toolVersion} was tested with`,
    );
  }
  const before = await takeSnapshot(client);
  const held = await readHeldAccess(client);
  if (state.schema.kind === 'absent') await client.query('create schema seqctl');
  await runMigrations(client, 'up', sources.migrations, folders);
  await applyObjects(client, sources);
  await regenerateAttachments(client);
  const changes = diffSnapshots(before, await takeSnapshot(client));
  if (changes.some(({ action }) => action === 'create')) await restoreAccess(client, held);

  const previousVersion = state.schema.kind === 'installed' ? state.schema.version : null;
  const isUpgrade = previousVersion !== null && previousVersion !== toolVersion;
  if (previousVersion === null || isUpgrade || changes.length > 0) await recordVersion(client);
  const outcome =
    previousVersion === null
      ? 'installed'
      : isUpgrade
        ? 'upgraded'
        : changes.length > 0
          ? 'changed'
          : 'unchanged';
  return { outcome, dryRun, version: toolVersion, previousVersion, changes };
}

/** Bodies are not checked, so that the order of the files of one folder does not matter. */
async function applyObjects(client: Client, sources: Sources): Promise<void> {
  await client.query('set local check_function_bodies = off');
  for (const object of sources.objects) {
    try {
      await client.query(object.text);
    } catch (error) {
      throw new Error(`${object.kind} seqctl.${object.name}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** What an attachment generated comes from a template, and an upgrade may have a better one. */
async function regenerateAttachments(client: Client): Promise<void> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regprocedure('seqctl._regenerate_attachments()') is not null as exists`,
  );
  if (rows[0]?.exists === true) await client.query('select seqctl._regenerate_attachments()');
}

async function recordVersion(client: Client): Promise<void> {
  await client.query(
    `insert into seqctl.installation as i (version, installed_at, installed_by, updated_at)
     values ($1, now(), session_user, now())
     on conflict (only_row) do update set version = excluded.version, updated_at = excluded.updated_at`,
    [toolVersion],
  );
}
