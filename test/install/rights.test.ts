import { expect, test } from 'vitest';

import { install } from '../../cli/installer/install.js';
import { uninstall } from '../../cli/installer/uninstall.js';
import { useDatabase } from '../support/database.js';
import { settingsOf, snapshotOf } from '../support/installer.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase({ installed: false });

test('each missing right is named, with the statement that grants it', async () => {
  const owner = await makeRole('owner');
  const stranger = await makeRole('stranger');
  const asOwner = settingsOf(database.urlAs(owner.name, owner.password));
  const asStranger = settingsOf(database.urlAs(stranger.name, stranger.password));
  await database.execute(`alter database ${database.name} owner to ${owner.name}`);

  await expect(install(asStranger)).rejects.toMatchObject({
    exitCode: 4,
    message: `role ${stranger.name} lacks the right CREATE on database ${database.name}`,
    hint: expect.stringContaining(`grant create on database ${database.name} to ${stranger.name};`) as string,
  });
  expect(await snapshotOf(database.url)).toEqual([]);

  // The owner of the database needs no other right.
  expect(await install(asOwner)).toMatchObject({ outcome: 'installed' });
  expect(await install(asOwner)).toMatchObject({ outcome: 'unchanged' });

  for (const attempt of [install, uninstall]) {
    await expect(attempt(asStranger)).rejects.toMatchObject({
      exitCode: 4,
      sqlstate: '42501',
      hint: expect.stringContaining(`grant "${owner.name}" to ${stranger.name};`) as string,
    });
  }
  // Reading is not owning.
  await database.execute(`
    grant usage on schema seqctl to ${stranger.name};
    grant select on all tables in schema seqctl to ${stranger.name}`);
  await expect(install(asStranger)).rejects.toMatchObject({
    message: `role ${stranger.name} is not the owner of schema seqctl, which is ${owner.name}`,
    hint: expect.stringContaining(`grant ${owner.name} to ${stranger.name};`) as string,
  });
  await database.execute(`
    revoke usage on schema seqctl from ${stranger.name};
    revoke select on all tables in schema seqctl from ${stranger.name}`);

  await database.execute(`grant ${owner.name} to ${stranger.name}`);
  expect(await install(asStranger)).toMatchObject({ outcome: 'unchanged' });
  expect(await uninstall(asOwner)).toMatchObject({ outcome: 'uninstalled' });
});

test('what a superuser repairs belongs to the owner of the schema', async () => {
  const app = await makeRole('app');
  await database.execute(`grant create on database ${database.name} to ${app.name}`);
  const asApp = settingsOf(database.urlAs(app.name, app.password));
  await install(asApp);
  await database.execute('drop function seqctl.version()');
  await install(settingsOf(database.url));
  const owners = await database.rows(
    `select distinct proowner::regrole::text as owner from pg_proc where pronamespace = 'seqctl'::regnamespace`,
  );
  expect(owners).toEqual([{ owner: app.name }]);
  await uninstall(asApp);
  await database.execute(`revoke create on database ${database.name} from ${app.name}`);
});
