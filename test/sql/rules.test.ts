import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';

const database = useDatabase();

interface Issued extends Record<string, unknown> {
  doc: string;
}

/** Inserts one row a date, in one statement and then one by one; returns the document numbers of each round. */
async function issue(
  name: string,
  series: string,
  type: string,
  dates: readonly string[],
): Promise<string[]> {
  await database.rows(`select seqctl.create_series('${name}', ${series})`);
  await database.execute(`create table ${name} (id bigserial, at ${type}, number bigint, doc text)`);
  await database.rows(
    `select seqctl.attach('${name}', '${name}', date_column => 'at', document_number_column => 'doc')`,
  );
  const a = await database.session('A');
  const issued = await a.rows<Issued>(
    `insert into ${name} (at) select d::${type} from unnest($1::text[]) with ordinality u (d, n) order by n returning doc`,
    [dates],
  );
  for (const date of dates)
    issued.push(...(await a.rows<Issued>(`insert into ${name} (at) values ($1) returning doc`, [date])));
  await expectExact(database);
  return issued.map((row) => row.doc);
}

test.each([
  [
    'never',
    `reset => 'never', format => '{number}'`,
    ['2025-12-31', '2026-01-01', '2026-07-07'],
    '1 2 3 4 5 6',
  ],
  [
    'yearly',
    `format => '{year}.{number}'`,
    ['2025-12-31', '2026-01-01', '2026-12-31'],
    '2025.1 2026.1 2026.2 2025.2 2026.3 2026.4',
  ],
  [
    'quarterly',
    `reset => 'quarterly', format => '{year}Q{quarter}.{number}'`,
    ['2026-03-31', '2026-04-01', '2026-06-30'],
    '2026Q1.1 2026Q2.1 2026Q2.2 2026Q1.2 2026Q2.3 2026Q2.4',
  ],
  [
    'monthly',
    `reset => 'monthly', format => '{year:2}{month}.{number}'`,
    ['2024-02-29', '2024-03-01', '2024-03-31'],
    '2402.1 2403.1 2403.2 2402.2 2403.3 2403.4',
  ],
  [
    'daily',
    `reset => 'daily', format => '{year}{month}{day}.{number:2}'`,
    ['2026-03-09', '2026-03-10', '2026-03-09'],
    '20260309.01 20260310.01 20260309.02 20260309.03 20260310.02 20260309.04',
  ],
  [
    'fiscal 04-01',
    `fiscal_year_start => '04-01', format => '{fiscal_year}.{number}'`,
    ['2026-03-31', '2026-04-01', '2027-03-31'],
    '2025.1 2026.1 2026.2 2025.2 2026.3 2026.4',
  ],
  [
    'fiscal 04-06',
    `fiscal_year_start => '04-06', format => '{fiscal_year}.{number}'`,
    ['2026-04-05', '2026-04-06', '2027-04-05'],
    '2025.1 2026.1 2026.2 2025.2 2026.3 2026.4',
  ],
  [
    'first number 0',
    `first_number => 0, format => '{year}.{number}'`,
    ['2026-01-01', '2027-01-01'],
    '2026.0 2027.0 2026.1 2027.1',
  ],
  ['first number 1000', `first_number => 1000, format => '{number:3}'`, ['2026-01-01'], '1000 1001'],
])('reset %s', async (name, series, dates, expected) => {
  expect((await issue(`reset_${name.replaceAll(/\W/g, '_')}`, series, 'date', dates)).join(' ')).toBe(
    expected,
  );
});

test.each([
  // Midnight in Rome is 23:00 UTC in winter.
  [
    'timestamptz',
    ['2025-12-31 22:59:59.999999+00', '2025-12-31 23:00+00', '2026-12-31 23:00+00', '2026-12-31 22:59+00'],
    '2025.1 2026.1 2027.1 2026.2',
  ],
  // A timestamp is local to the series already.
  ['timestamp', ['2025-12-31 23:59:59.999999', '2026-01-01 00:00'], '2025.1 2026.1'],
])('the turn of the year in Europe/Rome, %s', async (type, dates, expected) => {
  const issued = await issue(
    `rome_${type}`,
    `time_zone => 'Europe/Rome', format => '{year}.{number}'`,
    type,
    dates,
  );
  expect(issued.slice(0, dates.length).join(' ')).toBe(expected);
  // In whatever zone the session is.
  const a = await database.session('B');
  await a.query(`set timezone = 'Pacific/Kiritimati'`);
  await a.query(`insert into rome_${type} (at) select unnest($1::${type}[])`, [dates]);
  await expectExact(database);
});

test('an exhausted counter is named', async () => {
  await database.execute(`
    select seqctl.create_series('last_year', reset => 'yearly', format => '{year}-{number}', max_number => 1);
    create table last_year (id bigserial, g text, d date, number bigint);
    select seqctl.attach('last_year', 'last_year', date_column => 'd', group_columns => '{g}')`);
  const message =
    "period 2026 of series 'last_year', group 'acme' is exhausted: number 2 is above its limit, 1";
  const many = 'generate_series(1, 2)';
  const refused = async (sql: string): Promise<void> => {
    await expect(database.rows(sql), sql).rejects.toMatchObject({ code: 'SQ014', message });
  };
  await refused(`insert into last_year (g, d) select 'acme', '2026-05-05' from ${many}`);
  await refused(`select seqctl.next_number('last_year', 'acme', '2026-05-05') from ${many}`);
  await database.execute(`insert into last_year (g, d) values ('acme', '2026-05-05')`);
  await refused(`insert into last_year (g, d) values ('acme', '2026-05-05')`);
  await refused(`select seqctl.checkout('last_year', 'order', 'acme', '2026-05-05')`);
});

test('an integer column at its end, max_number and max_length', async () => {
  await database.execute(`
    select seqctl.create_series('last_int', reset => 'never', first_number => 2147483645);
    create table last_int (id bigserial, number int);
    select seqctl.attach('last_int', 'last_int');
    select seqctl.create_series('last_max', reset => 'never', max_number => 3);
    create table last_max (id bigserial, number bigint);
    select seqctl.attach('last_max', 'last_max');
    select seqctl.create_series('last_length', reset => 'never', max_length => 6, format => '{group}-{number}');
    create table last_length (id bigserial, g text, number bigint, doc text);
    select seqctl.attach('last_length', 'last_length', group_columns => '{g}', document_number_column => 'doc')`);
  const a = await database.session('A');
  for (const t of ['last_int', 'last_max']) {
    await expect(a.query(`insert into ${t} select from generate_series(1, 4)`)).rejects.toMatchObject({
      code: 'SQ014',
    });
    await a.query(`insert into ${t} default values`);
    await expect(a.query(`insert into ${t} select from generate_series(1, 3)`)).rejects.toMatchObject({
      code: 'SQ014',
    });
    await a.query(`insert into ${t} select from generate_series(1, 2)`);
    for (let n = 0; n < 2; n += 1) {
      await expect(a.query(`insert into ${t} default values`)).rejects.toMatchObject({ code: 'SQ014' });
    }
  }
  await expect(a.query(`select seqctl.next_number('last_max')`)).rejects.toMatchObject({
    code: 'SQ014',
    message: "series 'last_max' is exhausted: number 4 is above its limit, 3",
  });
  await a.query(`insert into last_length (g) select 'abcd' from generate_series(1, 9)`);
  await expect(a.query(`insert into last_length (g) values ('abcd')`)).rejects.toMatchObject({
    code: 'SQ015',
  });
  await expect(a.query(`insert into last_length (g) values ('a'), ('abcdef'), ('a')`)).rejects.toMatchObject({
    code: 'SQ015',
  });
  await a.query(`insert into last_length (g) values ('a'), ('abc'), ('a')`);
  await expectExact(database);
});

test('numeric groups: 1.0 and 1.00 are one', async () => {
  await database.execute(`
    create table by_numeric (id bigserial, g numeric, number bigint);
    select seqctl.create_series('by_numeric', reset => 'never');
    select seqctl.attach('by_numeric', 'by_numeric', group_columns => '{g}');
    insert into by_numeric (g) values (1.0), (1.00), (1), (10), (1e1), (-0.0), (0), ('NaN'), ('NaN'), (100), (1e2)`);
  await expectExact(database);
  expect(
    await database.rows(
      `select group_key, last_number::int as n from seqctl.counters where series = 'by_numeric' order by 1`,
    ),
  ).toEqual(
    [
      ['0', 2],
      ['1', 3],
      ['10', 2],
      ['100', 2],
      ['NaN', 2],
    ].map(([group_key, n]) => ({ group_key, n })),
  );
});

test('character(n) groups: padding does not count', async () => {
  await database.execute(`
    create table by_bpchar (id bigserial, g char(5), number bigint);
    select seqctl.create_series('by_bpchar', reset => 'never');
    select seqctl.attach('by_bpchar', 'by_bpchar', group_columns => '{g}');
    insert into by_bpchar (g) values ('a'), ('a   '), (''), ('  '), (' a'), ('abcde'), ('a')`);
  await expectExact(database);
  expect((await database.rows(`select from seqctl.counters where series = 'by_bpchar'`)).length).toBe(4);
});

test('explicit numbers: the next one is accepted, others are refused', async () => {
  const t = await makeInvoices(database, 'explicit');
  const a = await database.session('A');
  await a.query(`insert into ${t} (number) values (1)`);
  await a.query(`insert into ${t} (number) values (2), (3), (4)`);
  await a.query(`insert into ${t} (number) values (5), (null), (7), (null)`);
  for (const numbers of [
    '(1)',
    '(8)',
    '(10)',
    '(0)',
    '(-1)',
    '(9), (9)',
    '(9), (11)',
    '(10), (9)',
    '(9), (10), (8)',
    '(null), (9)',
    '(9223372036854775807)',
  ]) {
    await expect(a.query(`insert into ${t} (number) values ${numbers}`), numbers).rejects.toMatchObject({
      code: 'SQ012',
    });
  }
  await a.query('begin');
  await a.query(`insert into ${t} (number) values (9)`);
  await a.query('savepoint s');
  await expect(a.query(`insert into ${t} (number) values (9)`)).rejects.toMatchObject({ code: 'SQ012' });
  await a.query('rollback to s');
  await a.query(`insert into ${t} (number) values (10)`);
  await a.query('commit');
  await a.query(
    `insert into ${t} (external, number) values ('x', 11), ('x', 12), ('y', 12) on conflict do nothing`,
  );
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5 6 7 8 9 10 11 12' });
});

test('explicit document numbers', async () => {
  const t = await makeInvoices(database, 'explicit_text');
  const a = await database.session('A');
  await a.query(`insert into ${t} (document_number) values ('acme-2026-001'), ('acme-2026-002'), (null)`);
  await a.query(
    `insert into ${t} (number, document_number) values (4, 'acme-2026-004'), (null, 'acme-2026-005'), (6, null)`,
  );
  for (const value of ['acme-2026-006', 'acme-2026-7', '', 'x', 'acme-2026-008']) {
    await expect(a.query(`insert into ${t} (document_number) values ($1)`, [value])).rejects.toMatchObject({
      code: 'SQ012',
    });
    await expect(
      a.query(`insert into ${t} (document_number) values (null), ($1)`, [`${value}!`]),
    ).rejects.toMatchObject({ code: 'SQ012' });
  }
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5 6' });
});

test('a format with {random:8} is stored as returned', async () => {
  await database.execute(`
    create table randoms (id bigserial, number bigint, doc varchar);
    select seqctl.create_series('randoms', reset => 'never', format => '{number}-{random:8}')`);
  await database.rows(`select seqctl.attach('randoms', 'randoms', document_number_column => 'doc')`);
  const a = await database.session('A');
  const returned = await a.rows<Issued>(
    `insert into randoms select from generate_series(1, 20) returning doc`,
  );
  expect(await a.rows(`select doc from randoms order by id`)).toEqual(returned);
  expect(new Set(returned.map((row) => row.doc.split('-')[1])).size).toBe(20);
  expect(returned.every((row, n) => new RegExp(`^${n + 1}-[0-9A-F]{8}$`).test(row.doc))).toBe(true);
  // Its document numbers cannot be worked out again.
  await database.execute(`drop table randoms`);
});

test('detach and attach again goes on', async () => {
  const t = await makeInvoices(database, 'again');
  await database.execute(`insert into ${t} (company) values ('acme'), ('acme'), ('b')`);
  await database.rows(`select seqctl.detach('${t}', 'number')`);
  await database.rows(
    `select seqctl.attach('${t}', '${t}', date_column => 'issued_on', group_columns => '{company}', document_number_column => 'document_number')`,
  );
  await database.execute(`insert into ${t} (company) values ('acme'), ('c'), ('b')`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3', 'b 2026': '1 2', 'c 2026': '1' });
});
