import { toolVersion } from '../package.js';
import { installerLockKey } from './lock.js';
import { packageSources, readSources, type SourceFolders } from './sources.js';

/**
 * The whole first installation as one script for psql and an empty database. It leaves exactly what `install`
 * leaves, the records of the migrations included, so that later upgrades can be done by the tool.
 */
export async function installScript(folders: SourceFolders = packageSources): Promise<string> {
  const { migrations, objects } = await readSources(folders);
  const parts = [
    `-- seqctl ${toolVersion}: first installation into an empty database. Run it with: psql -v ON_ERROR_STOP=1 -f FILE`,
    'begin transaction isolation level read committed, read write;',
    [
      'set local search_path = pg_catalog;',
      'set local client_min_messages = warning;',
      `do $$ begin perform pg_advisory_xact_lock(${installerLockKey}); end $$;`,
      'create schema seqctl;',
    ].join('\n'),
    // As node-pg-migrate creates it; the tool goes on with this table at the next upgrade.
    [
      'create table seqctl.migration (',
      '    id serial primary key,',
      '    name varchar(255) not null,',
      '    run_on timestamp not null',
      ');',
    ].join('\n'),
    ...migrations.map(
      ({ name, up }) =>
        `-- migrations/${name}.sql\n${up}\ninsert into seqctl.migration (name, run_on) values ('${name}', now());`,
    ),
    'set local check_function_bodies = off;',
    ...objects.map(({ kind, name, text }) => `-- sql/${kind}s/${name}.sql\n${text}`),
    `insert into seqctl.installation (version, installed_by) values ('${toolVersion}', session_user);`,
    'commit;',
  ];
  return `${parts.join('\n\n')}\n`;
}
