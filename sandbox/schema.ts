import { withConnection } from '../cli/connection/connect.js';
import { type ConnectionSettings, describeConnection } from '../cli/connection/settings.js';
import { OperationError } from '../cli/errors.js';
import { readSources, packageSources } from '../cli/installer/sources.js';
import { readState, refuseForeignOrNewer, refuseUnfitServer } from '../cli/installer/state.js';

/**
 * The sandbox of `--in-place`: a schema in the user's database, which needs seqctl there. It can
 * be removed only by the owner of seqctl, because a series that gave numbers is never dropped by seqctl's own functions.
 *
 * @throws SeqctlError that says which right is missing; nothing was made then
 */
export async function createSchema(settings: ConnectionSettings, name: string): Promise<void> {
  const { migrations } = await readSources(packageSources);
  await withConnection(settings, async (client) => {
    const state = await readState(client);
    refuseUnfitServer(state);
    refuseForeignOrNewer(state.schema, migrations);
    const { rows } = await client.query<{ role: string; owns: boolean; may: boolean; database: string }>(
      `select
          quote_ident(current_user) as role,
          quote_ident(current_database()) as database,
          pg_has_role($1::name, 'usage') as owns,
          has_database_privilege(current_database(), 'create') as may`,
      [state.schema.kind === 'installed' ? state.schema.owner : 'pg_monitor'],
    );
    const { role, owns, may, database } = rows[0] ?? { role: '', database: '', owns: false, may: false };
    const why =
      state.schema.kind !== 'installed'
        ? `seqctl is not installed in ${describeConnection(settings)}`
        : !owns
          ? `schema seqctl belongs to "${state.schema.owner}", and only its owner can remove what is left at the end`
          : !may
            ? `role ${role} lacks CREATE on database ${database}`
            : undefined;
    if (why !== undefined) {
      throw new OperationError(`cannot work in place: ${why}`, {
        sqlstate: '42501',
        hint: `Give the URL of the owner of schema seqctl, with CREATE on database ${database}; or a role with CREATEDB, without --in-place.`,
      });
    }
    await client.query(`create schema ${name}`);
  });
}

/** Removes the schema with its attachments, and the series named `<name>_…` with their counters. */
export async function dropSchema(settings: ConnectionSettings, name: string): Promise<void> {
  await withConnection(settings, async (client) => {
    // Sessions of an interrupted run may still be working, and would hold locks.
    await client.query(
      `select pg_terminate_backend(a.pid, 5000)
       from pg_catalog.pg_stat_activity a
       where a.datname = current_database() and a.usename = current_user and a.pid <> pg_backend_pid()
           and exists (
               select from pg_catalog.pg_locks l
               join pg_catalog.pg_class c on c.oid = l.relation
               where l.pid = a.pid and c.relnamespace = $1::regnamespace
           )`,
      [name],
    );
    await client.query('begin');
    await client.query(
      `select seqctl.detach(a.target, a.number_column)
       from seqctl.attachment a
       join pg_catalog.pg_class c on c.oid = a.target
       where c.relnamespace = $1::regnamespace`,
      [name],
    );
    await client.query(`set local client_min_messages = warning`);
    await client.query(`drop schema ${name} cascade`);
    await client.query(
      `with gone as (delete from seqctl.series s where starts_with(s.name, $1 || '_') returning s.id)
       delete from seqctl.counter c using gone g where c.series_id = g.id`,
      [name],
    );
    await client.query('commit');
  });
}
