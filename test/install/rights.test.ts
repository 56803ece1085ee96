import { describe, expect, test } from 'vitest';

import { install } from '../../cli/installer/install.js';
import { uninstall } from '../../cli/installer/uninstall.js';
import { listAccess } from '../../cli/operations/access.js';
import { useDatabase } from '../support/database.js';
import { settingsOf, snapshotOf } from '../support/installer.js';
import { useRoles } from '../support/roles.js';
import { briefly, verifyUrl } from '../support/verify.js';

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

describe('who had a level of access has it afterwards, what was made anew included', () => {
  const settings = (): ReturnType<typeof settingsOf> => settingsOf(database.url);
  const levelsOf = async (): Promise<Record<string, string>> => {
    const { roles } = await listAccess(settings(), new AbortController().signal);
    return Object.fromEntries(
      roles.map(({ role, level, isPartial }) => [role, `${level}${isPartial ? '+' : ''}`]),
    );
  };

  test('a function and a view that somebody dropped', async () => {
    await install(settings());
    const [reader, issuer, admin, odd] = await Promise.all(
      ['reader', 'issuer', 'admin', 'odd'].map((name) => makeRole(name)),
    );
    for (const [role, level] of [
      [reader, 'read'],
      [issuer, 'issue'],
      [admin, 'admin'],
    ] as const)
      await database.execute(`select seqctl.grant_access('${role?.name}', '${level}')`);
    // Somebody's own choice: no level is complete.
    await database.execute(`
      grant usage on schema seqctl to ${odd?.name};
      grant execute on function seqctl.next_number(text, text, date) to ${odd?.name}`);
    const before = await levelsOf();
    expect(before).toEqual({
      [reader?.name ?? '']: 'read',
      [issuer?.name ?? '']: 'issue',
      [admin?.name ?? '']: 'admin',
      [odd?.name ?? '']: 'null+',
    });

    await database.execute(`
      drop function seqctl.peek(text, text, date);
      drop function seqctl.allocate(text, text, date, integer);
      drop view seqctl.voids`);
    expect(await install(settings(), { dryRun: true })).toMatchObject({ outcome: 'changed' });
    expect(await install(settings())).toMatchObject({ outcome: 'changed' });

    expect(await levelsOf()).toEqual(before);
    await uninstall(settings());
  });

  test('not what somebody took away from them', async () => {
    await install(settings());
    const app = await makeRole('clerk');
    await database.execute(`
      select seqctl.grant_access('${app.name}', 'issue');
      revoke select on all tables in schema seqctl from ${app.name};
      drop function seqctl.version();
      drop view seqctl.voids`);
    await install(settings());
    expect(
      await database.rows(`
        select
            has_function_privilege('${app.name}', 'seqctl.version()', 'execute') as version,
            has_table_privilege('${app.name}', 'seqctl.voids', 'select') as voids,
            has_table_privilege('${app.name}', 'seqctl.counter', 'select') as counter,
            has_schema_privilege('${app.name}', 'seqctl', 'usage') as schema`),
    ).toEqual([{ version: true, voids: true, counter: false, schema: true }]);
    await uninstall(settings());
  });

  test('what their level gives now, of functions that were there before, too', async () => {
    await install(settings());
    const admin = await makeRole('chief');
    // As if the installed version had not given it.
    const list = 'seqctl._grantable_functions()';
    await database.execute(`
      do $$ begin
          execute replace(pg_get_functiondef('${list}'::regprocedure), '(''admin'', ''seqctl._text_pattern(text)''),', '');
      end $$;
      select seqctl.grant_access('${admin.name}', 'admin');
      drop function seqctl.version()`);
    const may = `select has_function_privilege('${admin.name}', 'seqctl._text_pattern(text)', 'execute') as may`;
    expect(await database.rows(may)).toEqual([{ may: false }]);
    await install(settings());
    expect(await database.rows(may)).toEqual([{ may: true }]);
    expect(await levelsOf()).toMatchObject({ [admin.name]: 'admin' });
    await uninstall(settings());
  });

  test('of a level of which nothing is left, nobody has it', async () => {
    await install(settings());
    const reader = await makeRole('auditor');
    await database.execute(`select seqctl.grant_access('${reader.name}', 'read')`);
    await database.execute(`
      do $$ declare v_signature text; begin
          for v_signature in select g.signature from seqctl._grantable_functions() g where g.level <> 'read' loop
              execute 'drop function ' || v_signature || ' cascade';
          end loop;
      end $$`);
    await install(settings());
    expect(await levelsOf()).toEqual({ [reader.name]: 'read' });
    await uninstall(settings());
  });
});

test('roles whose names need quotes: the owner, and those who get a level, a lower one, and none', async () => {
  const [owner, john] = [await makeRole('quoted'), await makeRole('john')];
  const [odd, dotted] = [`Ub.Own ér ${owner.name}`, `john@Example.com ${john.name}`];
  await database.execute(`
    alter role ${owner.name} rename to "${odd}";
    alter role ${john.name} rename to "${dotted}";
    alter database ${database.name} owner to "${odd}"`);
  try {
    await install(settingsOf(database.urlAs(odd, owner.password)));
    expect((await verifyUrl(database.url)).findings).toEqual([]);
    await database.execute(`alter function seqctl.version() owner to "${dotted}"`);
    expect((await verifyUrl(database.url)).findings).toContainEqual(
      expect.objectContaining({
        kind: 'owner_function',
        hint: `alter function seqctl.version() owner to "${odd}";`,
      }),
    );
    await database.execute(`alter function seqctl.version() owner to "${odd}"`);
    await database.execute(`
      create table parted (d date, number bigint) partition by range (d);
      select seqctl.create_series('parted', format => '{number}');
      select seqctl.attach('parted', 'parted', date_column => 'd')`);

    const levelOf = async (level: string): Promise<string | null | undefined> => {
      await database.rows(
        level === '' ? 'select seqctl.revoke_access($1)' : `select seqctl.grant_access($1, '${level}')`,
        [dotted],
      );
      const { roles } = await listAccess(settingsOf(database.url), new AbortController().signal);
      const has = roles.find(({ role }) => role === `"${dotted}"`);
      expect(has?.beyond ?? []).toEqual([]);
      expect(has?.isPartial ?? false).toBe(false);
      return has?.level;
    };
    for (const level of ['admin', 'read', 'issue', 'read']) expect(await levelOf(level)).toBe(level);
    expect(await levelOf('')).toBeUndefined();
    expect((await verifyUrl(database.url)).findings).toEqual([]);
  } finally {
    await database.execute(`
      drop table if exists parted;
      alter database ${database.name} owner to current_user;
      drop owned by "${odd}" cascade;
      alter role "${odd}" rename to ${owner.name};
      alter role "${dotted}" rename to ${john.name}`);
  }
});

test('ALTER DEFAULT PRIVILEGES gives no right in schema seqctl, nor on what attach makes', async () => {
  const [clerk, auditor] = [await makeRole('by_default'), await makeRole('reads_all')];
  const rights = (verb: string, role: string): string => `
    alter default privileges ${verb} ${role};
    alter default privileges ${verb.replace('execute on functions', 'select, update on tables')} ${role};
    alter default privileges ${verb.replace('execute on functions', 'usage on sequences')} ${role};
    alter default privileges ${verb.replace('execute on functions', 'usage on schemas')} ${role};`;
  await database.execute(
    rights('grant execute on functions to', clerk.name) +
      rights('grant execute on functions to', auditor.name),
  );
  try {
    await install(settingsOf(database.url));
    expect((await verifyUrl(database.url)).findings).toEqual([]);
    // What comes later, too; but for what a level gives, and somebody gave by hand.
    await database.execute(`
      select seqctl.grant_access('${auditor.name}', 'read');
      grant insert on seqctl.series to ${clerk.name};
      drop view seqctl.voids;
      drop function seqctl.version();
      drop function seqctl.void(text, text, date, bigint, bigint, text);`);
    expect(await install(settingsOf(database.url))).toMatchObject({ outcome: 'changed' });
    expect((await verifyUrl(database.url)).findings.map(briefly)).toEqual([
      `error grant_beyond_levels role ${clerk.name}`,
    ]);
    await database.execute(`
      revoke insert on seqctl.series from ${clerk.name};
      create table by_default (id bigint generated always as identity primary key, d date, number bigint);
      select seqctl.create_series('by_default', format => '{number}');
      select seqctl.attach('by_default', 'by_default', date_column => 'd', assign => 'manual')`);
    expect((await verifyUrl(database.url)).findings).toEqual([]);
    const callable = await database.rows(
      `select p.oid::regprocedure as name from pg_proc p
       where p.proname ~ '^(_attachment_|by_default)' and has_function_privilege($1, p.oid, 'execute')`,
      [clerk.name],
    );
    expect(callable).toEqual([]);
  } finally {
    await database.execute(
      rights('revoke execute on functions from', clerk.name).replaceAll(' to ', ' from ') +
        rights('revoke execute on functions from', auditor.name).replaceAll(' to ', ' from '),
    );
  }
});
