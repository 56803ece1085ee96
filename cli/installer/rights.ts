import type { Client } from 'pg';

import { OperationError } from '../errors.js';
import type { DatabaseState } from './state.js';

/**
 * Makes sure that the current role may install, and lets it act as the owner of an existing schema for the rest of
 * the transaction, so that everything in the schema has one owner whoever runs the upgrade.
 *
 * @throws OperationError that names the one right that is missing and the statement that grants it
 */
export async function assumeOwnership(client: Client, state: DatabaseState): Promise<void> {
  if (state.schema.kind === 'absent') {
    await requireCreateOnDatabase(client);
  } else {
    await becomeOwner(client, state.schema.owner);
  }
}

async function requireCreateOnDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ allowed: boolean; database: string; role: string; owner: string }>(`
    select
        has_database_privilege(d.oid, 'create') as allowed,
        quote_ident(d.datname) as database,
        quote_ident(current_user) as role,
        quote_ident(r.rolname) as owner
    from pg_catalog.pg_database as d
    join pg_catalog.pg_roles as r on r.oid = d.datdba
    where d.datname = current_database()`);
  const row = rows[0];
  if (row === undefined || row.allowed) return;
  throw new OperationError(`role ${row.role} lacks the right CREATE on database ${row.database}`, {
    sqlstate: '42501',
    detail: 'It is needed to create the schema seqctl.',
    hint: `Have its owner, ${row.owner}, or a superuser run: grant create on database ${row.database} to ${row.role};`,
  });
}

async function becomeOwner(client: Client, owner: string): Promise<void> {
  const { rows } = await client.query<{ is_owner: boolean; may: boolean; role: string; owner: string }>(
    `select
        current_user = $1::name as is_owner,
        pg_has_role($1::name, case when current_setting('server_version_num')::integer >= 160000
                                   then 'set' else 'member' end) as may,
        quote_ident(current_user) as role,
        quote_ident($1::name::text) as owner`,
    [owner],
  );
  const row = rows[0];
  if (row === undefined || row.is_owner) return;
  if (!row.may) {
    throw new OperationError(`role ${row.role} is not the owner of schema seqctl, which is ${row.owner}`, {
      sqlstate: '42501',
      detail: 'Only the owner, a role that is a member of it, or a superuser can change the installation.',
      hint: `Connect as ${row.owner}, or have it (or a superuser) run: grant ${row.owner} to ${row.role};`,
    });
  }
  await client.query(`set local role ${row.owner}`);
}
