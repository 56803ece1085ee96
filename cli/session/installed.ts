import type { Client } from 'pg';

import { OperationError } from '../errors.js';
import { packageSources, readSources } from '../installer/sources.js';
import { type DatabaseState, readState, refuseForeignOrNewer, type SchemaState } from '../installer/state.js';

export type InstalledSchema = Extract<SchemaState, { readonly kind: 'installed' }>;

export interface InstalledState extends DatabaseState {
  readonly schema: InstalledSchema;
}

/** @throws SeqctlError when seqctl is not in this database, is newer than this tool, or may not be read */
export async function requireInstalled(client: Client): Promise<InstalledState> {
  const state = await readState(client);
  const { migrations } = await readSources(packageSources);
  refuseForeignOrNewer(state.schema, migrations);
  if (state.schema.kind !== 'installed') {
    throw new OperationError(`seqctl is not installed in database "${state.database}"`, {
      hint: 'Run seqctl install, or name another database with --database-url.',
    });
  }
  return { ...state, schema: state.schema };
}
