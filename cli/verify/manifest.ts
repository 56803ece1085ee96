import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { packageRoot } from '../package.js';
import { packageSources, readSources, type Sources } from '../installer/sources.js';
import type { AccessRights } from './access.js';
import type { InstalledObject } from './catalogue.js';

/**
 * What an installation of this package consists of, taken from a real one by `npm run manifest`. Bodies of functions are not
 * in the file: they are compared with sql/functions/ itself.
 */
export interface Manifest {
  /** Names of the migrations. */
  readonly migrations: readonly string[];
  readonly objects: readonly InstalledObject[];
  /** What each level gives in addition to the level before it. */
  readonly access: AccessRights;
}

export const manifestPath = path.join(packageRoot, 'sql', 'manifest.json');

/** @throws Error when a file is missing or damaged: the package is */
export async function readManifest(): Promise<Manifest> {
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as Omit<Manifest, 'migrations'>;
  const sources = await readSources(packageSources);
  const bodies = readBodies(sources);
  return {
    ...manifest,
    migrations: sources.migrations.map(({ name }) => name),
    objects: manifest.objects.map((object) => {
      if (object.kind !== 'function') return object;
      const name = /^seqctl\.([a-z0-9_]+)\(/.exec(object.name)?.[1] ?? object.name;
      return { ...object, properties: { ...object.properties, body: bodies.get(name) ?? '' } };
    }),
  };
}

/** PostgreSQL keeps a body as it stands between the dollar quotes of its file. */
function readBodies({ objects }: Sources): Map<string, string> {
  return new Map(
    objects
      .filter(({ kind }) => kind === 'function')
      .map(({ name, text }) => [name, /\bas\s+(\$\w*\$)(.*)\1/s.exec(text)?.[2] ?? '']),
  );
}
