import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, type Invoice, expectStored, makeInvoices, numbersOf } from '../support/numbering.js';

const database = useDatabase();

/** Runs statements one after the other on one connection; those marked with `!` must fail. */
async function run(statements: readonly string[]): Promise<Invoice[]> {
  const session = await database.session('A');
  const returned: Invoice[] = [];
  for (const statement of statements) {
    if (statement.startsWith('!')) await expect(session.query(statement.slice(1))).rejects.toThrow();
    else returned.push(...(await session.rows<Invoice>(statement)));
  }
  return returned;
}

test('a rolled back transaction gives its numbers back', async () => {
  const t = await makeInvoices(database, 'rolled_back');
  await run([
    `insert into ${t} default values`,
    'begin',
    `insert into ${t} (company) values ('acme'), ('acme'), ('globex')`,
    `insert into ${t} (company) values ('globex')`,
    'rollback',
  ]);
  const returned = await run([`insert into ${t} (company) values ('acme'), ('globex') returning *`]);
  await expectStored(database, t, returned);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2', 'globex 2026': '1' });
});

test.each([
  [
    'one row each',
    ['insert 1', 'savepoint s', 'insert 1', 'insert 1', 'rollback to s', 'insert 1', 'insert 1'],
    '1 2 3',
  ],
  ['several rows', ['insert 3', 'savepoint s', 'insert 5', 'rollback to s', 'insert 2'], '1 2 3 4 5'],
  ['first number of the transaction', ['savepoint s', 'insert 2', 'rollback to s', 'insert 1'], '1'],
  [
    'twice to the same one',
    ['savepoint s', 'insert 2', 'rollback to s', 'insert 3', 'rollback to s', 'insert 1'],
    '1',
  ],
  ['released', ['savepoint s', 'insert 2', 'release s', 'insert 1', 'insert 2'], '1 2 3 4 5'],
  [
    'nested: inner one rolled back',
    [
      'insert 1',
      'savepoint a',
      'insert 1',
      'savepoint b',
      'insert 2',
      'rollback to b',
      'insert 1',
      'release a',
      'insert 1',
    ],
    '1 2 3 4',
  ],
  [
    'nested: inner one released, outer one rolled back',
    [
      'insert 1',
      'savepoint a',
      'insert 1',
      'savepoint b',
      'insert 2',
      'release b',
      'rollback to a',
      'insert 2',
    ],
    '1 2 3',
  ],
  [
    'after a failed statement',
    [
      'insert 2',
      'savepoint s',
      `!insert into %t (company) select case n when 4 then null else 'acme' end from generate_series(1, 5) n`,
      'rollback to s',
      'insert 1',
    ],
    '1 2 3',
  ],
  [
    'after ON CONFLICT that did not land',
    [
      `insert into %t (external) values ('x')`,
      'savepoint s',
      `insert into %t (external) values ('x') on conflict do nothing`,
      'rollback to s',
      'insert 1',
      'savepoint r',
      `insert into %t (external) values ('x'), ('y'), ('x') on conflict do nothing`,
      'rollback to r',
      'insert 2',
    ],
    '1 2 3 4',
  ],
  [
    'many at once',
    Array.from({ length: 40 }, (_, n) => [
      `savepoint s${n}`,
      `insert ${(n % 3) + 1}`,
      n % 2 === 0 ? `rollback to s${n}` : `release s${n}`,
    ]).flat(),
    // The released ones: n = 1, 3, 5 …, with 2, 1, 3 rows in turn: 20 of them.
    Array.from({ length: 39 }, (_, n) => n + 1).join(' '),
  ],
] as const)('savepoint, %s', async (_name, steps, expected) => {
  const t = await makeInvoices(
    database,
    `savepoint_${expect.getState().currentTestName?.replaceAll(/\W+/g, '_').slice(-30) ?? ''}`,
  );
  await run([
    'begin',
    ...steps.map((step) =>
      step.startsWith('insert ') && /^insert \d+$/.test(step)
        ? `insert into ${t} (note) select n from generate_series(1, ${step.slice(7)}) n returning *`
        : step.replaceAll('%t', t),
    ),
    'commit',
  ]);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': expected });
});

test('a savepoint with several groups and years', async () => {
  const t = await makeInvoices(database, 'groups_and_years');
  const rows = `select 'c' || n % 4, date '2024-06-01' + (n % 3) * 365 from generate_series(1, 50) n`;
  await run([
    'begin',
    `insert into ${t} (company, issued_on) ${rows}`,
    'savepoint s',
    `insert into ${t} (company, issued_on) ${rows}`,
    'rollback to s',
    `insert into ${t} (company, issued_on) ${rows}`,
    'commit',
  ]);
  await expectExact(database);
  const { n } = (await database.rows<{ n: number }>(`select count(*)::int as n from ${t}`))[0] ?? { n: 0 };
  expect(n).toBe(100);
});

test('a statement that fails uses no number', async () => {
  const t = await makeInvoices(database, 'statement_error');
  await run([
    `insert into ${t} (external) values ('a')`,
    `!insert into ${t} (external) values ('b'), ('c'), ('a')`,
    `!insert into ${t} (company) select (1 / (3 - n))::text from generate_series(1, 5) n`,
    `!insert into ${t} (issued_on) values ('2026-01-01'), (null)`,
    `insert into ${t} (external) values ('d') returning *`,
  ]);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2' });
});

test('an exception block inside a function gives the numbers of its block back', async () => {
  const t = await makeInvoices(database, 'exception_block');
  await database.execute(`
    do $$
    begin
      insert into ${t} default values;
      for n in 1 .. 5 loop
        begin
          insert into ${t} (note) values ('in'), ('in');
          if n % 2 = 0 then raise exception 'no'; end if;
        exception when raise_exception then
          insert into ${t} (note) values ('handler');
        end;
      end loop;
    end $$`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5 6 7 8 9' });
});

test('a rolled back first number of a period leaves no counter', async () => {
  const t = await makeInvoices(database, 'first_rolled_back');
  await run(['begin', `insert into ${t} (company) values ('new')`, 'rollback']);
  expect(await database.rows(`select * from seqctl.counters where series = '${t}'`)).toEqual([]);
});

test('a killed backend gives its numbers back', async () => {
  const t = await makeInvoices(database, 'killed');
  const a = await database.session('A');
  await a.query('begin');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 10) n`);
  await a.kill();
  await database.execute(`insert into ${t} default values`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1' });
});

// The nested row counts as one that landed, so the row after it leaves a hole: whoever takes a number then must not settle that.
test.each([
  ['next_number', '1 2 3 5 6', (series: string) => `seqctl.next_number('${series}')`],
  [
    'allocate',
    '1 2 3 6 7',
    (series: string) => `(select min(number) from seqctl.allocate('${series}', how_many => 2))`,
  ],
  [
    'checkout',
    '1 2 3 5 6',
    (series: string) => `(select number from seqctl.checkout('${series}', 'order 1'))`,
  ],
])('%s among the rows of a statement, after one that was rolled back', async (name, numbers, call) => {
  const t = `among_${name}`;
  await database.execute(`
    select seqctl.create_series('${t}', reset => 'never', on_checkout => 'recycle');
    create table ${t} (id int primary key, note text, number bigint);
    select seqctl.attach('${t}', '${t}');
    create function ${t}_fail() returns trigger language plpgsql as $$
      begin if new.note = 'fail' then raise division_by_zero; end if; return null; end $$;
    create trigger fail after insert on ${t} for each row execute function ${t}_fail();
    create function ${t}_nested() returns text language plpgsql as $$
      begin
        begin insert into ${t} values (99, 'fail'); exception when division_by_zero then null; end;
        return null;
      end $$;
    create function ${t}_take() returns text language plpgsql as $$
      begin return ${call(t)}; end $$`);
  const insert = (nested: string): string => `
    insert into ${t}
    select i, case i when 3 then ${nested} when 4 then ${t}_take() end from generate_series(1, 5) i`;
  await expect(database.rows(insert(`${t}_nested()`))).rejects.toMatchObject({ code: 'SQ013' });
  await database.execute(insert('null'));
  expect(
    await database.rows(`select string_agg(number::text, ' ' order by id) as numbers from ${t}`),
  ).toEqual([{ numbers }]);
});
