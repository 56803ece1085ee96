import { expect, test } from 'vitest';

import { install } from '../../cli/installer/install.js';
import { uninstall } from '../../cli/installer/uninstall.js';
import { useDatabase } from '../support/database.js';
import { settingsOf, snapshotOf } from '../support/installer.js';

const database = useDatabase();

test('it refuses while a table is attached, detaches on demand, and leaves the numbers', async () => {
  const settings = settingsOf(database.url);
  await database.execute(`
    create table invoice (id serial primary key, number bigint, issued_on date not null);
    select seqctl.create_series('invoice');
    select seqctl.attach('invoice', series => 'invoice', number_column => 'number', date_column => 'issued_on');
    insert into invoice (issued_on) values ('2026-03-09'), ('2026-03-10');`);
  const before = await snapshotOf(database.url);

  await expect(uninstall(settings)).rejects.toMatchObject({
    exitCode: 4,
    detail: 'public.invoice.number (series invoice)',
    hint: expect.stringContaining('--detach') as string,
  });
  expect(await uninstall(settings, { detach: true, dryRun: true })).toMatchObject({ outcome: 'uninstalled' });
  expect(await snapshotOf(database.url)).toEqual(before);

  const report = await uninstall(settings, { detach: true });
  expect(report.detached).toEqual([{ series: 'invoice', target: 'public.invoice', numberColumn: 'number' }]);
  expect(await snapshotOf(database.url)).toEqual([]);
  expect(await database.rows('select number from invoice order by id')).toEqual([
    { number: '1' },
    { number: '2' },
  ]);
  await database.execute(`insert into invoice (issued_on) values ('2026-03-11')`);

  expect(await uninstall(settings)).toMatchObject({ outcome: 'absent' });
  expect(await install(settings)).toMatchObject({ outcome: 'installed' });
});

test('it refuses while others have objects in the schema, and lists them', async () => {
  await database.execute(`
    create table seqctl.of_somebody ();
    create function seqctl.of_somebody_else() returns integer language sql as 'select 1';`);
  await expect(uninstall(settingsOf(database.url))).rejects.toMatchObject({
    exitCode: 4,
    detail: 'function seqctl.of_somebody_else()\ntable seqctl.of_somebody',
  });
  await database.execute('drop table seqctl.of_somebody; drop function seqctl.of_somebody_else()');
});

test('it refuses while objects elsewhere depend on it, and says which', async () => {
  await database.execute('create view about_seqctl as select seqctl.version() as version');
  await expect(uninstall(settingsOf(database.url))).rejects.toMatchObject({
    exitCode: 4,
    sqlstate: '2BP01',
    detail: expect.stringContaining('about_seqctl') as string,
  });
  await database.execute('drop view about_seqctl');
  expect(await uninstall(settingsOf(database.url))).toMatchObject({ outcome: 'uninstalled' });
});
