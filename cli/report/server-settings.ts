import type { Client } from 'pg';

export interface ServerSetting {
  readonly name: string;
  readonly value: string;
  /** Where it comes from, e.g. `default`, `configuration file`. */
  readonly source: string;
}

/** Those that decide whether what was committed survives a crash. */
const shown = ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums', 'wal_level'];

/** As the server has them; what a role or a database has of its own is a finding where it is unsafe. */
export async function readServerSettings(client: Client): Promise<ServerSetting[]> {
  const { rows } = await client.query<ServerSetting>(
    `select g.name, g.setting as value, g.source
     from pg_settings as g
     where g.name = any ($1)
     order by array_position($1, g.name)`,
    [shown],
  );
  return rows;
}
