import { describe, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

const count = 3000;

interface Options {
  readonly type?: string;
  readonly key?: string;
}

/** A table whose rows know the place at which they were inserted. */
async function make(name: string, { type = 'bigint', key = 'id' }: Options = {}): Promise<void> {
  await database.execute(`
    select seqctl.create_series('${name}', format => 'N-{number:3}', reset => 'never');
    create table ${name} (${key} ${type} primary key, place int, note text, number int, document_number text);
    select seqctl.attach('${name}', '${name}', document_number_column => 'document_number', assign => 'commit')`);
}

/** Rows whose numbers are not in the order in which they were inserted, or whose document numbers are others. */
async function oddRows(table: string, first = 1): Promise<number> {
  const [found] = await database.rows<{ odd: number }>(
    `select count(*)::int as odd from (
       select number, document_number, row_number() over (order by place) + ${first - 1} as expected from ${table} where place is not null
     ) r
     where r.number is distinct from r.expected or r.document_number is distinct from 'N-' || lpad(r.expected::text, greatest(3, length(r.expected::text)), '0')`,
  );
  return found?.odd ?? NaN;
}

/** Inserts the rows in one statement, and tells how often the index of the primary key was searched to number them. */
async function searchesFor(table: string, key: string): Promise<number> {
  const a = await database.session('A');
  await a.query('begin');
  await a.query(`insert into ${table} select ${key}, n from generate_series(1, ${count}) n`);
  const scans = `pg_stat_get_xact_numscans('${table}_pkey'::regclass)::int`;
  const before = await a.rows<{ scans: number }>(`select ${scans} as scans`);
  await a.query('set constraints all immediate');
  const after = await a.rows<{ scans: number }>(`select ${scans} as scans`);
  await a.query('commit');
  return (after[0]?.scans ?? NaN) - (before[0]?.scans ?? NaN);
}

describe('many rows of one statement get their numbers in the order in which they were inserted', () => {
  test.each<[string, string, Options?]>([
    ['one after the other', 'n'],
    ['with gaps', 'n + n / 10'],
    ['every second', '2 * n'],
    ['from 0 on', 'n - 1'],
    ['up to the highest', `9223372036854775807 - ${count} + n`],
    ['integer', '2147483000 - 3000 + n', { type: 'integer' }],
    ['smallint', 'n', { type: 'smallint' }],
    ['of a domain', 'n', { type: 'near_key' }],
    ['in a column whose name needs quotes', 'n', { key: `"100% <<given>> ' \\x01"` }],
  ])('keys %s: the index is read once', async (what, key, options) => {
    const name = `near_${what.replaceAll(/\W/g, '_')}`;
    await database.execute(
      `do $$ begin if to_regtype('near_key') is null then create domain near_key as integer; end if; end $$`,
    );
    await make(name, options);
    expect(await searchesFor(name, key)).toBeLessThan(10);
    expect(await oddRows(name)).toBe(0);
    await expectExact(database);
  });

  test.each<[string, string, Options?]>([
    ['far apart', '1000 * n'],
    ['backwards', '10000 - n'],
    ['shuffled', 'n * 7919 % 10007'],
    ['with one out of order', `case n when ${count} then 0 else n end`],
    ['with two runs that change places', `case when n > ${count / 2} then n else n + ${count} end`],
    ['below 0', 'n - 2000'],
    [
      'at both ends',
      `case n when 1 then -9223372036854775808 when ${count} then 9223372036854775807 else n end`,
    ],
    [
      'at both ends, the other way round',
      `case n when 1 then 9223372036854775807 when 2 then -9223372036854775808 else n end`,
    ],
    ['of text', `lpad(n::text, 10, '0')`, { type: 'text' }],
  ])('keys %s', async (what, key, options) => {
    const name = `far_${what.replaceAll(/\W/g, '_')}`;
    await make(name, options);
    await searchesFor(name, key);
    expect(await oddRows(name)).toBe(0);
    await expectExact(database);
  });
});

test('rows of others between the keys: nobody waits for them, and they keep what they have', async () => {
  await make('between_others');
  const a = await database.session('A');
  const b = await database.session('B');
  await database.execute(
    `insert into between_others (id, note) select 20 * n + 15, 'numbered' from generate_series(0, 99) n`,
  );
  await b.query('begin');
  await b.query(`update between_others set note = 'locked' where id = 215`);
  await b.query(
    `insert into between_others (id, note) select 20 * n + 16, 'waiting' from generate_series(0, 99) n`,
  );
  await a.query(`set lock_timeout = '10s'`);
  expect(await searchesFor('between_others', '20 * (n / 10) + n % 10')).toBeLessThan(10);
  await b.query('commit');
  expect(await oddRows('between_others', 101)).toBe(0);
  expect(
    await database.rows(
      `select note, min(number) as low, max(number) as high, count(*)::int as count
       from between_others where place is null group by note order by note`,
    ),
  ).toEqual([
    { note: 'locked', low: 11, high: 11, count: 1 },
    { note: 'numbered', low: 1, high: 100, count: 99 },
    { note: 'waiting', low: 3101, high: 3200, count: 100 },
  ]);
  await expectExact(database);
});

describe('a trigger of the user’s that changes what seqctl writes into many rows', () => {
  test.each([
    [
      'two numbers change places',
      `if new.number in (10, 11) then new.number := 21 - new.number; new.document_number := 'N-0' || new.number; end if;`,
    ],
    ['a row keeps none', `if new.place = 7 then return null; end if;`],
  ])('%s: refused', async (what, body) => {
    const name = `refused_${what.replaceAll(' ', '_')}`;
    await makeWithTrigger(name, body);
    await expect(searchesFor(name, 'n')).rejects.toMatchObject({ code: 'SQ013' });
    expect(await database.rows(`select from ${name}`)).toEqual([]);
    await expectExact(database);
  });

  test('a row gets another key', async () => {
    await makeWithTrigger('other_key', `if new.place = 7 then new.id := 1000000; end if;`);
    await searchesFor('other_key', 'n');
    expect(await oddRows('other_key')).toBe(0);
    await expectExact(database);
  });

  async function makeWithTrigger(name: string, body: string): Promise<void> {
    await make(name);
    await database.execute(`
      create function ${name}_change() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
      create trigger a_change before update on ${name} for each row execute function ${name}_change()`);
  }
});
