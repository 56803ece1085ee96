import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact } from '../support/numbering.js';
import { type TestRole, useRoles } from '../support/roles.js';
import type { Session } from '../support/session.js';
import { briefly, verifyUrl } from '../support/verify.js';

const makeRole = useRoles();
const database = useDatabase();

const open = (role: TestRole): Promise<Session> =>
  database.session('R', database.urlAs(role.name, role.password));

/** A partitioned table of `owner`, with one partition, attached by the owner of seqctl. */
async function makeTable(name: string, owner: TestRole, options: string): Promise<number> {
  await database.execute(`
    grant create on schema public to ${owner.name};
    select seqctl.create_series('${name}', format => '{year}-{number}');
    create table ${name} (
      id bigserial,
      day date not null,
      state text not null default 'issued',
      number bigint,
      document text,
      primary key (id, day)
    ) partition by range (day);
    alter table ${name} owner to ${owner.name};
    create table ${name}_1 partition of ${name} for values from ('2026-01-01') to ('2026-02-01');
    alter table ${name}_1 owner to ${owner.name};
    select seqctl.attach('${name}', '${name}', date_column => 'day', document_number_column => 'document' ${options})`);
  const [row] = await database.rows<{ id: number }>(
    `select id from seqctl.attachment where target = '${name}'::regclass`,
  );
  return row?.id ?? 0;
}

test.each([
  ['insert', ''],
  ['condition', `, issue_when => $$state = 'issued'$$`],
  ['commit', `, assign => 'commit'`],
  ['manual', `, assign => 'manual'`],
  ['unprotected', ', protect => false'],
])('the owner of the table makes partitions after attach: %s', async (kind, options) => {
  const owner = await makeRole(`maker_${kind}`);
  const t = `made_${kind}`;
  await makeTable(t, owner, options);
  const a = await open(owner);
  await a.query(`
    create table ${t}_2 partition of ${t} for values from ('2026-02-01') to ('2026-03-01');
    create table ${t}_3 (like ${t} including defaults);
    alter table ${t} attach partition ${t}_3 for values from ('2026-03-01') to ('2026-04-01');
    create table ${t}_4 partition of ${t} for values from ('2026-04-01') to ('2026-06-01') partition by range (day);
    create table ${t}_4a partition of ${t}_4 for values from ('2026-04-01') to ('2026-05-01')`);
  await a.query(`insert into ${t} (day) select date '2026-01-15' + n * 30 from generate_series(0, 3) n`);
  await a.query(`insert into ${t}_4a (day) values ('2026-04-20')`);
  if (kind === 'manual') await database.rows(`select seqctl.number_pending('${t}')`);
  if (kind === 'condition') {
    await a.query(`insert into ${t} (day, state) values ('2026-02-20', 'draft')`);
    await a.query(`update ${t} set state = 'issued' where number is null`);
  }
  const last = kind === 'condition' ? 6 : 5;
  expect(
    (await database.rows<{ number: string }>(`select number from ${t} order by 1`)).map((row) =>
      Number(row.number),
    ),
  ).toEqual(Array.from({ length: last }, (_, n) => n + 1));
  // A number that is brought, and protection.
  await expect(a.query(`insert into ${t} (day, number) values ('2026-02-03', 77)`)).rejects.toMatchObject({
    code: 'SQ012',
  });
  if (kind !== 'unprotected') {
    for (const partition of [`${t}_2`, `${t}_3`, `${t}_4a`]) {
      await expect(a.query(`update ${partition} set number = number + 10`)).rejects.toMatchObject({
        code: 'SQ022',
      });
      await expect(a.query(`delete from ${partition}`)).rejects.toMatchObject({ code: 'SQ022' });
    }
  }
  await database.rows(`select seqctl.attach_partitions('${t}')`);
  await a.query(`insert into ${t} (day) values ('2026-02-05'), ('2026-04-06')`);
  if (kind === 'manual') await database.rows(`select seqctl.number_pending('${t}')`);
  const report = await verifyUrl(database.url);
  expect(report.findings.filter(({ object }) => object.includes(t) || object.includes('role'))).toEqual([]);
  await expectExact(database);
});

/** Runs its code with the rights of whoever assigns a value to it. */
const trap = (owner: TestRole): string => `
  create function ${owner.name}_sees(value text) returns boolean language plpgsql as $$
  begin
    if current_user <> '${owner.name}' then
      raise exception 'ran as %', current_user;
    end if;
    return true;
  end $$;
  create domain ${owner.name}_number as bigint check (${owner.name}_sees(value::text));
  create domain ${owner.name}_text as text check (${owner.name}_sees(value))`;

const kinds = ['number', 'refuse', 'protect', 'keep', 'move', 'late'];

test.each([
  ['insert', '', kinds],
  ['issue', `, issue_when => $$state = 'issued'$$`, [...kinds, 'issue']],
])(
  'the functions work on no other table, and look at nothing of its rows: %s',
  async (what, options, own) => {
    const owner = await makeRole(`trap_${what}`);
    const other = await makeRole(`other_${what}`);
    const t = `trapped_${what}`;
    const id = await makeTable(t, owner, options);
    await database.execute(`
    grant usage on schema seqctl to ${owner.name}, ${other.name};
    grant create on schema public to ${other.name}`);
    const a = await open(owner);
    await a.query(trap(owner));
    await a.query(`create table ${t}_own (
      day text, state text, number ${owner.name}_number, document ${owner.name}_text)`);
    const before = await database.rows('select * from seqctl.counter order by 1, 2, 3');
    for (const kind of own) {
      const when =
        { number: 'insert', refuse: 'insert', issue: 'update', protect: 'update' }[kind] ?? 'delete';
      const timing = kind === 'late' ? 'after insert' : `before ${when}`;
      await a.query('begin');
      // For the triggers of UPDATE and DELETE.
      await a.query(`insert into ${t}_own (day) values ('2026-01-05')`);
      await a.query(
        `create trigger trap ${timing} on ${t}_own
       for each row execute function seqctl._attachment_${id}_${kind}()`,
      );
      const error = a.query(`
      insert into ${t}_own (day) values ('2026-01-05');
      update ${t}_own set state = 'issued';
      delete from ${t}_own`);
      await expect(error, kind).rejects.toMatchObject({
        code: 'SQ009',
        message: `public.${t}_own is no partition of public.${t}, and is not attached`,
        hint: `drop trigger trap on public.${t}_own;`,
      });
      await a.query('rollback');
    }
    expect(await database.rows('select * from seqctl.counter order by 1, 2, 3')).toEqual(before);
    // Statement triggers are not copied, so nobody needs theirs; and others need none.
    await expect(
      a.query(
        `create trigger trap after insert on ${t}_own for each statement execute function seqctl._attachment_${id}_settle()`,
      ),
    ).rejects.toMatchObject({ code: '42501' });
    const b = await open(other);
    await b.query(`create table ${t}_theirs (number bigint)`);
    for (const kind of own) {
      await expect(
        b.query(
          `create trigger trap before insert on ${t}_theirs for each row execute function seqctl._attachment_${id}_${kind}()`,
        ),
      ).rejects.toMatchObject({ code: '42501' });
    }
  },
);

test('a list of partitions that came from another database counts for nothing', async () => {
  const owner = await makeRole('restored');
  const id = await makeTable('restored', owner, '');
  await database.execute(`grant usage on schema seqctl to ${owner.name}`);
  const a = await open(owner);
  await a.query(trap(owner));
  await a.query(`
    create table restored_own (day text, number ${owner.name}_number, document ${owner.name}_text);
    create trigger trap before insert on restored_own for each row execute function seqctl._attachment_${id}_number()`);
  // What a restore leaves: the table that has an oid of the list is another one.
  await database.execute(`
    do $$
    declare
      v_kind text;
      v_body text;
    begin
      foreach v_kind in array '{number,late,move}'::text[] loop
        select prosrc into v_body from pg_proc where proname = '_attachment_${id}_' || v_kind;
        v_body := regexp_replace(v_body, '\\{[\\d,]*\\}', format('{%s}', 'restored_own'::regclass::oid));
        v_body := replace(v_body, ', ' || 'seqctl.counter'::regclass::oid || ')', ', 1)');
        update pg_proc set prosrc = v_body where proname = '_attachment_${id}_' || v_kind;
      end loop;
    end $$`);
  await expect(a.query(`insert into restored_own (day) values ('2026-01-05')`)).rejects.toMatchObject({
    code: 'SQ009',
  });
  await a.query(`insert into restored (day) values ('2026-01-05'), ('2026-01-06')`);
  await expectExact(database);
  expect((await verifyUrl(database.url)).findings.filter(({ object }) => object.includes(`_${id}_`))).toEqual(
    [],
  );
  await a.query('drop trigger trap on restored_own');
});

test('a partition that was detached is none any more', async () => {
  const owner = await makeRole('detacher');
  const id = await makeTable('parting', owner, ', protect => false');
  await database.execute(`grant usage on schema seqctl to ${owner.name}`);
  const a = await open(owner);
  await a.query(
    `create table parting_2 partition of parting for values from ('2026-02-01') to ('2026-03-01')`,
  );
  await a.query('alter table parting detach partition parting_2');
  await a.query(`insert into parting_2 (id, day) values (7, '2026-02-02')`);
  expect(await a.value('select number from parting_2 where id = 7')).toBeNull();
  const trigger = (kind: string): string =>
    `create trigger ${kind} before insert on parting_2 for each row execute function seqctl._attachment_${id}_${kind}()`;
  await a.query(trigger('number'));
  const insert = `insert into parting_2 (id, day) values (8, '2026-02-02')`;
  await expect(a.query(insert)).rejects.toMatchObject({ code: 'SQ009' });
  // Nor under another table.
  await a.query(`
    create table parting_other (like parting) partition by range (day);
    alter table parting_other attach partition parting_2 for values from ('2026-02-01') to ('2026-03-01')`);
  await expect(a.query(insert)).rejects.toMatchObject({ code: 'SQ009' });
  await a.query('drop trigger number on parting_2');
  await a.query(insert);
});

test('the right goes with the table: a new owner, revoke_access, detach', async () => {
  const [first, second] = [await makeRole('first'), await makeRole('second')];
  const id = await makeTable('handed', first, '');
  const who = (): Promise<Record<string, unknown>[]> =>
    database.rows(`
      select distinct g.grantee::regrole::text as role
      from pg_proc p, aclexplode(p.proacl) g
      where p.proname ~ '^_attachment_${id}_' and g.grantee <> p.proowner`);
  const partition = (from: string, to: string): string =>
    `create table handed_${from} partition of handed for values from ('2026-${from}-01') to ('2026-${to}-01')`;
  const findings = async (): Promise<string[]> =>
    (await verifyUrl(database.url)).findings
      .filter(({ object }) => object.includes('handed') || object.includes(first.name))
      .map(briefly);
  expect(await who()).toEqual([{ role: first.name }]);
  expect(await findings()).toEqual([]);
  await database.rows(`select seqctl.grant_access('${first.name}', 'read')`);
  await database.rows(`select seqctl.revoke_access('${first.name}')`);
  expect(await findings()).toEqual([]);
  const a = await open(first);
  await a.query(partition('02', '03'));

  await database.execute(`
    alter table handed owner to ${second.name};
    grant create on schema public to ${second.name}`);
  const b = await open(second);
  await expect(b.query(partition('03', '04'))).rejects.toMatchObject({ code: '42501' });
  expect(await findings()).toContain('warning partitions_refused public.handed');
  await database.rows(`select seqctl.attach_partitions('handed')`);
  expect(await who()).toEqual([{ role: second.name }]);
  expect(await findings()).toEqual([]);
  await b.query(partition('03', '04'));
  await b.query(`insert into handed (day) values ('2026-03-03'), ('2026-03-04')`);
  await expectExact(database);

  await database.rows(`alter table handed owner to ${first.name}`);
  // What install does.
  await database.rows('select seqctl._regenerate_attachments()');
  expect(await who()).toEqual([{ role: first.name }]);
  await database.rows(`select seqctl.detach('handed', 'number')`);
  expect(await who()).toEqual([]);
});

test('an ordinary table gives its owner no right', async () => {
  const owner = await makeRole('plain');
  await database.execute(`
    select seqctl.create_series('plain', reset => 'never');
    create table plain (number bigint);
    alter table plain owner to ${owner.name};
    select seqctl.attach('plain', 'plain')`);
  const [row] = await database.rows<{ bodies: string; rights: string }>(`
    select
      string_agg(p.prosrc, '') as bodies,
      (select count(*) from pg_proc q, aclexplode(q.proacl) g where q.proname ~ a.own and g.grantee <> q.proowner) as rights
    from (select format('^_attachment_%s_', id) as own from seqctl.attachment where target = 'plain'::regclass) a
    join pg_proc p on p.proname ~ a.own
    group by a.own`);
  expect(row?.rights).toBe('0');
  expect(row?.bodies).not.toContain('_check_partition');
});
