import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { packageRoot } from '../package.js';

/** Absolute paths of the folders an installation is made from. */
export interface SourceFolders {
  readonly migrations: string;
  readonly sql: string;
}

export const packageSources: SourceFolders = {
  migrations: path.join(packageRoot, 'migrations'),
  sql: path.join(packageRoot, 'sql'),
};

/** One step of migrations/: `0001_core.sql`. */
export interface MigrationFile {
  /** e.g. `0001_core`, as it is recorded in seqctl.migration. */
  readonly name: string;
  readonly path: string;
  readonly up: string;
  readonly down: string;
}

/** One file of sql/: the current definition of the function, view or trigger it is named after. */
export interface ObjectFile {
  readonly kind: 'function' | 'view' | 'trigger';
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

export interface Sources {
  /** In the order in which they run. */
  readonly migrations: readonly MigrationFile[];
  /** Functions, then views, then triggers. */
  readonly objects: readonly ObjectFile[];
}

const migrationFileName = /^\d{4}_[a-z0-9_]+\.sql$/;
const downMarker = '-- Down Migration';

/** @throws Error when a file is misnamed or has no down half: the package is damaged */
export async function readSources(folders: SourceFolders): Promise<Sources> {
  const [migrations, functions, views, triggers] = await Promise.all([
    readMigrations(folders.migrations),
    readObjects('function', path.join(folders.sql, 'functions')),
    readObjects('view', path.join(folders.sql, 'views')),
    readObjects('trigger', path.join(folders.sql, 'triggers')),
  ]);
  return { migrations, objects: [...functions, ...views, ...triggers] };
}

async function readMigrations(folder: string): Promise<MigrationFile[]> {
  const names = await listSqlFiles(folder);
  const misnamed = names.find((name) => !migrationFileName.test(name));
  if (misnamed !== undefined) throw new Error(`${path.join(folder, misnamed)} is not named NNNN_name.sql`);
  return Promise.all(names.map((name) => readMigration(path.join(folder, name))));
}

async function readMigration(file: string): Promise<MigrationFile> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const marker = lines.indexOf(downMarker);
  if (marker < 0 || lines.lastIndexOf(downMarker) !== marker) {
    throw new Error(`${file} has not exactly one line "${downMarker}"`);
  }
  return {
    name: path.basename(file, '.sql'),
    path: file,
    up: lines.slice(0, marker).join('\n').trim(),
    down: lines
      .slice(marker + 1)
      .join('\n')
      .trim(),
  };
}

async function readObjects(kind: ObjectFile['kind'], folder: string): Promise<ObjectFile[]> {
  const names = await listSqlFiles(folder);
  return Promise.all(
    names.map(async (name) => ({
      kind,
      name: path.basename(name, '.sql'),
      path: path.join(folder, name),
      text: (await readFile(path.join(folder, name), 'utf8')).trim(),
    })),
  );
}

async function listSqlFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((name) => name.endsWith('.sql')).sort();
}
