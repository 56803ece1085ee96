import { describe, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

describe('what a table holds already', () => {
  const takeOver = expect.stringContaining('seqctl.adopt') as string;

  test.each([
    ['INV-{year}-{number:5}', `('a', 'INV-2026-00001')`, `('a', 'OLD-1')`, null],
    ['INV-{year}-{number:5}', `('a', 'INV-2026-00001')`, `('a', null)`, `company = 'b'`],
    ['{group}-{number}', `('a1', 'a1-7')`, `('a1', '7')`, null],
  ])(
    'document numbers of format %s without a number: %s, but %s',
    async (format, own, foreign, condition) => {
      const n = (await database.rows('select count(*)::int as n from seqctl.series'))[0] as { n: number };
      const t = `texts_${n.n}`;
      await database.rows('select seqctl.create_series($1, format => $2, reset => $3)', [
        t,
        format,
        format.includes('year') ? 'yearly' : 'never',
      ]);
      await database.execute(`
      create table ${t} (id bigint generated always as identity primary key, company text not null, document_number text,
          issued_on date not null default '2026-01-01', number bigint)`);
      const attach = `select seqctl.attach('${t}', '${t}', date_column => 'issued_on', group_columns => '{company}',
        document_number_column => 'document_number'${condition === null ? '' : `, issue_when => $$${condition}$$`})`;
      await database.execute(`insert into ${t} (company, document_number) values ${own}`);
      await expect(database.execute(attach)).rejects.toMatchObject({
        code: 'SQ008',
        message: `public.${t} has document numbers of series '${t}' without a number (1 rows)`,
        hint: takeOver,
      });
      await database.execute(`truncate ${t}; insert into ${t} (company, document_number) values ${foreign}`);
      await database.execute(`${attach}; truncate ${t}`);
    },
  );

  test('a number that a row of another table of the series has', async () => {
    await database.execute(`
      select seqctl.create_series('shared', reset => 'never');
      create table shared_1 (number bigint);
      create table shared_2 (number bigint);
      select seqctl.attach('shared_1', 'shared');
      insert into shared_1 values (default), (default);
      insert into shared_2 values (2)`);
    const attach = `select seqctl.attach('shared_2', 'shared')`;
    await expect(database.execute(attach)).rejects.toMatchObject({
      code: 'SQ008',
      message: 'public.shared_2 already has 1 numbers in number',
      detail: `Rows of other tables of series 'shared' have 1 of the numbers.`,
      hint: takeOver,
    });
    await database.execute(`insert into shared_2 values (2), (9)`);
    await expect(database.execute(attach)).rejects.toMatchObject({
      code: 'SQ008',
      detail:
        '1 rows have a number that another one has. ' +
        `In 1 of the groups and periods they go beyond what series 'shared' has given.`,
    });
    await database.execute(`truncate shared_2; ${attach}; insert into shared_2 values (default)`);
    await expectExact(database);
  });
});

test('numbers that cannot be compared with those of a table that lost its column', async () => {
  await database.execute(`
    select seqctl.create_series('pair', reset => 'never');
    create table pair_1 (number bigint);
    create table pair_2 (number bigint);
    select seqctl.attach('pair_1', 'pair');
    select seqctl.attach('pair_2', 'pair');
    insert into pair_1 values (default);
    insert into pair_2 values (default);
    alter table pair_2 rename number to nr;
    select seqctl.detach('pair_1')`);
  const attach = `select seqctl.attach('pair_1', 'pair')`;
  await expect(database.execute(attach)).rejects.toMatchObject({
    code: 'SQ006',
    message: 'public.pair_2 has no column number any more, by which it is attached',
  });
  await database.execute(
    `alter table pair_2 rename nr to number; ${attach}; insert into pair_1 values (default)`,
  );
  await expectExact(database);
});

test('a condition does not use a column that another attachment writes, in whichever order', async () => {
  await database.execute(`
    select seqctl.create_series('first', reset => 'never');
    select seqctl.create_series('second', reset => 'never');
    create table twice (id int primary key, number_1 bigint, number_2 bigint)`);
  const first = `select seqctl.attach('twice', 'first', number_column => 'number_1')`;
  const second = `select seqctl.attach('twice', 'second', number_column => 'number_2', issue_when => 'number_1 > 0')`;
  for (const [one, other, column] of [
    [first, second, 'number_1'],
    [second, first, 'number_2'],
  ] as const) {
    await database.execute(one);
    await expect(database.execute(other)).rejects.toMatchObject({ code: 'SQ007' });
    await database.execute(`select seqctl.detach('twice', '${column}')`);
  }
});

describe.each(['', 'partition by list (company)'])('a column that was renamed, %s', (suffix) => {
  const t = `renamed${suffix === '' ? '' : '_partitioned'}`;
  const insert = `insert into ${t} values ('a', 'x', '2026-01-01'), ('b', 'x', '2026-01-01')`;

  test('nothing is numbered by the columns that are left', async () => {
    await database.execute(`
      select seqctl.create_series('${t}');
      create table ${t} (company text not null, branch text not null, issued_on date, number bigint) ${suffix};
      ${suffix === '' ? '' : `create table ${t}_all partition of ${t} default;`}
      select seqctl.attach('${t}', '${t}', date_column => 'issued_on', group_columns => '{company,branch}');
      ${insert};
      alter table ${t} rename branch to office`);
    const refused = {
      code: 'SQ006',
      message: `public.${t} has no column branch any more, by which it is attached`,
      hint: expect.stringContaining('rename column ... to branch') as string,
    };
    for (const writeAnew of [
      'select seqctl._regenerate_attachments()',
      `select seqctl.alter_series('${t}', format => 'X{number}')`,
      `select seqctl.attach_partitions('${t}')`,
    ]) {
      if (writeAnew.includes('_regenerate')) await database.execute(writeAnew);
      else await expect(database.execute(writeAnew)).rejects.toMatchObject(refused);
      await expect(database.execute(insert)).rejects.toMatchObject({ code: '42703' });
    }
    await database.execute(`alter table ${t} rename office to branch; ${insert}`);
    await expectExact(database);
    expect(
      await database.rows(
        `select group_key, last_number from seqctl.counters where series = '${t}' order by 1`,
      ),
    ).toEqual([
      { group_key: '["a","x"]', last_number: '2' },
      { group_key: '["b","x"]', last_number: '2' },
    ]);
  });
});

test.each([
  ['of another type', 'alter column id type bigint', 'id pg_catalog.int8'],
  [
    'of more columns',
    'drop constraint KEYED_pkey, add primary key (id, place)',
    'id pg_catalog.int4, place pg_catalog.int4',
  ],
  ['that is gone', 'drop constraint KEYED_pkey', ''],
])('a primary key %s: rows are found as before, and nothing is written anew', async (what, change, key) => {
  const t = `keyed_${what.replaceAll(' ', '_')}`;
  const attach = `select seqctl.attach('${t}', '${t}', assign => 'commit')`;
  const alter = `select seqctl.alter_series('${t}', format => 'X{number}')`;
  const insert = `insert into ${t} (place) values (1), (2)`;
  await database.execute(`
    select seqctl.create_series('${t}', reset => 'never');
    create table ${t} (id int generated always as identity primary key, place int not null, number bigint);
    ${attach};
    ${insert}`);
  await database.execute(`alter table ${t} ${change.replace('KEYED', t)}`);
  await database.execute(insert);
  await database.execute('select seqctl._regenerate_attachments()');
  await database.execute(insert);
  for (const writeAnew of [alter, `select seqctl.attach_partitions('${t}')`]) {
    await expect(database.execute(writeAnew)).rejects.toMatchObject({
      code: 'SQ006',
      message: `public.${t} has another primary key than when it was attached`,
      detail: `Its rows are found by (id pg_catalog.int4), and the key is (${key}) now. Nothing was changed.`,
    });
  }
  await database.execute(insert);
  await database.execute(`select seqctl.detach('${t}')`);
  if (key !== '') await database.execute(`${attach}; ${alter}; ${insert}`);
  else await expect(database.execute(attach)).rejects.toMatchObject({ code: 'SQ006' });
  expect(
    await database.rows(`select count(distinct number)::int as n, max(number)::int as last from ${t}`),
  ).toEqual([key === '' ? { n: 8, last: 8 } : { n: 10, last: 10 }]);
});

test.each([
  ['number bigint unique', 'alter table public.strict drop constraint strict_number_key'],
  ['number bigint); create unique index strict_idx on strict (number', 'drop index public.strict_idx'],
])('a unique index that is too strict: the hint works: %s', async (column, statement) => {
  await database.execute(`
    drop table if exists strict;
    create table strict (company text, ${column})`);
  const attach = `select seqctl.attach('strict', 'strict', group_columns => '{company}')`;
  await database.execute(`
    do $$ begin perform seqctl.create_series('strict', reset => 'never'); exception when sqlstate 'SQ003' then null; end $$`);
  await expect(database.execute(attach)).rejects.toMatchObject({
    code: 'SQ018',
    hint: `${statement}; or use a series without reset or groups.`,
  });
  await database.execute(`${statement}; ${attach}; select seqctl.detach('strict')`);
});

test('a document number column that is too narrow for any document number', async () => {
  await database.execute(`
    select seqctl.create_series('narrow', format => 'A{year}-{number}');
    create table narrow (issued_on date, document_number varchar(6), number bigint)`);
  const attach = `select seqctl.attach('narrow', 'narrow', date_column => 'issued_on', document_number_column => 'document_number')`;
  await expect(database.execute(attach)).rejects.toMatchObject({
    code: 'SQ006',
    message: `document_number_column: document_number of public.narrow holds 6 characters, the document number 'A2001-1' has 7`,
    hint: expect.stringContaining('alter column document_number type text') as string,
  });
  await database.execute(`alter table narrow alter column document_number type varchar(7); ${attach};
    insert into narrow values ('2026-03-09')`);
});
