import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from 'vitest';

import { packageSources, readSources } from '../../cli/installer/sources.js';
import { takeSnapshot } from '../../cli/installer/snapshot.js';
import { withClient } from '../support/connect.js';
import { useDatabase } from '../support/database.js';

const database = useDatabase({ installed: false });

/** Name of each migration of a published version, and the SHA-256 of its file. A release adds to it. */
async function readReleased(): Promise<[name: string, hash: string][]> {
  const text = await readFile(path.join(import.meta.dirname, 'released-migrations.json'), 'utf8');
  return Object.entries(JSON.parse(text) as Record<string, string>);
}

test('released migrations are never edited, renamed or removed', async () => {
  for (const [name, hash] of await readReleased()) {
    const text = await readFile(path.join(packageSources.migrations, `${name}.sql`));
    expect(createHash('sha256').update(text).digest('hex'), name).toBe(hash);
  }
});

test('down undoes up, step by step', async () => {
  const { migrations } = await readSources(packageSources);
  await withClient(database.url, async (client) => {
    await client.query('create schema seqctl');
    for (const [index, { up, down, name }] of migrations.entries()) {
      const before = await takeSnapshot(client);
      await client.query(up);
      expect(await takeSnapshot(client), `${name} does nothing`).not.toEqual(before);
      await client.query(down);
      expect(await takeSnapshot(client), `${name}, step ${index + 1}`).toEqual(before);
      await client.query(up);
    }
  });
});

test('no migration creates a function, a view or a trigger: they stand in sql/', async () => {
  const { migrations } = await readSources(packageSources);
  for (const { name, up } of migrations) {
    expect(up, name).not.toMatch(
      /^\s*create\s+(or\s+replace\s+)?(function|procedure|view|trigger|materialized)/im,
    );
  }
});

test('what is installed is ASCII: it goes into a database, and its messages to a client, of any encoding', async () => {
  const { objects, migrations } = await readSources(packageSources);
  const texts = objects.map(({ text }) => text);
  for (const { name } of migrations)
    texts.push(await readFile(path.join(packageSources.migrations, `${name}.sql`), 'utf8'));
  expect(texts.length).toBeGreaterThan(100);
  expect(texts.filter((text) => /[^\0-\x7f]/.test(text))).toEqual([]);
});
