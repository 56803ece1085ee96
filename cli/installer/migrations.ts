import path from 'node:path';

import type { RunnerOption } from 'node-pg-migrate';
import type { Client } from 'pg';

import type { MigrationFile, SourceFolders } from './sources.js';

type LoaderStrategy = NonNullable<RunnerOption['migrationLoaderStrategies']>[number];

const silentLogger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Says which migration failed; node-pg-migrate's own error does not. */
export class MigrationError extends Error {
  constructor(
    readonly migration: string,
    cause: unknown,
  ) {
    super(`migration ${migration}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'MigrationError';
  }
}

/**
 * Runs the pending migrations (`up`) or reverts all of them (`down`) within the caller's transaction, which holds
 * the installer's lock. Neither begins nor commits. The schema exists already.
 */
export async function runMigrations(
  client: Client,
  direction: 'up' | 'down',
  migrations: readonly MigrationFile[],
  folders: SourceFolders,
): Promise<void> {
  // Loaded here, because it takes longer to load than all the rest, and most commands migrate nothing.
  const { runner } = await import('node-pg-migrate');
  let current: string | undefined;
  const strategy: LoaderStrategy = {
    extensions: ['.sql'],
    loader: (paths) =>
      Promise.resolve(
        paths.map((file) => {
          const { name, up, down } = findMigration(migrations, file);
          const step = (text: string) => (pgm: { noTransaction(): void; sql(text: string): void }) => {
            current = name;
            pgm.noTransaction();
            pgm.sql(text);
          };
          return { id: file, filePaths: [file], actions: { up: step(up), down: step(down) } };
        }),
      ),
  };
  try {
    await runner({
      dbClient: client,
      direction,
      ...(direction === 'down' ? { count: migrations.length } : {}),
      dir: folders.migrations,
      ignorePattern: '(?!\\d{4}_[a-z0-9_]+\\.sql$).*',
      migrationsTable: 'migration',
      migrationsSchema: 'seqctl',
      checkOrder: true,
      noLock: true,
      singleTransaction: false,
      logger: silentLogger,
      migrationLoaderStrategies: [strategy],
    });
  } catch (error) {
    throw current === undefined ? error : new MigrationError(current, error);
  }
}

function findMigration(migrations: readonly MigrationFile[], file: string): MigrationFile {
  const found = migrations.find((migration) => path.basename(migration.path) === path.basename(file));
  if (found === undefined) throw new Error(`${file} appeared while seqctl was reading its migrations`);
  return found;
}
