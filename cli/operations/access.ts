import type { ConnectionSettings } from '../connection/settings.js';
import { withSnapshot } from '../session/read.js';
import { type WriteOptions, withWrite } from '../session/write.js';
import { type AccessLevel, readGrants, type RoleAccess, summarizeGrants } from '../verify/access.js';
import { readManifest } from '../verify/manifest.js';

type Options = Omit<WriteOptions, 'doing'>;

/** @throws SeqctlError */
export async function grantAccess(
  connection: ConnectionSettings,
  role: string,
  level: AccessLevel,
  options: Options,
): Promise<void> {
  await withWrite(connection, { ...options, doing: 'grant access' }, (client) =>
    client.query('select seqctl.grant_access($1::text::name, $2)', [role, level]),
  );
}

/** @throws SeqctlError */
export async function revokeAccess(
  connection: ConnectionSettings,
  role: string,
  options: Options,
): Promise<void> {
  await withWrite(connection, { ...options, doing: 'revoke access' }, (client) =>
    client.query('select seqctl.revoke_access($1::text::name)', [role]),
  );
}

export interface AccessReport {
  /** Owner of the schema, who may do everything. */
  readonly owner: string;
  readonly roles: readonly RoleAccess[];
}

/** Who has what. @throws SeqctlError */
export async function listAccess(connection: ConnectionSettings, signal: AbortSignal): Promise<AccessReport> {
  const { access } = await readManifest();
  return withSnapshot(connection, { doing: 'list who has access', signal }, async (client, state) => ({
    owner: state.schema.owner,
    roles: summarizeGrants(access, await readGrants(client)),
  }));
}
