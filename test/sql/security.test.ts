import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, type Invoice, expectStored, makeInvoices } from '../support/numbering.js';
import { type TestRole, useRoles } from '../support/roles.js';
import type { Session } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

let roles = 0;

/** A role that has INSERT (and SELECT, for RETURNING) on the tables and nothing else. */
async function inserter(...tables: string[]): Promise<TestRole> {
  roles += 1;
  const role = await makeRole(`inserter${roles}`);
  for (const table of tables) {
    await database.execute(`
      grant insert, select on ${table} to ${role.name};
      grant usage on all sequences in schema public to ${role.name}`);
  }
  return role;
}

const open = (role: TestRole): Promise<Session> =>
  database.session('R', database.urlAs(role.name, role.password));

test.each([true, false])(
  'the types of a table run no code of its owner with the rights of seqctl’s, protect => %s',
  async (protect) => {
    const owner = await makeRole(`caster_${protect}`);
    const schema = `casts_${protect}`;
    await database.execute(`
      create schema ${schema} authorization ${owner.name};
      select seqctl.create_series('${schema}', reset => 'never')`);
    const a = await open(owner);
    await a.query(`create table ${schema}.bills (id int primary key, number bigint)`);
    await a.query(`insert into ${schema}.bills values (1), (2)`);
    await database.execute(`
      select seqctl.attach('${schema}.bills', '${schema}', protect => ${protect})`);
    await a.query(`
      create sequence ${schema}.seen;
      create type ${schema}.mood as enum ('x');
      create function ${schema}.spy(${schema}.mood) returns json language plpgsql as
          $$begin perform nextval('${schema}.seen'); return '1'::json; end $$;
      create cast (${schema}.mood as json) with function ${schema}.spy(${schema}.mood);
      alter table ${schema}.bills add column m ${schema}.mood default 'x'`);
    await a.query(`delete from ${schema}.bills where id = 1`);
    await expect(a.query(`update ${schema}.bills set number = 7 where id = 2`)).rejects.toMatchObject({
      code: 'SQ012',
    });
    await a.query(`insert into ${schema}.bills values (3)`);
    await a.query(`update ${schema}.bills set m = null where number = 1`);
    // A sequence does not roll back with what was refused.
    const seen = `select is_called from ${schema}.seen`;
    expect(await a.rows(seen)).toEqual([{ is_called: false }]);
    if (protect) {
      await a.query(`
        create type ${schema}.box as (content bigint);
        create function ${schema}.spy(${schema}.box) returns bigint language plpgsql as
            $$begin perform nextval('${schema}.seen'); return $1.content; end $$;
        create cast (${schema}.box as bigint) with function ${schema}.spy(${schema}.box) as implicit`);
      const [trigger] = await a.rows(
        `select tgname from pg_trigger where tgrelid = '${schema}.bills'::regclass and tgname like '%protect'`,
      );
      await a.query(`
        drop trigger ${String(trigger?.['tgname'])} on ${schema}.bills;
        alter table ${schema}.bills alter column number type ${schema}.box using row(number)::${schema}.box`);
      const b = await open(owner);
      await expect(b.query(`delete from ${schema}.bills`)).rejects.toMatchObject({ code: '22P02' });
      expect(await b.rows(seen)).toEqual([{ is_called: false }]);
    }
    await database.execute(`drop schema ${schema} cascade`);
  },
);

test('a role with only INSERT numbers rows and can do nothing else', async () => {
  const t = await makeInvoices(database, 'only_insert');
  const role = await makeRole('only_insert');
  await database.execute(
    `grant insert on ${t} to ${role.name}; grant usage on sequence ${t}_id_seq to ${role.name}`,
  );
  const a = await open(role);
  await a.query(`insert into ${t} (company) values ('acme'), ('acme'), ('b')`);
  for (const table of ['counter', 'series', 'attachment', 'installation', 'counters', 'attachments']) {
    await expect(a.query(`select * from seqctl.${table}`)).rejects.toMatchObject({ code: '42501' });
  }
  for (const write of [
    'update seqctl.counter set last_number = 0',
    'delete from seqctl.counter',
    `insert into seqctl.counter values (1, '2026-01-01', 1, false, false, 'x')`,
    'truncate seqctl.counter',
  ]) {
    await expect(a.query(write)).rejects.toMatchObject({ code: '42501' });
  }
  const functions = await database.rows<{ call: string }>(
    `select format('select seqctl.%I(%s)', p.proname, (
        select string_agg('null::' || format_type(t, null), ', ' order by at) from unnest(p.proargtypes) with ordinality u (t, at))) as call
     from pg_proc p where p.pronamespace = 'seqctl'::regnamespace and p.prorettype <> 'trigger'::regtype and p.provariadic = 0`,
  );
  expect(functions.length).toBeGreaterThan(20);
  for (const { call } of functions)
    await expect(a.query(call), call).rejects.toMatchObject({ code: '42501' });
  // Nor can it use a trigger function on a table of its own.
  await a.query('create temp table own (company text, issued_on date, number bigint, document_number text)');
  for (const kind of ['number', 'settle']) {
    const id =
      (
        await database.rows<{ id: number }>(
          `select id from seqctl.attachment where target = '${t}'::regclass`,
        )
      )[0]?.id ?? 0;
    await expect(
      a.query(
        `create trigger x before insert on own for each row execute function seqctl._attachment_${id}_${kind}()`,
      ),
    ).rejects.toMatchObject({ code: '42501' });
  }
  await expectExact(database);
});

test('functions of seqctl: no right for PUBLIC, pinned search_path, comment, no overload', async () => {
  const t = await makeInvoices(database, 'catalogue', {
    suffix: 'partition by list (company)',
    beforeAttach: 'create table catalogue_a partition of catalogue default',
  });
  const functions = await database.rows<{ name: string; problem: string }>(`
    select p.oid::regprocedure::text as name, x.problem
    from pg_proc p
    cross join lateral (values
      -- A WHEN clause is evaluated by whoever writes the row.
      (case when has_function_privilege('public', p.oid, 'execute') and p.proname !~ '^_attachment_[0-9]+_issues$' then 'PUBLIC may execute it' end),
      -- _number_at_commit hands the session's path on to the triggers of the table.
      (case when p.prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
          and p.proname !~ '^(_attachment_[0-9]+_(number|settle|settle_update|issue|move)|_number_at_commit)$' then 'definer without a pinned search_path' end),
      (case when obj_description(p.oid, 'pg_proc') is null then 'no comment' end),
      (case when exists (select from pg_proc o where o.pronamespace = p.pronamespace and o.proname = p.proname and o.oid <> p.oid)
          then 'overloaded' end)
    ) x (problem)
    where p.pronamespace = 'seqctl'::regnamespace and x.problem is not null`);
  expect(functions).toEqual([]);
  expect(t).toBe('catalogue');
  expect(
    await database.rows(`select c.oid::regclass::text as name from pg_class c
      where c.relnamespace = 'seqctl'::regnamespace and c.relkind in ('r', 'v')
        and (obj_description(c.oid, 'pg_class') is null and c.relname <> 'migration' or has_table_privilege('public', c.oid, 'select, insert, update, delete'))`),
  ).toEqual([]);
  const { public: hasUsage } = (
    await database.rows<{ public: boolean }>(
      `select has_schema_privilege('public', 'seqctl', 'usage') as public`,
    )
  )[0] ?? { public: true };
  expect(hasUsage).toBe(false);
});

/** What a forger may write into a setting that it finds. */
function forgeries(value: string): string[] {
  const parts = value.split('\u0001');
  const numbers = [
    '-5',
    '0',
    '1',
    '2',
    '7',
    '99',
    '9223372036854775807',
    '9223372036854775808',
    '?',
    'x',
    '1e3',
    ' ',
  ];
  return [
    '',
    ' ',
    'x',
    '\u0001',
    '\u0001\u0001\u0001\u0001',
    '(0,1)',
    '(0,2)',
    '(4294967295,65535)',
    '(0,0)',
    '?',
    '0',
    '1',
    '-1',
    'NULL',
    "'",
    '99',
    `${parts[0] ?? ''}\u0001`,
    value + value,
    value.slice(1),
    value.slice(0, -1),
    value.toUpperCase(),
    parts.toReversed().join('\u0001'),
    ...parts.flatMap((_part, at) =>
      numbers.map((n) => parts.map((part, i) => (i === at ? n : part)).join('\u0001')),
    ),
    ...numbers.map((n) => value.replaceAll(/-?\d+(?=\u0001|$| \()/g, n)),
    value.replaceAll('acme', 'globex'),
    value.replaceAll('2026', '2027'),
  ];
}

/** All settings of seqctl that a session has. */
async function settingsIn(
  session: Session,
  seriesId: number,
  attachmentId: number,
): Promise<Map<string, string>> {
  const names = [
    `hot_${seriesId}`,
    `at_${seriesId}`,
    `moving_${attachmentId}`,
    ...Array.from({ length: 1024 }, (_, n) => `held_${seriesId}_${n}`),
  ];
  const rows = await session.rows<{ name: string; value: string | null }>(
    `select 'seqctl.' || n as name, current_setting('seqctl.' || n, true) as value from unnest($1::text[]) n`,
    [names],
  );
  return new Map(
    rows.filter((row) => row.value !== null && row.value !== '').map((row) => [row.name, row.value ?? '']),
  );
}

test.each(['plain', 'partitioned'])('forged settings give a right number or an error: %s', async (kind) => {
  const t = await makeInvoices(
    database,
    `forged_${kind}`,
    kind === 'plain'
      ? {}
      : {
          suffix: 'partition by list (company)',
          beforeAttach: `create table forged_partitioned_a partition of forged_partitioned for values in ('acme', 'c1');
            create table forged_partitioned_b partition of forged_partitioned for values in ('globex', 'c0', 'c2')`,
        },
  );
  if (kind === 'partitioned') {
    await database.execute(`create table forged_partitioned_late partition of ${t} default`);
  }
  const role = await inserter(t);
  await database.execute(`
    create function forge_${kind}(name text, value text, result text) returns text language plpgsql as
      $$begin perform set_config(name, value, true); return result; end$$`);
  const [ids] = await database.rows<{ series: number; attachment: number }>(
    `select series_id as series, id as attachment from seqctl.attachment where target = '${t}'::regclass`,
  );
  const a = await open(role);
  await a.query('begin');
  await a.query(`insert into ${t} (company) values ('acme'), ('globex'), ('acme'), ('late')`);
  await a.query(`insert into ${t} (company) values ('globex'), ('acme')`);
  const settings = await settingsIn(a, ids?.series ?? 0, ids?.attachment ?? 0);
  await a.query('commit');
  settings.set(`seqctl.moving_${ids?.attachment ?? 0}`, '3');
  // What the settings hold within a statement.
  const within = settings.get(`seqctl.hot_${ids?.series ?? 0}`)?.split('\u0001')[0] ?? '';
  const [oid] = await database.rows<{ oid: number }>(`select '${t}'::regclass::oid as oid`);
  let tried = 0;
  let passed = 0;
  const attempt = async (sql: string, values: unknown[], isLocal: boolean): Promise<void> => {
    tried += 1;
    if (isLocal) await a.query('savepoint s');
    try {
      await a.query(sql, values);
      passed += 1;
    } catch (error) {
      expect((error as { code: string }).code, sql).toMatch(/^(SQ|22|23|428|XX000)/);
      // An internal error would be a bug.
      expect((error as { code: string }).code).not.toBe('XX000');
      if (isLocal) await a.query('rollback to s');
    }
  };
  for (const [name, real] of settings) {
    const reals = name.includes('hot')
      ? [
          real,
          `${within}\u0001${oid?.oid ?? 0} 2026-01-01 acme\u00015\u0001`,
          `${within}\u0001${oid?.oid ?? 0}\u00010`,
        ]
      : [real];
    for (const value of new Set(reals.flatMap(forgeries))) {
      await a.query('begin');
      // Before a statement
      await a.query('select set_config($1, $2, true)', [name, value]);
      await attempt(`insert into ${t} (company) values ('acme')`, [], true);
      await a.query('select set_config($1, $2, true)', [name, value]);
      await attempt(
        `insert into ${t} (company) values ('acme'), ('globex'), ('late'), ('acme'), ('acme')`,
        [],
        true,
      );
      // Inside one: in the SELECT list and in RETURNING
      await attempt(
        `insert into ${t} (company) select case when n % 2 = 0 then forge_${kind}($1, $2, 'acme') else 'globex' end
         from generate_series(1, 5) n returning forge_${kind}($1, $2, company)`,
        [name, value],
        true,
      );
      await attempt(
        `insert into ${t} (company) values ('acme') returning forge_${kind}($1, $2, company)`,
        [name, value],
        true,
      );
      await a.query('commit');
    }
  }
  await expectExact(database);
  // For the whole session, surviving its transactions.
  for (const [name, real] of settings) {
    for (const value of forgeries(real)) {
      await a.query('select set_config($1, $2, false)', [name, value]);
      await attempt(`insert into ${t} (company) values ('acme'), ('globex'), ('acme')`, [], false);
      await attempt(`insert into ${t} (company) values ('acme')`, [], false);
    }
    await a.query('select set_config($1, $2, false)', [name, '']);
  }
  await expectExact(database);
  expect(tried).toBeGreaterThan(200);
  expect(passed).toBeGreaterThan(20);
  const other = await open(role);
  await expectStored(
    database,
    t,
    await other.rows<Invoice>(`insert into ${t} (company) values ('acme'), ('late') returning *`),
  );
  await expectExact(database);
});

/**
 * Operators and functions with the names and argument types of everything that runs in a trigger function, in a schema that
 * stands before pg_catalog. Each notes that it ran, and as whom.
 */
async function buildShadows(schema: string, owner: string): Promise<number> {
  await database.execute(`
    create schema ${schema} authorization ${owner};
    grant all on schema ${schema} to public;
    create table ${schema}.executed (what text, who text);
    grant all on ${schema}.executed to public;`);
  const counts = await database.rows<{ n: number }>(
    `select count(*)::int as n from pg_namespace where nspname = $1`,
    [schema],
  );
  expect(counts[0]?.n).toBe(1);
  await database.execute(`
    do $do$
    declare
      r record;
      v_body text;
      v_count int := 0;
    begin
      -- Every function that the body of a trigger function or a helper names, in every form it has in pg_catalog.
      for r in
        select p.oid, p.proname, p.prokind, p.provariadic, format_type(p.prorettype, null) as result, p.proretset,
          (select string_agg(format_type(t, null), ', ' order by at) from unnest(p.proargtypes) with ordinality u (t, at)) as arguments,
          p.pronargs
        from pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace
          and p.prokind = 'f'
          and not p.proretset
          and p.provariadic = 0
          and p.proname in (
            select distinct m[1]
            from pg_proc q, regexp_matches(q.prosrc, '([a-z_0-9]+)\\s*\\(', 'g') m
            where q.pronamespace = 'seqctl'::regnamespace
            union
            select distinct o.oprcode::regproc::text from pg_operator o where o.oprname in ('+', '-', '=', '<', '>', '<>', '||', '<=', '>=', '&', '<<')
          )
          and p.prorettype not in (select t.oid from pg_type t where t.typtype = 'p')
          and not exists (select from unnest(p.proargtypes) t join pg_type y on y.oid = t where y.typname in ('internal', 'cstring'))
      loop
        begin
          execute format(
            'create function ${schema}.%I(%s) returns %s language plpgsql as %L',
            r.proname, coalesce(r.arguments, ''), r.result,
            format('begin insert into ${schema}.executed values (%L, current_user); return pg_catalog.%I(%s); end',
              r.oid::regprocedure, r.proname, (select string_agg('$' || n, ', ') from generate_series(1, r.pronargs) n))
          );
          v_count := v_count + 1;
        exception when others then
          raise notice 'not shadowed: % %', r.oid::regprocedure, sqlerrm;
        end;
      end loop;
      for r in
        select o.oid, o.oprname, o.oprkind, format_type(o.oprleft, null) as l, format_type(o.oprright, null) as r,
          format_type(o.oprresult, null) as result, o.oprresult
        from pg_operator o
        where o.oprnamespace = 'pg_catalog'::regnamespace
          and o.oprright::regtype::text in ('smallint', 'integer', 'bigint', 'text', 'date', 'boolean', 'tid', 'oid',
            'timestamp without time zone', 'timestamp with time zone', 'numeric', 'name', 'interval', 'uuid', 'character',
            'anyarray', 'anyelement', 'anyenum', 'anynonarray', 'xid8', 'regclass', 'jsonb')
          and o.oprcode <> 0
      loop
        begin
          v_body := format('begin insert into ${schema}.executed values (%L, current_user); return null; end', r.oid::regoperator);
          if r.oprkind = 'b' then
            execute format('create function ${schema}.%I(%s, %s) returns %s language plpgsql as %L', 'op_' || r.oid, r.l, r.r, r.result, v_body);
            execute format('create operator ${schema}.%s (leftarg = %s, rightarg = %s, function = ${schema}.%I)', r.oprname, r.l, r.r, 'op_' || r.oid);
          else
            execute format('create function ${schema}.%I(%s) returns %s language plpgsql as %L', 'op_' || r.oid, r.r, r.result, v_body);
            execute format('create operator ${schema}.%s (rightarg = %s, function = ${schema}.%I)', r.oprname, r.r, 'op_' || r.oid);
          end if;
          v_count := v_count + 1;
        exception when others then
          raise notice 'not shadowed: % %', r.oid::regoperator, sqlerrm;
        end;
      end loop;
      for r in select unnest('{text,int8,int4,int2,date,bool,oid,tid,record,interval,timestamp,timestamptz,numeric,name,jsonb}'::text[]) as t loop
        execute format(
          'create function ${schema}.%I(pg_catalog.text) returns pg_catalog.bool language plpgsql as %L', 'check_' || r.t,
          format('begin insert into ${schema}.executed values (%L, current_user); return true; end', 'domain ' || r.t)
        );
        execute format('create domain ${schema}.%I as pg_catalog.text check (${schema}.%I(value))', r.t, 'check_' || r.t);
      end loop;
      create table ${schema}.shadow_count as select v_count as n;
    end $do$;
    create collation ${schema}."C" from pg_catalog."POSIX";
    create table ${schema}.counter (series_id int, group_key text, period date, last_number bigint);
    create table ${schema}.series as select 1 as id;
    create table ${schema}.attachment as select 1 as id;
    create table ${schema}.seqctl_inserted as select 999::bigint as number, 'x' as company, date '2020-01-01' as issued_on;
    create view ${schema}.pg_class as select * from pg_catalog.pg_class where false;
    grant all on all tables in schema ${schema} to public;`);
  const made = await database.rows<{ n: number }>(`select n from ${schema}.shadow_count`);
  return made[0]?.n ?? 0;
}

test('a hostile search_path and temporary objects run no code and change no number', async () => {
  const plain = await makeInvoices(database, 'hostile');
  const parts = await makeInvoices(database, 'hostile_parts', {
    suffix: 'partition by list (company)',
    beforeAttach: `create table hostile_parts_a partition of hostile_parts for values in ('acme', 'c1');
      create table hostile_parts_b partition of hostile_parts for values in ('globex', 'c0')`,
  });
  await database.execute(`
    create table hostile_parts_late partition of ${parts} default;
    create type hostile_enum as enum ('red', 'blue');
    create table hostile_types (
      id bigserial, company text default 'acme', issued_on timestamptz default '2026-05-05', external text unique, e hostile_enum default 'red',
      n numeric default 1.50, u uuid default '8d1f0a9e-1111-4222-8333-444455556666', c char(4) default 'ab', b bool default true, i int default 3,
      number int, document_number varchar);
    select seqctl.create_series('hostile_types', reset => 'monthly', time_zone => 'Europe/Rome', max_number => 100000, max_length => 500,
      format => '{year}{year:2}{fiscal_year}{quarter}{month}{day}-{number:7}-{group}', fiscal_year_start => '04-06');
    select seqctl.attach('hostile_types', 'hostile_types', date_column => 'issued_on', group_columns => '{company,e,n,u,c,b,i}',
      document_number_column => 'document_number')`);
  const role = await inserter(plain, parts, 'hostile_types', 'hostile_parts_late');
  const schema = 'shadows';
  const count = await buildShadows(schema, role.name);
  expect(count).toBeGreaterThan(300);

  // The statements themselves must not use what is shadowed: constants and prepared parameters only.
  const statements = (t: string): string[] => [
    `insert into public.${t} (company) values ('acme')`,
    `insert into public.${t} (company) values ('acme'), ('globex'), ('acme'), ('c1')`,
    `insert into public.${t} (company) select 'acme'::pg_catalog.text from public.many`,
    `insert into public.${t} (company) select company from public.many`,
    `insert into public.${t} (external) values ('x'), ('y'), ('x') on conflict do nothing`,
    `with a as (insert into public.${t} (company) values ('acme') returning company) insert into public.${t} (company) select company from a`,
    `insert into public.${t} (company, number) values ('acme', 999999)`,
    `insert into public.${t} (company) values (null)`,
    `insert into public.${t} (issued_on) values (null)`,
  ];
  await database.execute(
    `create table many as select 'c' || n % 4 as company from generate_series(1, 40) n; grant select on many to public`,
  );
  for (const isFirst of [true, false]) {
    const a = await open(role);
    if (!isFirst)
      for (const t of [plain, parts, 'hostile_types'])
        await a.query(`insert into ${t} (company) values ('acme')`);
    await a.query(`
      create temp table counter (series_id int, group_key text, period date, last_number bigint);
      create temp table series (id int);
      create temp table attachment (id int);
      create temp table seqctl_inserted (number bigint, company text, issued_on date, g text);
      create temp table pg_class (oid oid)`);
    await a.query(`set search_path = ${schema}, pg_catalog, pg_temp, public`);
    for (const t of [plain, parts, 'hostile_types']) {
      for (const statement of statements(t)) {
        await a.query(statement).catch((error: unknown) => {
          expect((error as { code: string }).code, `${statement}: ${String(error)}`).toMatch(/^(SQ|23502)/);
        });
      }
      await a.query('begin');
      for (const statement of statements(t).slice(0, 6)) await a.query(statement);
      await a.query('savepoint s');
      for (const statement of statements(t).slice(0, 6)) await a.query(statement);
      await a.query('rollback to s');
      for (const statement of statements(t).slice(0, 6)) await a.query(statement);
      await a.query('commit');
    }
    await a.query(`insert into public.hostile_parts_late (company) values ('late')`);
    await a.query(`insert into public.hostile_parts_late (company) select 'late' from public.many`);
  }
  expect(
    await database.rows(`select what, who, count(*)::int as n from ${schema}.executed group by 1, 2`),
  ).toEqual([]);
  await expectExact(database);

  // The shadows work, or the test shows nothing.
  const a = await open(role);
  await a.query(`set search_path = ${schema}, pg_catalog`);
  await a.query(`select 1::pg_catalog.int8 + 1::pg_catalog.int8`);
  expect(await database.rows(`select what from ${schema}.executed`)).not.toEqual([]);
});

test('casts that belong to the owner of a column’s type do not run as the owner of seqctl', async () => {
  const owner = await makeRole('type_owner');
  await database.execute(`grant create on schema public to ${owner.name}; select seqctl.grant_access('${owner.name}', 'admin');
    select seqctl.create_series('casts', reset => 'never', format => '{group}{number}')`);
  const a = await open(owner);
  await a.query(`
    create type cast_enum as enum ('red', 'blue');
    create domain cast_domain as cast_enum;
    create table casts (id bigserial, e cast_enum, d cast_domain, n int, number bigint, doc text);
    create table casts_seen (who text);
    grant all on casts_seen to public;
    create function cast_out(cast_enum) returns text language plpgsql as
      $$begin insert into public.casts_seen values (current_user); return 'x'; end$$;
    create function cast_in(text) returns cast_enum language plpgsql as
      $$begin insert into public.casts_seen values (current_user); return 'red'; end$$;
    create function casts_more() returns trigger language plpgsql as
      $$begin if new.n > 0 then insert into casts (e, d, n) values (new.e, new.d, new.n - 1); end if; return null; end$$;
    create trigger more after insert on casts for each row execute function casts_more();`);
  await a.query(
    `select seqctl.attach('casts', 'casts', group_columns => '{e,d}', document_number_column => 'doc')`,
  );
  await a.query(`create cast (cast_enum as text) with function cast_out(cast_enum)`);
  await a.query(`create cast (text as cast_enum) with function cast_in(text)`);
  for (const n of [0, 3])
    await a.query(`insert into casts (e, d, n) values ('red', 'blue', ${n}), ('blue', 'blue', ${n})`);
  await a.query(`insert into casts (e, d, n, number) values ('red', 'blue', 0, 99)`).catch(() => undefined);
  expect(await database.rows(`select distinct who from casts_seen where who <> '${owner.name}'`)).toEqual([]);
  await a.query(`drop cast (cast_enum as text); drop cast (text as cast_enum)`);
  await expectExact(database);
});

test('FORCE ROW LEVEL SECURITY and an installer without superuser', async () => {
  // Another database: there, seqctl belongs to an ordinary role.
  const { install } = await import('../../cli/installer/install.js');
  const { createDatabase } = await import('../support/database.js');
  const { settingsOf } = await import('../support/installer.js');
  const owner = await makeRole('rls_owner');
  const other = await createDatabase({ installed: false });
  try {
    await other.execute(
      `alter database ${other.name} owner to ${owner.name}; grant all on schema public to ${owner.name}`,
    );
    await install(settingsOf(other.urlAs(owner.name, owner.password)));
    const a = await other.session('A', other.urlAs(owner.name, owner.password));
    await a.query(`
      create table guarded (id bigserial, company text, note text, number bigint, document_number text);
      alter table guarded enable row level security;
      alter table guarded force row level security;
      create policy mine on guarded using (company = 'acme') with check (company <> 'forbidden');
      select seqctl.create_series('guarded', reset => 'never');
      select seqctl.attach('guarded', 'guarded', group_columns => '{company}', document_number_column => 'document_number')`);
    await a.query(`insert into guarded (company) values ('acme'), ('globex'), ('acme'), ('globex')`);
    await a.query(`insert into guarded (company) select 'c' || n % 3 from generate_series(1, 9) n`);
    await expect(
      a.query(`insert into guarded (company) values ('acme'), ('forbidden')`),
    ).rejects.toMatchObject({ code: '42501' });
    await a.query('begin');
    await a.query(`insert into guarded (company) values ('acme')`);
    await a.query('savepoint s');
    await a.query(`insert into guarded (company) values ('acme'), ('b')`);
    await a.query('rollback to s');
    await a.query(`insert into guarded (company) values ('acme'), ('b')`);
    await a.query('commit');
    await expectExact(other);
    // Nested inserts need a look at the table: right, or refused; never wrong.
    await a.query(`
      create function guarded_more() returns trigger language plpgsql as
        $$begin if new.note = 'more' then insert into guarded (company) values (new.company); end if; return null; end$$;
      create trigger more after insert on guarded for each row execute function guarded_more()`);
    for (const company of ['acme', 'globex']) {
      await a
        .query(`insert into guarded (company, note) values ('${company}', 'more'), ('${company}', 'more')`)
        .catch((error: unknown) => {
          expect((error as { code: string }).code).toBe('42501');
        });
      await expectExact(other);
    }
  } finally {
    await other.drop();
  }
});

test('row-level security that hides rows from those who number them later is refused at attach', async () => {
  const owner = await makeRole('forced_owner');
  await database.execute(
    `grant create on schema public to ${owner.name}; select seqctl.grant_access('${owner.name}', 'admin')`,
  );
  const a = await open(owner);
  await a.query(`
    select seqctl.create_series('forced', reset => 'never');
    create table forced (id bigserial primary key, status text, number bigint);
    alter table forced enable row level security`);
  const settings = [`assign => 'commit'`, `assign => 'manual'`, `issue_when => $$status = 'issued'$$`];
  for (const setting of settings) {
    // Its owner may pass it by, and seqctl's owner is a superuser.
    await a.query(`select seqctl.attach('forced', 'forced', ${setting})`);
    await a.query(`insert into forced (status) values ('issued')`);
    if (setting.includes('manual')) await a.query(`select seqctl.number_pending('forced')`);
    await a.query(`select seqctl.detach('forced', 'number')`);
  }
  await a.query('alter table forced force row level security');
  for (const setting of settings) {
    await expect(
      a.query(`select seqctl.attach('forced', 'forced', ${setting})`),
      setting,
    ).rejects.toMatchObject({
      code: 'SQ006',
      message: expect.stringContaining(`hides rows from ${owner.name}`) as string,
      hint: `alter role ${owner.name} bypassrls; or: alter table public.forced no force row level security;`,
    });
  }
  await a.query(`select seqctl.attach('forced', 'forced')`);
  await a.query(`select seqctl.detach('forced', 'number')`);
  await database.execute(`alter role ${owner.name} bypassrls`);
  await a.query(`select seqctl.attach('forced', 'forced', ${settings[2]})`);
  await a.query(
    `insert into forced (status) values ('issued'), ('draft'); update forced set status = 'issued'`,
  );
  await a.query('alter table forced no force row level security');
  await database.execute(`alter role ${owner.name} nobypassrls`);
  await expectExact(database);
});

test('level admin attaches no table of another role, by whatever function', async () => {
  const owner = await makeRole('table_owner');
  const admin = await makeRole('only_admin');
  for (const { name } of [owner, admin])
    await database.execute(`select seqctl.grant_access('${name}', 'admin')`);
  await database.execute(`
    grant create on schema public to ${owner.name};
    create table theirs (id bigint primary key, number bigint) partition by range (id);
    alter table theirs owner to ${owner.name};
    grant all on theirs to ${admin.name};
    select seqctl.create_series('theirs', reset => 'never')`);
  const a = await open(admin);
  const refused = async (sql: string): Promise<void> => {
    await expect(a.query(sql), sql).rejects.toMatchObject({ code: 'SQ005' });
  };
  await refused(`select seqctl.attach('theirs', 'theirs')`);
  await refused(`select * from seqctl.adopt('theirs', 'theirs', apply => true, reason => 'mine')`);
  for (const caller of [owner.name, admin.name, 'current_user']) {
    await refused(`select * from seqctl._register_attachment(
      'theirs', 'theirs', 'number', null, '{}', null, null, 'insert', 'off', true, '{}', '${caller === 'current_user' ? admin.name : caller}')`);
  }
  expect(await database.rows(`select from seqctl.attachment where target = 'theirs'::regclass`)).toEqual([]);

  const b = await open(owner);
  await b.query(`select seqctl.attach('theirs', 'theirs')`);
  const [attachment] = await database.rows<{ id: number }>(
    `select id from seqctl.attachment where target = 'theirs'::regclass`,
  );
  await refused(`select seqctl.attach_partitions('theirs')`);
  // Nobody else has ever the right to make triggers with its functions; the owner of the table, who needs it for partitions, in vain.
  const own = `create trigger trap before insert on trap for each row execute function seqctl._attachment_${attachment?.id ?? 0}_number()`;
  for (const session of [a, b]) await session.query('create temporary table trap (number bigint)');
  await expect(a.query(own)).rejects.toMatchObject({ code: '42501' });
  await b.query(own);
  await expect(b.query('insert into trap default values')).rejects.toMatchObject({ code: 'SQ009' });
  await b.query('drop trigger trap on trap');
  await database.execute(
    `create table theirs_1 partition of theirs default; alter table theirs_1 owner to ${owner.name}`,
  );
  expect(await b.value(`select seqctl.attach_partitions('theirs')`)).toBe(1);
  expect(await b.value(`select seqctl.attach_partitions('theirs')`)).toBe(0);
  // A function of the owner's, which others may call, attaches for them.
  await b.query(`
    select seqctl.detach('theirs', 'number');
    create function attach_theirs() returns text language sql security definer return seqctl.attach('theirs', 'theirs');
    grant usage on schema public to public`);
  const app = await open(await makeRole('no_admin'));
  await app.query('select attach_theirs()');
  await b.query('insert into theirs (id) values (1), (2)');
  await expectExact(database);
});
