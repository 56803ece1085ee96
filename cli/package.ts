import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Folder that holds package.json, sql/ and migrations/: two levels up in dist/, one in the source tree. */
export const packageRoot = findPackageRoot(import.meta.dirname);

/** The version in package.json, e.g. `0.1.0`: the only place it is written down. */
export const toolVersion = readVersion(packageRoot);

function findPackageRoot(start: string): string {
  let folder = start;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${start}: the package is damaged`);
    folder = parent;
  }
  return folder;
}

function readVersion(root: string): string {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
