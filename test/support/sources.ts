import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { onTestFinished } from 'vitest';

import { packageSources, type SourceFolders } from '../../cli/installer/sources.js';

/** A copy of the package's sql/ and migrations/ with more files, by their path, e.g. `migrations/9999_broken.sql`. */
export async function sourcesWith(files: Readonly<Record<string, string>>): Promise<SourceFolders> {
  const root = await mkdtemp(path.join(tmpdir(), 'seqctl-sources-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const folders = { migrations: path.join(root, 'migrations'), sql: path.join(root, 'sql') };
  await cp(packageSources.migrations, folders.migrations, { recursive: true });
  await cp(packageSources.sql, folders.sql, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(root, file), text);
  return folders;
}
