import { beforeAll, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();

/** Everything that a refused attach must leave as it was. */
async function snapshot(): Promise<unknown> {
  return database.rows(`
    select 'trigger' as kind, tgrelid::regclass || '.' || tgname as what from pg_trigger
    union all select 'constraint', conrelid::regclass || '.' || conname from pg_constraint
    union all select 'class', relnamespace::regnamespace || '.' || relname || coalesce(relacl::text, '') from pg_class where relnamespace <> 'pg_toast'::regnamespace
    union all select 'function', oid::regprocedure::text || coalesce(proacl::text, '') || md5(prosrc) from pg_proc where pronamespace in ('seqctl'::regnamespace, 'public'::regnamespace)
    union all select 'attachment', a::text from seqctl.attachment a
    union all select 'row', i::text from invoices i
    union all select 'victim', v::text from victim v
    order by 1, 2`);
}

beforeAll(async () => {
  await database.execute(`
    create type shade as enum ('light', 'dark');
    create domain code as text check (value <> '');
    create table victim (x int);
    insert into victim values (1);
    create table invoices (
      id int primary key, status text, paid boolean, amount numeric, at timestamptz, on_day date, shade shade, code code, tags text[],
      data jsonb, made text generated always as (status || '!') stored, number bigint, document_number text, "Odd ""name" boolean, victim int
    );
    insert into invoices (id, status) values (1, 'draft');
    select seqctl.create_series('invoice', reset => 'never');
    create function trap(x anyelement) returns boolean language plpgsql immutable as $$ begin insert into victim values (2); return true; end $$;
    create function harmless(x text) returns boolean language sql immutable as 'select true';
    create function trap_op(x text, y text) returns boolean language plpgsql immutable as $$ begin insert into victim values (3); return true; end $$;
    create operator ~~~~ (leftarg = text, rightarg = text, function = trap_op);`);
});

const attach = (condition: string, more = ''): Promise<unknown> =>
  database.rows(
    `select seqctl.attach('invoices', 'invoice', document_number_column => 'document_number', issue_when => $1 ${more})`,
    [condition],
  );

test.each([
  ['a sub-select', `status = (select 'x')`],
  ['exists', `exists (select 1)`],
  ['in (select)', `id in (select x from victim)`],
  ['array(select)', `id = any (array(select x from victim))`],
  ['a volatile function', `random() > 0.5`],
  ['clock_timestamp', `at < clock_timestamp()`],
  ['a stable function', `at < now()`],
  ['current_date', `on_day <= current_date`],
  ['current_user', `current_user = 'x'`],
  ['current_setting', `current_setting('my.x', true) = 'x'`],
  ['a cast that depends on a setting', `at::date = '2026-01-01'`],
  ['a comparison that depends on the time zone', `at > on_day`],
  ['an unknown column', `nonsense = 1`],
  ['a column of another table', `victim.x = 1`],
  ['no boolean', `status`],
  ['a number', '1'],
  ['a row', `(true, true)`],
  ['an aggregate', `count(*) > 0`],
  ['an aggregate of a column', `bool_or(paid)`],
  ['a window function', `row_number() over () = 1`],
  ['a set-returning function', `generate_series(1, 2) = 1`],
  ['a user-defined function', `harmless(status)`],
  ['a user-defined function with a side effect', `trap(status)`],
  ['a user-defined operator', `status ~~~~ 'x'`],
  ['a qualified user-defined operator', `status operator(public.~~~~) 'x'`],
  ['the number column', `number is null`],
  ['the document number column', `document_number is null`],
  ['a generated column', `made = 'x!'`],
  ['a system column', `xmin is not null`],
  ['ctid', `ctid = '(0,1)'`],
  ['tableoid', `tableoid = 'victim'::regclass`],
  ['the whole row', `invoices is not null`],
  ['the whole row as text', `invoices::text = 'x'`],
  ['new', `new.status = 'x'`],
  ['a parameter', `status = $1`],
  ['nothing', ''],
  ['blanks', ' \n\t '],
  ['a comment', '-- true'],
  ['a semicolon', 'true;'],
  ['two statements', 'true; select 1'],
  ['an injection', `true); drop table invoices; --`],
  ['an injection with a block comment', `true) /* `],
  ['the end of a block comment', `true */ or true /*`],
  ['unbalanced parentheses', `(true`],
  ['closing, statement, opening', `true); delete from victim; select (true`],
  ['a dollar quote', `status = $$x`],
  ['the generator’s own dollar quotes', `status = 'x' $function$; drop table victim; $function$`],
  ['the generator’s own template marks', `status = <<what>>`],
  ['an open string', `status = 'x`],
  ['a return in plpgsql', `true; return null; end; --`],
  ['an order by', `true order by 1`],
  ['an alias', `true as x`],
  ['two expressions', `true, false`],
  ['a union', `true union select false`],
  ['from', `x = 1 from victim`],
  ['a type of its own', `code = 'x'::code`],
  ['pg_sleep', `pg_sleep(1) is null`],
  ['nextval', `nextval('x') > 0`],
  ['set_config', `set_config('a.b', 'c', false) = 'c'`],
  ['query_to_xml', `query_to_xml('delete from victim', true, true, '') is not null`],
])('%s is refused, and nothing is left behind', async (_what, condition) => {
  const before = await snapshot();
  const error: unknown = await attach(condition).catch((caught: unknown) => caught);
  expect(error, condition).toMatchObject({ code: 'SQ019' });
  const { message, hint } = error as { message: string; hint?: string };
  expect(message).toContain('issue_when');
  expect(hint, 'a next step').toBeTruthy();
  expect(await snapshot()).toEqual(before);
});

test.each(['insert', 'commit', 'manual'])('%s: refused in every mode', async (assign) => {
  const before = await snapshot();
  await expect(attach(`harmless(status)`, `, assign => '${assign}'`)).rejects.toMatchObject({
    code: 'SQ019',
  });
  expect(await snapshot()).toEqual(before);
});

// A comment or a literal ends with itself: what stands in it is no SQL, whether it is refused or not.
test.each([
  ['a line comment that swallows the parenthesis', `status = 'issued' -- `],
  // Between parentheses it is one condition; what is stored is what PostgreSQL understood.
  ['closing and opening', `status = 'issued') or (status = 'paid'`],
  ['a line comment with a parenthesis', `status = 'issued' --) or (true`],
  ['an E-string that seems to end early', `status = 'issued' or status = E'\\'; drop table victim; --'`],
])('%s hides nothing', async (_what, condition) => {
  const before = await snapshot();
  const outcome = await attach(condition).then(
    () => 'attached',
    (error: unknown) => (error as { code: string }).code,
  );
  if (outcome === 'attached') {
    expect(
      await database.rows(
        `insert into invoices (id, status) values (-1, 'x'), (-2, 'issued') returning number is null as n`,
      ),
    ).toEqual([{ n: true }, { n: false }]);
    await database.rows(`select seqctl.detach('invoices', 'number')`);
    await database.rows('delete from invoices where id < 0');
  } else {
    expect(outcome).toBe('SQ019');
    expect(await snapshot()).toEqual(before);
  }
  expect(await database.rows('select x from victim')).toEqual([{ x: 1 }]);
});

test('a cast of a domain or enum that somebody defined runs nobody’s code', async () => {
  const before = await snapshot();
  // Whether a comparison of an enum is built in or refused: nothing of the user's may run.
  await attach(`shade = 'dark'`).then(
    () => database.rows(`select seqctl.detach('invoices', 'number')`),
    (error: unknown) => {
      expect(error).toMatchObject({ code: 'SQ019' });
    },
  );
  expect(await database.rows('select x from victim')).toEqual([{ x: 1 }]);
  expect((await snapshot()) as unknown[]).toEqual(
    expect.arrayContaining(
      (before as unknown[]).filter((row) => (row as { kind: string }).kind === 'victim'),
    ),
  );
});

test.each([
  ['a comparison', `status = 'issued'`, `('issued')`, `('draft')`],
  ['a list', `status in ('issued', 'paid')`, `('paid')`, `('x')`],
  ['a pattern', `status like 'iss%'`, `('issued')`, `('x')`],
  ['is not null', `status is not null`, `('')`, `(null)`],
  ['case', `case when status = 'a' then true else false end`, `('a')`, `('b')`],
  ['coalesce', `coalesce(status, '') <> ''`, `('x')`, `(null)`],
  ['lower', `lower(status) = 'issued'`, `('ISSUED')`, `('x')`],
  [
    'a quote and a percent sign in a literal',
    `status = 'it''s 100%I << $1 \\'`,
    `('it''s 100%I << $1 \\')`,
    `('its')`,
  ],
  ['a semicolon and a comment in a literal', `status = '; -- /*'`, `('; -- /*')`, `(';')`],
  [
    'dollar quotes in a literal',
    `status = '$function$ $template$ $$'`,
    `('$function$ $template$ $$')`,
    `('$$')`,
  ],
  ['a line break and a comment inside', `status = 'a' /* or\n not */ and\n true`, `('a')`, `('b')`],
  ['false', 'false', '', `('x')`],
  ['null', 'null', '', `('x')`],
])('%s is accepted and does what it says', async (_what, condition, yes, no) => {
  await attach(condition);
  try {
    const insert = async (value: string): Promise<unknown> =>
      value === ''
        ? undefined
        : (
            await database.rows(
              `insert into invoices (id, status) select 1 + max(i.id), v.s from invoices i, (values ${value}) v (s) group by v.s returning number is not null as n`,
            )
          )[0]?.['n'];
    expect(await insert(yes)).toBe(yes === '' ? undefined : true);
    expect(await insert(no)).toBe(no === '' ? undefined : false);
    const [shown] = await database.rows<{ issue_when: string }>('select issue_when from seqctl.attachments');
    expect(shown?.issue_when).toBeTruthy();
  } finally {
    await database.rows(`select seqctl.detach('invoices', 'number')`);
  }
});

test.each([
  ['paid', 'paid'],
  ['a quoted column', `"Odd ""name"`],
  ['numbers', 'amount > 0.5 and amount < 1e6'],
  ['an array', `tags @> '{issued}'`],
  ['jsonb', `data ->> 'status' = 'issued'`],
  ['a date literal', `on_day >= '2026-01-01'`],
  ['a column that is called like a table', `victim = 1`],
])('%s is accepted and shown as PostgreSQL writes it', async (_what, condition) => {
  await attach(condition);
  await database.rows(`select seqctl.detach('invoices', 'number')`);
});

test('what the condition means does not depend on the search_path of who attaches or writes', async () => {
  await database.execute(`
    create schema shadow;
    create function shadow.lower(text) returns text language sql immutable as $$ select 'issued' $$;
    create function shadow.texteq(text, text) returns boolean language sql immutable as 'select true';
    create operator shadow.= (leftarg = text, rightarg = text, function = shadow.texteq)`);
  const a = await database.session('A');
  await a.query('set search_path = shadow, pg_catalog, public');
  await a
    .query(`select seqctl.attach('public.invoices', 'invoice', issue_when => $1)`, [
      `lower(status) = 'issued'`,
    ])
    .catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'SQ019' });
    });
  const attached = await database.rows('select from seqctl.attachment');
  if (attached.length > 0) {
    expect(
      await a.rows(`insert into public.invoices (id, status) values (1001, 'x') returning number`),
    ).toEqual([{ number: null }]);
    expect(
      await a.rows(
        `insert into public.invoices (id, status) values (1002, 'Issued') returning number is not null as n`,
      ),
    ).toEqual([{ n: true }]);
    await database.rows(`select seqctl.detach('invoices', 'number')`);
  }
});

test('a number column that may not be NULL cannot have drafts', async () => {
  await database.execute(`create table strict (id int primary key, status text, number bigint not null)`);
  await expect(
    database.rows(`select seqctl.attach('strict', 'invoice', issue_when => $1)`, [`status = 'issued'`]),
  ).rejects.toMatchObject({ code: 'SQ006' });
  await database.execute(`alter table strict alter number drop not null, add document_number text not null`);
  await expect(
    database.rows(
      `select seqctl.attach('strict', 'invoice', document_number_column => 'document_number', issue_when => $1)`,
      [`status = 'issued'`],
    ),
  ).rejects.toMatchObject({ code: 'SQ006' });
});

test('a column of the condition cannot be dropped or retyped unnoticed', async () => {
  await database.execute(`create table watched (id int primary key, status text, number bigint)`);
  await database.rows(`select seqctl.attach('watched', 'invoice', issue_when => $1)`, [`status = 'issued'`]);
  await database.rows(`insert into watched values (1, 'issued'), (2, 'draft')`);
  // Refused, or each write fails; never numbered by a condition that cannot be asked.
  await database.execute('alter table watched drop column status').catch(() => undefined);
  const hasColumn =
    (
      await database.rows(
        `select from pg_attribute where attrelid = 'watched'::regclass and attname = 'status' and not attisdropped`,
      )
    ).length === 1;
  if (!hasColumn) await expect(database.rows('insert into watched values (3)')).rejects.toThrow();
  await database.execute('drop table watched');
});

test('an owner without rights in seqctl cannot attach with a condition of his own', async () => {
  const role = await makeRole('condition_owner');
  await database.execute(`grant create on schema public to ${role.name}`);
  const s = await database.session('S', database.urlAs(role.name, role.password));
  await s.query(`create table mine (id int primary key, status text, number bigint)`);
  await expect(
    s.query(`select seqctl.attach('mine', 'invoice', issue_when => 'true')`),
  ).rejects.toMatchObject({ code: '42501' });
});
