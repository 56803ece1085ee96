import { expect, test } from 'vitest';

import { copyIn } from '../support/copy.js';
import { useDatabase } from '../support/database.js';
import { expectExact, expectStored, type Invoice, makeInvoices, numbersOf } from '../support/numbering.js';

const database = useDatabase();

/** Values that break what joins, quotes or splits texts. */
const oddGroups = [
  '',
  ' ',
  '  ',
  'a',
  'a ',
  ' a',
  'a b',
  `o'hara`,
  '"',
  '""',
  '\\',
  '\\x01',
  '\u0001',
  'a\u0001b',
  '\u0001a\u0001',
  '\u0002',
  '\n',
  'a\nb',
  '\t',
  '|',
  ',',
  '{}',
  '[]',
  '["a"]',
  '{number}',
  '<<group>>',
  '$1',
  '%I',
  ';',
  '--',
  '🧾',
  'é',
  'e\u0301',
  'ß',
  'a\u00A0b',
  '0',
  '1',
  '?',
  'NULL',
  'null',
  '2026-01-01 a',
  '-infinity ',
  '\u007f',
  'x'.repeat(1000),
];

test('multi-row VALUES', async () => {
  const t = await makeInvoices(database, 'multi_values');
  const a = await database.session('A');
  const returned = await a.rows<Invoice>(
    `insert into ${t} (company, issued_on) values
       ('acme', '2026-01-01'), ('globex', '2026-01-01'), ('acme', '2026-12-31'), ('acme', '2027-01-01'), ('globex', '2026-05-05'),
       ('acme', '2026-03-03'), ('globex', '2025-12-31') returning *`,
  );
  expect(returned.map((row) => row.document_number)).toEqual([
    'acme-2026-001',
    'globex-2026-001',
    'acme-2026-002',
    'acme-2027-001',
    'globex-2026-002',
    'acme-2026-003',
    'globex-2025-001',
  ]);
  await expectStored(database, t, returned);
  await expectExact(database);
});

test('INSERT … SELECT, 10,000 rows of one group', async () => {
  const t = await makeInvoices(database, 'select_one_group');
  const a = await database.session('A');
  const returned = await a.rows<Invoice>(
    `insert into ${t} (note) select n from generate_series(1, 10000) n returning *`,
  );
  expect(returned.map((row) => Number(row.number))).toEqual(Array.from({ length: 10_000 }, (_, n) => n + 1));
  await a.query(`insert into ${t} (note) select n from generate_series(1, 100) n`);
  await expectExact(database);
});

test('INSERT … SELECT, 5,000 rows over 300 random groups, three times in one transaction', async () => {
  const t = await makeInvoices(database, 'select_groups');
  const a = await database.session('A');
  await a.query('begin');
  for (let n = 0; n < 3; n += 1) {
    const returned = await a.rows<Invoice>(
      `insert into ${t} (company) select 'c' || (random() * 299)::int from generate_series(1, 5000) returning *`,
    );
    await expectReturnedOnce(returned);
  }
  await a.query('commit');
  await expectExact(database);
});

async function expectReturnedOnce(returned: Invoice[]): Promise<void> {
  const seen = new Set(returned.map((row) => `${row.company} ${row.number}`));
  expect(seen.size).toBe(returned.length);
  return Promise.resolve();
}

test('groups with odd characters, shuffled', async () => {
  const t = await makeInvoices(database, 'odd_groups');
  const a = await database.session('A');
  const shuffled = Array.from({ length: 20 }, (_, n) =>
    oddGroups.map((_g, i) => oddGroups[(i * 7 + n) % oddGroups.length]),
  ).flat();
  for (let n = 0; n < 2; n += 1) {
    const returned = await a.rows<Invoice>(
      `insert into ${t} (company) select g.g from unnest($1::text[]) with ordinality as g (g, at) order by g.at returning *`,
      [shuffled],
    );
    await expectStored(database, t, returned);
    await expectExact(database);
  }
  for (const group of oddGroups) await a.query(`insert into ${t} (company) values ($1)`, [group]);
  await expectExact(database);
  expect((await database.rows(`select from seqctl.counters where series = $1`, [t])).length).toBe(
    oddGroups.length,
  );
});

test.each([-2, -1, 0, 1, 2, 3, 4])(
  'a group that looks like what is remembered of another one (%i)',
  async (base) => {
    const t = await makeInvoices(database, `lookalike_${base < 0 ? 'm' : ''}${Math.abs(base)}`);
    const a = await database.session('A');
    const group = `x\u0001${base}`;
    await a.query(`insert into ${t} (company) values ('x'), ('x'), ('y'), ('x'), ($1), ('x'), ($1)`, [group]);
    await a.query(`insert into ${t} (company) values ('x'), ($1), ('y'), ('x'), ($1)`, [group]);
    await expectExact(database);
  },
);

test('two group columns that would collide if joined', async () => {
  await database.rows(`select seqctl.create_series('pair', format => '{group}/{number}', reset => 'never')`);
  await database.execute(
    `create table pair (id bigint generated always as identity, a text, b text, number bigint, doc text)`,
  );
  await database.rows(
    `select seqctl.attach('pair', 'pair', group_columns => '{a,b}', document_number_column => 'doc')`,
  );
  const a = await database.session('A');
  const values = ['x|y', 'z', 'x', 'y|z', '', '"', '","', '\\', '\u0001', '🧾'];
  await a.query(
    `insert into pair (a, b) select a, b from unnest($1::text[]) a cross join unnest($1::text[]) b cross join generate_series(1, 3)`,
    [values],
  );
  await expectExact(database);
  expect((await database.rows(`select from seqctl.counters where series = 'pair'`)).length).toBe(
    values.length ** 2,
  );
  expect(
    await database.rows(`select distinct doc from pair where a = 'x|y' and b = 'z' and number = 1`),
  ).toEqual([{ doc: '["x|y","z"]/1' }]);
});

test.each(['day', 'group_key', 'period', 'number', 'low', 'row_id', 'v_number', 'i', 'select', 'Größe'])(
  'a number column called %s',
  async (column) => {
    const t = `called_${column.replaceAll(/\W/g, '_')}`;
    const name = `"${column}"`;
    await database.execute(`
      select seqctl.create_series('${t}');
      create table ${t} (company text, issued_on date default '2026-03-09', ${name} bigint);
      select seqctl.attach('${t}', '${t}', number_column => '${column}', date_column => 'issued_on', group_columns => '{company}');
      insert into ${t} (company) values ('a');
      insert into ${t} (company) values ('a'), ('a');
      insert into ${t} (company) values ('b'), ('a'), ('b')`);
    expect(
      await database.rows(
        `select company, array_agg(${name} order by ${name})::text as numbers from ${t} group by 1 order by 1`,
      ),
    ).toEqual([
      { company: 'a', numbers: '{1,2,3,4}' },
      { company: 'b', numbers: '{1,2}' },
    ]);
  },
);

test('COPY FROM STDIN, all in file order', async () => {
  const t = await makeInvoices(database, 'copied');
  const a = await database.session('A');
  const lines = Array.from({ length: 5000 }, (_, n) => `c${n % 7}\t${2024 + (n % 3)}-03-09\t${n}`);
  await copyIn(a, `copy ${t} (company, issued_on, note) from stdin`, lines);
  await copyIn(a, `copy ${t} (company, issued_on, note) from stdin`, lines);
  await expectExact(database);
  const unordered = await database.rows(
    `select from (select number, lag(number) over (partition by company, issued_on order by id) as before from ${t}) x
     where number <> coalesce(before, 0) + 1`,
  );
  expect(unordered).toEqual([]);
});

test('COPY that fails half-way uses no number, COPY … WHERE only those of the rows it takes', async () => {
  const t = await makeInvoices(database, 'copy_fails');
  const a = await database.session('A');
  await expect(
    copyIn(a, `copy ${t} (company, issued_on) from stdin`, ['a\t2026-01-01', 'a\tno date']),
  ).rejects.toThrow();
  await copyIn(a, `copy ${t} (company, note) from stdin where note <> 'skip'`, [
    'a\tx',
    'a\tskip',
    'a\ty',
    'b\tskip',
    'a\tz',
  ]);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'a 2026': '1 2 3' });
});

test('COPY FREEZE and COPY in a transaction with single inserts', async () => {
  const t = await makeInvoices(database, 'copy_mixed', { protect: false });
  const a = await database.session('A');
  await a.query('begin');
  await a.query(`truncate ${t}`);
  await copyIn(a, `copy ${t} (company) from stdin with (freeze)`, ['a', 'b', 'a']);
  await a.query(`insert into ${t} (company) values ('a')`);
  await a.query('savepoint s');
  await copyIn(a, `copy ${t} (company) from stdin`, ['b', 'b']);
  await a.query('rollback to s');
  await copyIn(a, `copy ${t} (company) from stdin`, ['b']);
  await a.query('commit');
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'a 2026': '1 2 3', 'b 2026': '1 2' });
});

test('MERGE inserts and updates', async () => {
  const t = await makeInvoices(database, 'merged');
  const a = await database.session('A');
  await a.query(`insert into ${t} (external) values ('b'), ('d')`);
  await a.query(
    `merge into ${t} t using (select chr(96 + n) as x from generate_series(1, 6) n) s on t.external = s.x
     when matched then update set note = 'matched'
     when not matched and s.x = 'e' then do nothing
     when not matched then insert (external) values (s.x)`,
  );
  await a.query(`insert into ${t} default values`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5 6' });
});

test('updatable view, with and without check option, and an INSTEAD OF trigger', async () => {
  const t = await makeInvoices(database, 'viewed');
  await database.execute(`
    create view viewed_some as select * from ${t} where company = 'acme' with check option;
    create view viewed_instead as select company from ${t};
    create function viewed_insert() returns trigger language plpgsql as
      $$begin insert into ${t} (company) values (new.company), (new.company); return new; end$$;
    create trigger x instead of insert on viewed_instead for each row execute function viewed_insert();`);
  const a = await database.session('A');
  const returned = await a.rows<Invoice>(
    `insert into viewed_some (company) values ('acme'), ('acme') returning *`,
  );
  await expectStored(database, t, returned);
  await expect(
    a.query(`insert into viewed_some (company) values ('acme'), ('globex')`),
  ).rejects.toMatchObject({ code: '44000' });
  await a.query(`insert into viewed_instead values ('acme'), ('globex')`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4', 'globex 2026': '1 2' });
});

test('a rule that makes two inserts of one', async () => {
  const t = await makeInvoices(database, 'ruled');
  await database.execute(`
    create view ruled_view as select company, note from ${t};
    create rule twice as on insert to ruled_view do instead (
      insert into ${t} (company, note) values (new.company, 'first');
      insert into ${t} (company, note) select new.company, 'second' where new.note = 'twice')`);
  const a = await database.session('A');
  await a.query(`insert into ruled_view values ('acme', 'twice'), ('globex', 'twice'), ('acme', 'x')`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3', 'globex 2026': '1 2' });
});

test('a writeable CTE with two inserts into the same table', async () => {
  const t = await makeInvoices(database, 'cte');
  const a = await database.session('A');
  for (let n = 0; n < 2; n += 1) {
    const returned = await a.rows<Invoice>(
      `with one as (insert into ${t} (company) values ('acme'), ('globex'), ('acme') returning *),
         two as (insert into ${t} (company) select company from one where company = 'acme' returning *)
       insert into ${t} (company) select company from two union all select 'globex' returning *`,
    );
    await expectStored(database, t, returned);
  }
  await expectExact(database);
  expect((await numbersOf(database, t))['globex 2026']).toBe('1 2 3 4');
});

test('a CTE that deletes, updates and inserts', async () => {
  const t = await makeInvoices(database, 'cte_mixed');
  await database.execute(`create table cte_other (x text)`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (external) values ('a'), ('b')`);
  await a.query(
    `with u as (update ${t} set note = 'seen' returning *), o as (insert into cte_other select external from u returning *)
     insert into ${t} (company, external) select 'acme', x || '2' from o`,
  );
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4' });
});

test('a row dropped by another BEFORE trigger uses no number', async () => {
  const t = await makeInvoices(database, 'dropped_rows');
  await database.execute(`
    create function drop_some() returns trigger language plpgsql as
      $$begin if new.note like '%drop' then return null; end if; return new; end$$;
    create trigger a_drop before insert on ${t} for each row execute function drop_some();`);
  const a = await database.session('A');
  const returned = await a.rows<Invoice>(
    `insert into ${t} (note) values ('drop'), ('1'), ('drop'), ('drop'), ('2'), ('3'), ('drop') returning *`,
  );
  await expectStored(database, t, returned);
  await a.query(`insert into ${t} (note) values ('drop')`);
  await a.query(`insert into ${t} (note) values ('4')`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4' });
});

test('a row dropped by a BEFORE trigger that runs after seqctl’s', async () => {
  const t = await makeInvoices(database, 'dropped_late');
  await database.execute(`
    create function drop_late() returns trigger language plpgsql as
      $$begin if new.note like '%drop' then return null; end if; return new; end$$;
    create trigger zzzz_drop before insert on ${t} for each row execute function drop_late();`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) values ('drop'), ('1'), ('drop'), ('drop'), ('2'), ('3'), ('drop')`);
  await a.query(`insert into ${t} (note) values ('drop')`);
  await a.query(`insert into ${t} (note) values ('4')`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4' });
});

// What a transaction remembers of a run has other things in the bits from 2^50 on, which is the second of them.
test.each(['999999999999995', '1125899906842620', '9223372036854775700'])(
  'numbers from %s on: one group, many groups, rows that do not land, settled in between',
  async (first) => {
    const t = `large_${first}`;
    await database.execute(`
      select seqctl.create_series('${t}', reset => 'never', first_number => ${first});
      create table ${t} (g text not null, key int unique, number bigint);
      select seqctl.attach('${t}', '${t}', group_columns => '{g}')`);
    const a = await database.session('A');
    await a.query('begin');
    await a.query(`insert into ${t} (g, key) select 'a', i from generate_series(1, 10) i`);
    await a.query(
      `insert into ${t} (g, key) select case i % 3 when 0 then 'a' else 'b' end, i from generate_series(5, 24) i on conflict do nothing`,
    );
    await a.query(
      `insert into ${t} (g, key) values ('b', 1), ('b', 100), ('a', 2), ('a', 101), ('a', 102) on conflict do nothing`,
    );
    await a.query(`insert into ${t} (g, key) values ('a', 103)`);
    await a.query('commit');
    expect(
      await database.rows(
        `select g, array_agg(number - ${first} order by number)::int[] = array_agg(i - 1 order by i)::int[] as exact, count(*)::int
         from (select g, number, row_number() over (partition by g order by key) i from ${t}) x group by g order by g`,
      ),
    ).toEqual([
      { g: 'a', exact: true, count: 18 },
      { g: 'b', exact: true, count: 10 },
    ]);
    await expectExact(database);
  },
);
