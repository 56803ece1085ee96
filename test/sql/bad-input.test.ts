import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();

/** Everything that a refused call must leave as it was. */
async function snapshot(): Promise<unknown> {
  return database.rows(`
    select 'trigger' as kind, tgrelid::regclass || '.' || tgname as what from pg_trigger
    union all select 'class', relnamespace::regnamespace || '.' || relname || coalesce(relacl::text, '') from pg_class where relnamespace <> 'pg_toast'::regnamespace
    union all select 'function', oid::regprocedure::text || coalesce(proacl::text, '') || md5(prosrc) from pg_proc where pronamespace in ('seqctl'::regnamespace, 'public'::regnamespace)
    union all select 'series', s::text from seqctl.series s
    union all select 'attachment', a::text from seqctl.attachment a
    union all select 'counter', c::text from seqctl.counter c
    union all select 'row', i::text from bad i
    order by 1, 2`);
}

interface Refusal {
  readonly call: string;
  readonly code: string;
  readonly message: RegExp;
}

const attach = (rest: string): string => `select seqctl.attach(${rest})`;
const refused: Record<string, Refusal> = {
  'unknown series': {
    call: attach(`'bad', 'nonsense'`),
    code: 'SQ001',
    message: /series 'nonsense' does not exist/,
  },
  'series NULL': { call: attach(`'bad', null`), code: 'SQ001', message: /NULL/ },
  'next_number of an unknown series': {
    call: `select seqctl.next_number('nonsense')`,
    code: 'SQ001',
    message: /does not exist/,
  },
  'table NULL': { call: attach(`null, 'free'`), code: 'SQ005', message: /no table/ },
  'unknown table': { call: attach(`'nonsense', 'free'`), code: '42P01', message: /does not exist/ },
  'a view': { call: attach(`'bad_view', 'free'`), code: 'SQ005', message: /a view/ },
  'a materialized view': {
    call: attach(`'bad_matview', 'free'`),
    code: 'SQ005',
    message: /a materialized view/,
  },
  'a partition': { call: attach(`'bad_part', 'free'`), code: 'SQ005', message: /a partition/ },
  'an unlogged table': { call: attach(`'bad_unlogged', 'free'`), code: 'SQ005', message: /unlogged/ },
  'a table with children': {
    call: attach(`'bad_parent', 'free'`),
    code: 'SQ005',
    message: /inheritance children/,
  },
  'a table that inherits': {
    call: attach(`'bad_child', 'free'`),
    code: 'SQ005',
    message: /an inheritance child/,
  },
  'a system table': {
    call: attach(`'pg_class', 'free', 'relpages'`),
    code: 'SQ005',
    message: /system table/,
  },
  'seqctl’s own table': {
    call: attach(`'seqctl.counter', 'free', 'last_number'`),
    code: 'SQ005',
    message: /system table/,
  },
  'unknown number column': {
    call: attach(`'bad', 'free', 'nonsense'`),
    code: 'SQ006',
    message: /no column nonsense/,
  },
  'unknown date column': {
    call: attach(`'bad', 'free', 'number', 'nonsense'`),
    code: 'SQ006',
    message: /no column nonsense/,
  },
  'unknown group column': {
    call: attach(`'bad', 'free', group_columns => '{nonsense}'`),
    code: 'SQ006',
    message: /no column nonsense/,
  },
  'a dropped or system column': {
    call: attach(`'bad', 'free', 'ctid'`),
    code: 'SQ006',
    message: /no column ctid/,
  },
  'number column of a wrong type': {
    call: attach(`'bad', 'free', 'company'`),
    code: 'SQ006',
    message: /has type text/,
  },
  'date column of a wrong type': {
    call: attach(`'bad', 'yearly', 'number', 'company'`),
    code: 'SQ006',
    message: /has type text/,
  },
  'group column of a wrong type': {
    call: attach(`'bad', 'free', group_columns => '{amount}'`),
    code: 'SQ006',
    message: /double precision/,
  },
  'document number column of a wrong type': {
    call: attach(`'bad', 'free', document_number_column => 'amount'`),
    code: 'SQ006',
    message: /double precision/,
  },
  'a generated column': {
    call: attach(`'bad', 'free', group_columns => '{made}'`),
    code: 'SQ006',
    message: /generated/,
  },
  'an identity column': { call: attach(`'bad', 'free', 'id'`), code: 'SQ006', message: /identity/ },
  'a column with a default': {
    call: attach(`'bad', 'free', 'with_default'`),
    code: 'SQ006',
    message: /default/,
  },
  'one column twice': {
    call: attach(`'bad', 'free', group_columns => '{company,company}'`),
    code: 'SQ006',
    message: /twice/,
  },
  'no date column for a series that resets': {
    call: attach(`'bad', 'yearly'`),
    code: 'SQ006',
    message: /date_column is needed/,
  },
  'no date column for a format with a date': {
    call: attach(`'bad', 'dated'`),
    code: 'SQ006',
    message: /date in its format/,
  },
  'a table that has numbers': {
    call: attach(`'bad_numbers', 'free'`),
    code: 'SQ008',
    message: /already has 3 numbers/,
  },
  'a table that has duplicates': {
    call: attach(`'bad_duplicates', 'free'`),
    code: 'SQ008',
    message: /already has 2 numbers/,
  },
  'attached already': { call: attach(`'bad_attached', 'free'`), code: 'SQ007', message: /attached already/ },
  'the same series again': {
    call: attach(`'bad_attached', 'used', 'second'`),
    code: 'SQ007',
    message: /already/,
  },
  'a column that another attachment writes': {
    call: attach(`'bad_attached', 'free', 'second', document_number_column => 'document_number'`),
    code: 'SQ007',
    message: /written by one attachment/,
  },
  'a unique index that is too strict': {
    call: attach(`'bad_strict', 'free', group_columns => '{company}'`),
    code: 'SQ018',
    message: /too strict/,
  },
  'detach what is not attached': {
    call: `select seqctl.detach('bad', 'number')`,
    code: 'SQ009',
    message: /not attached/,
  },
  'detach what is not attached, by its default name': {
    call: `select seqctl.detach('bad')`,
    code: 'SQ009',
    message: /not attached/,
  },
  'a series in use dropped': { call: `select seqctl.drop_series('used')`, code: 'SQ004', message: /in use/ },
  'a series that exists': {
    call: `select seqctl.create_series('free')`,
    code: 'SQ003',
    message: /exists already/,
  },
  'first_number below 0': {
    call: `select seqctl.create_series('x', first_number => -1)`,
    code: 'SQ002',
    message: /first_number/,
  },
  'max_number below first_number': {
    call: `select seqctl.create_series('x', first_number => 5, max_number => 4)`,
    code: 'SQ002',
    message: /max_number/,
  },
  'max_length too short': {
    call: `select seqctl.create_series('x', format => 'INVOICE-{number}', max_number => 100, max_length => 10)`,
    code: 'SQ002',
    message: /max_length/,
  },
  'unknown reset': {
    call: `select seqctl.create_series('x', reset => 'weekly')`,
    code: 'SQ002',
    message: /reset/,
  },
  'unknown time zone': {
    call: `select seqctl.create_series('x', time_zone => 'Europe/Nowhere')`,
    code: 'SQ002',
    message: /time zone/,
  },
  'impossible fiscal year': {
    call: `select seqctl.create_series('x', fiscal_year_start => '02-29')`,
    code: 'SQ002',
    message: /fiscal_year_start/,
  },
  'a name with a blank at its end': {
    call: `select seqctl.create_series('x ')`,
    code: 'SQ002',
    message: /'x ' is not usable/,
  },
  'a format with a line break': {
    call: `select seqctl.create_series('x', format => E'{number}\\n')`,
    code: 'SQ002',
    message: /line break/,
  },
  'unknown format field': {
    call: `select seqctl.create_series('x', format => '{nmber}')`,
    code: 'SQ002',
    message: /unknown field/,
  },
  'format without a number': {
    call: `select seqctl.create_series('x', format => '{year}')`,
    code: 'SQ002',
    message: /no \{number\}/,
  },
  'format with a single brace': {
    call: `select seqctl.create_series('x', format => '{number')`,
    code: 'SQ002',
    message: /brace/,
  },
  'empty name': { call: `select seqctl.create_series(' ')`, code: 'SQ002', message: /name/ },
  'how_many 0': { call: `select seqctl.allocate('free', how_many => 0)`, code: 'SQ016', message: /how_many/ },
  'next_number without a date': {
    call: `select seqctl.next_number('yearly')`,
    code: 'SQ011',
    message: /date is NULL/,
  },
  'next_number with a NULL group': {
    call: `select seqctl.next_number('free', null)`,
    code: 'SQ010',
    message: /group is NULL/,
  },
  'unknown role': {
    call: `select seqctl.grant_access('nobody at all', 'read')`,
    code: 'SQ017',
    message: /does not exist/,
  },
  'unknown level': {
    call: `select seqctl.grant_access('pg_monitor', 'all')`,
    code: 'SQ017',
    message: /level/,
  },
  'NULL group in a row': {
    call: `insert into bad_rows (company) values ('a'), (null)`,
    code: 'SQ010',
    message: /group is NULL/,
  },
  'NULL date in a row': {
    call: `insert into bad_rows (issued_on) values ('2026-01-01'), (null)`,
    code: 'SQ011',
    message: /date is NULL/,
  },
  'a group of 10 kB': {
    call: `insert into bad_rows (company) values (repeat('x', 10000))`,
    code: 'SQ010',
    message: /10000 bytes/,
  },
  infinity: {
    call: `insert into bad_rows (issued_on) values ('infinity')`,
    code: 'SQ011',
    message: /out of range/,
  },
  'a date before Christ': {
    call: `insert into bad_rows (issued_on) values ('0044-03-15 BC')`,
    code: 'SQ011',
    message: /out of range/,
  },
  'a date far away': {
    call: `insert into bad_rows (issued_on) values ('20000-01-01')`,
    code: 'SQ011',
    message: /out of range/,
  },
  'an explicit number': { call: `insert into bad_rows (number) values (17)`, code: 'SQ012', message: /17/ },
  'an explicit document number': {
    call: `insert into bad_rows (document_number) values ('x')`,
    code: 'SQ012',
    message: /'x'/,
  },
};

test('set up', async () => {
  await database.execute(`
    select seqctl.create_series('free', reset => 'never');
    select seqctl.create_series('used', reset => 'never');
    select seqctl.create_series('yearly', format => '{year}/{number}');
    select seqctl.create_series('dated', reset => 'never', format => '{year}/{number}');
    create table bad (id bigint generated always as identity, company text, amount double precision, issued_on date, number bigint,
      document_number text, with_default bigint default 1, made text generated always as (company || 'x') stored);
    create view bad_view as select * from bad;
    create materialized view bad_matview as select * from bad;
    create table bad_parts (number bigint) partition by list (number);
    create table bad_part partition of bad_parts default;
    create unlogged table bad_unlogged (number bigint);
    create table bad_parent (number bigint);
    create table bad_child () inherits (bad_parent);
    create table bad_numbers as select n::bigint as number from generate_series(1, 3) n;
    create table bad_duplicates as select 1::bigint as number from generate_series(1, 2) n;
    create table bad_attached (number bigint, second bigint, document_number text);
    select seqctl.attach('bad_attached', 'used', document_number_column => 'document_number');
    create table bad_strict (company text, number bigint unique);`);
  await makeInvoices(database, 'bad_rows');
  await database.execute(`insert into bad_rows default values`);
});

test.each(Object.entries(refused))('%s', async (_name, { call, code, message }) => {
  const before = await snapshot();
  const error = await database.rows(call).then(
    () => undefined,
    (reason: unknown) => reason as { code: string; message: string; hint?: string },
  );
  expect(error, 'it was accepted').toBeDefined();
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  // The next step, in our own errors.
  if (code.startsWith('SQ')) expect(error?.hint ?? '').toMatch(/\w{3}/);
  expect(await snapshot()).toEqual(before);
  await expectExact(database);
});

test('a table of somebody else', async () => {
  const role = await makeRole('stranger');
  await database.execute(`select seqctl.grant_access('${role.name}', 'admin')`);
  const a = await database.session('A', database.urlAs(role.name, role.password));
  const before = await snapshot();
  await expect(a.query(attach(`'bad', 'free'`))).rejects.toMatchObject({
    code: 'SQ005',
    message: expect.stringContaining('belongs to') as string,
  });
  await expect(a.query(`select seqctl.detach('bad_attached', 'number')`)).rejects.toMatchObject({
    code: 'SQ005',
  });
  expect(await snapshot()).toEqual(before);
  await database.execute(`select seqctl.revoke_access('${role.name}')`);
});

test('a NULL group where the column allows it', async () => {
  await database.execute(`
    create table nullable (a text, b text, number bigint);
    select seqctl.create_series('nullable', reset => 'never');
    select seqctl.attach('nullable', 'nullable', group_columns => '{a,b}')`);
  for (const values of [`(null, 'x')`, `('x', null)`, `('x', 'x'), (null, null)`]) {
    await expect(database.execute(`insert into nullable values ${values}`)).rejects.toMatchObject({
      code: 'SQ010',
    });
  }
  await database.execute(`insert into nullable values ('x', 'x'), ('', '')`);
  await expectExact(database);
});
