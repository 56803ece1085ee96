import { chown, cp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Client } from 'pg';

/** Not of a copy: what belongs to the running server, and WAL, which a standby gets by itself. */
const left = ['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot', 'pgsql_tmp'];

/**
 * Copies the data of a running server to the new folder `destination`, so that a server started there follows it (the npm packages
 * have no pg_basebackup). The role of `url` has to be a superuser with a password, and pg_hba.conf to let it replicate.
 */
export async function copyForStandby(url: string, source: string, destination: string): Promise<void> {
  const primary = new Client({ connectionString: url });
  await primary.connect();
  try {
    await primary.query(`select pg_backup_start('seqctl', fast => true)`);
    await cp(source, destination, {
      recursive: true,
      filter: (name) =>
        !left.includes(path.basename(path.dirname(name))) && !path.basename(name).startsWith('postmaster.'),
    });
    const { rows } = await primary.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => false)',
    );
    await writeFile(path.join(destination, 'backup_label'), rows[0]?.labelfile ?? '');
    await writeFile(path.join(destination, 'standby.signal'), '');
  } finally {
    await primary.end();
  }
}

/** Gives everything in a folder to a user. */
export async function chownAll(folder: string, uid: number, gid: number): Promise<void> {
  await chown(folder, uid, gid);
  for (const name of await readdir(folder, { recursive: true }))
    await chown(path.join(folder, name), uid, gid);
}

/** libpq's connection string for the settings of a URL. */
export function conninfoOf(url: string): string {
  const { hostname, port, username, password } = new URL(url);
  return `host=${hostname} port=${port} user=${username} password=${password}`;
}
