import { describe, expect, test } from 'vitest';

import { OperationError } from '../../cli/errors.js';
import { install } from '../../cli/installer/install.js';
import { installScript } from '../../cli/installer/script.js';
import { uninstall } from '../../cli/installer/uninstall.js';
import { toolVersion } from '../../cli/package.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { settingsOf, snapshotOf } from '../support/installer.js';
import { sourcesWith } from '../support/sources.js';

/** Every test changes the schema, so each has a database of its own. */
async function withDatabase(
  work: (database: TestDatabase) => Promise<void>,
  installed = false,
): Promise<void> {
  const database = await createDatabase({ installed });
  try {
    await work(database);
  } finally {
    await database.drop();
  }
}

describe('install', () => {
  test('a second run says that nothing changed, and changes nothing', () =>
    withDatabase(async (database) => {
      const first = await install(settingsOf(database.url));
      expect(first).toMatchObject({ outcome: 'installed', version: toolVersion, previousVersion: null });
      expect(first.changes).toContainEqual({ action: 'create', kind: 'table', name: 'seqctl.installation' });
      const before = await snapshotOf(database.url);
      const row = await database.rows('select * from seqctl.installation');

      const second = await install(settingsOf(database.url));
      expect(second).toMatchObject({ outcome: 'unchanged', previousVersion: toolVersion, changes: [] });
      expect(await snapshotOf(database.url)).toEqual(before);
      expect(await database.rows('select * from seqctl.installation')).toEqual(row);
    }));

  test('twenty machines at once: one installs, the others find it done', () =>
    withDatabase(async (database) => {
      const runs = Array.from({ length: 20 }, () =>
        install(settingsOf(database.url), { lockTimeoutMs: 60_000 }),
      );
      const outcomes = (await Promise.all(runs)).map((report) => report.outcome);
      expect(outcomes.filter((outcome) => outcome === 'installed')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'unchanged')).toHaveLength(19);
    }));

  test('a dry run reports the same changes and leaves nothing', () =>
    withDatabase(async (database) => {
      const dry = await install(settingsOf(database.url), { dryRun: true });
      expect(await snapshotOf(database.url)).toEqual([]);
      const real = await install(settingsOf(database.url));
      expect(dry.changes).toEqual(real.changes);
      expect(dry).toMatchObject({ outcome: 'installed', dryRun: true });
    }));

  test('a broken migration leaves nothing and is named', () =>
    withDatabase(async (database) => {
      const folders = await sourcesWith({
        'migrations/9999_broken.sql':
          'create table seqctl.half_done ();\nselect no_such_column;\n-- Down Migration\n',
      });
      const failure = install(settingsOf(database.url), { folders });
      await expect(failure).rejects.toThrow(OperationError);
      await expect(failure).rejects.toThrow(/9999_broken.*no_such_column/);
      await expect(failure).rejects.toMatchObject({ sqlstate: '42703' });
      expect(await snapshotOf(database.url)).toEqual([]);
    }));

  test('a broken function leaves the old installation as it was', () =>
    withDatabase(async (database) => {
      const before = await snapshotOf(database.url);
      const folders = await sourcesWith({
        'migrations/9998_fine.sql': 'create table seqctl.half_done ();\n-- Down Migration\n',
        'sql/functions/zz_broken.sql': 'create function seqctl.zz_broken() returns',
      });
      const failure = install(settingsOf(database.url), { folders });
      await expect(failure).rejects.toThrow(/function seqctl\.zz_broken/);
      await expect(failure).rejects.toMatchObject({ sqlstate: '42601', exitCode: 4 });
      expect(await snapshotOf(database.url)).toEqual(before);
    }, true));

  test('repairs what somebody changed or dropped, and says what', () =>
    withDatabase(async (database) => {
      const before = await snapshotOf(database.url);
      await database.execute(`
        create or replace function seqctl.version() returns text language sql as $$ select 'forged' $$;
        grant execute on function seqctl.version() to public;
        drop function seqctl.peek(text, text, date);`);
      const report = await install(settingsOf(database.url));
      expect(report).toMatchObject({ outcome: 'changed', previousVersion: toolVersion });
      expect(report.changes.map(({ action, name }) => `${action} ${name}`)).toEqual(
        expect.arrayContaining(['change seqctl.version()', 'create seqctl.peek(text,text,date)']),
      );
      expect(await snapshotOf(database.url)).toEqual(before);
    }, true));

  test('runs new migrations in an older installation and records the version', () =>
    withDatabase(async (database) => {
      await database.execute(`update seqctl.installation set version = '0.0.1'`);
      const folders = await sourcesWith({
        'migrations/0999_more.sql': 'create table seqctl.more (id integer);\n-- Down Migration\n',
      });
      const report = await install(settingsOf(database.url), { folders });
      expect(report).toMatchObject({ outcome: 'upgraded', previousVersion: '0.0.1', version: toolVersion });
      expect(report.changes).toEqual([
        { action: 'create', kind: 'migration', name: '0999_more' },
        { action: 'create', kind: 'table', name: 'seqctl.more' },
      ]);
      expect(await database.rows('select version from seqctl.installation')).toEqual([
        { version: toolVersion },
      ]);
    }, true));

  test('the printed script leaves the same as the tool, and the tool goes on with it', () =>
    withDatabase(async (database) => {
      await database.execute(await installScript());
      const scripted = await snapshotOf(database.url);
      expect(await install(settingsOf(database.url))).toMatchObject({ outcome: 'unchanged', changes: [] });
      await withDatabase(async (other) => {
        await install(settingsOf(other.url));
        expect(scripted).toEqual(await snapshotOf(other.url));
      });
    }));
});

describe('what install refuses', () => {
  test.each(['', 'create table seqctl.installation (version text)'])(
    'a schema of that name that seqctl did not make, %s',
    (more) =>
      withDatabase(async (database) => {
        await database.execute(`create schema seqctl; create table seqctl.mine (); ${more}`);
        await expect(install(settingsOf(database.url))).rejects.toMatchObject({
          exitCode: 4,
          message: expect.stringContaining('did not make') as string,
        });
        await expect(uninstall(settingsOf(database.url))).rejects.toMatchObject({ exitCode: 4 });
        expect(await database.rows(`select to_regclass('seqctl.mine')::text as mine`)).toEqual([
          { mine: 'seqctl.mine' },
        ]);
      }),
  );

  test('a newer installation', () =>
    withDatabase(async (database) => {
      await database.execute(`update seqctl.installation set version = '99.0.0'`);
      await expect(install(settingsOf(database.url))).rejects.toMatchObject({
        exitCode: 5,
        message: expect.stringContaining('99.0.0') as string,
      });
    }, true));

  test('an installation with a migration it does not know', () =>
    withDatabase(async (database) => {
      await database.execute(`insert into seqctl.migration (name, run_on) values ('0777_future', now())`);
      await expect(install(settingsOf(database.url))).rejects.toMatchObject({
        exitCode: 5,
        message: expect.not.stringContaining('newer') as string,
        detail: expect.stringContaining('0777_future') as string,
      });
    }, true));

  test('to wait longer than told for a lock; it names who holds it', () =>
    withDatabase(async (database) => {
      const holder = await database.session('the holder');
      await holder.query('begin');
      await holder.query('lock table seqctl.installation');
      const failure = install(settingsOf(database.url), { lockTimeoutMs: 1_500 });
      await expect(failure).rejects.toMatchObject({
        sqlstate: '55P03',
        detail: expect.stringContaining(`process ${holder.pid} (the holder`) as string,
      });
      await holder.query('rollback');
    }, true));
});
