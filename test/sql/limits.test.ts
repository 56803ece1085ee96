import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

interface NearRow extends Record<string, unknown> {
  group_key: string;
  last_number: string;
  last_possible: string;
  reason: string;
}

const near = (series: string): Promise<NearRow[]> =>
  database.rows<NearRow>(
    `select group_key, last_number, last_possible, reason
     from seqctl._near_limit((select id from seqctl.series where name = $1)) order by group_key`,
    [series],
  );

const kinds = {
  max_number: { series: `max_number => 12`, column: 'bigint', code: 'SQ014' },
  'an integer column': { series: `first_number => 2147483636`, column: 'integer', code: 'SQ014' },
  max_length: {
    series: `first_number => 988, max_length => 5, format => '{group}-{number}'`,
    column: 'bigint',
    code: 'SQ015',
  },
} as const;

test.each(
  Object.entries(kinds).flatMap(([kind, settings], k) =>
    ['read committed', 'repeatable read', 'serializable'].map(
      (level, l) => [kind, level, `limit_${k}_${l}`, settings] as const,
    ),
  ),
)('%s, %s: refused, and nothing is burnt', async (_kind, level, t, { series, column, code }) => {
  await database.execute(`
    select seqctl.create_series('${t}', reset => 'never', ${series});
    create table ${t} (id bigserial primary key, g text default 'g', number ${column}, doc text);
    select seqctl.attach('${t}', '${t}', group_columns => '{g}', document_number_column => 'doc')`);
  const a = await database.session('A');
  const refused = async (sql: string): Promise<void> => {
    await a.query(`begin isolation level ${level}`);
    await expect(a.query(sql), sql).rejects.toMatchObject({
      code,
      hint: expect.stringMatching(/\w{3}/) as string,
    });
    await a.query('rollback');
  };
  const many = (count: number): string => `insert into ${t} select from generate_series(1, ${count})`;
  await refused(many(13));
  await a.query(`begin isolation level ${level}`);
  await a.query(many(7));
  await a.query('savepoint s');
  await expect(a.query(many(6))).rejects.toMatchObject({ code });
  await a.query('rollback to s');
  await a.query(`insert into ${t} default values`);
  await a.query('commit');
  await refused(many(5));
  await refused(`insert into ${t} (g) select g from unnest(array['h', 'g', 'g', 'h', 'g', 'g', 'g']) g`);
  await a.query(`begin isolation level ${level}`);
  await a.query(many(4));
  await a.query('commit');
  await refused(`insert into ${t} default values`);
  await refused(many(3));
  await refused(`insert into ${t} (g) values ('h'), ('g')`);
  // Other groups are not concerned.
  await a.query(`insert into ${t} (g) values ('h')`);
  expect(await database.rows(`select g, count(*)::int from ${t} group by g order by g`)).toEqual([
    { g: 'g', count: 12 },
    { g: 'h', count: 1 },
  ]);
  await expectExact(database);
});

test.each(['read committed', 'repeatable read', 'serializable'])(
  'next_number and allocate at the limit, %s',
  async (level) => {
    const series = `api_end_${level.replace(' ', '_')}`;
    await database.rows(
      `select seqctl.create_series('${series}', reset => 'never', max_number => 99, max_length => 4, format => '#{number}{group}')`,
    );
    const a = await database.session('A');
    const refused = async (call: string, code: string): Promise<void> => {
      await a.query(`begin isolation level ${level}`);
      await expect(a.query(`select seqctl.${call}`)).rejects.toMatchObject({ code });
      await a.query('rollback');
    };
    await refused(`allocate('${series}', how_many => 100)`, 'SQ014');
    await refused(`allocate('${series}', 'xx', how_many => 10)`, 'SQ015');
    await a.query(`select seqctl.allocate('${series}', 'xx', how_many => 9)`);
    await refused(`allocate('${series}', 'xx')`, 'SQ015');
    await refused(`peek('${series}', 'xx')`, 'SQ015');
    await a.query(`select seqctl.allocate('${series}', how_many => 98)`);
    await refused(`allocate('${series}', how_many => 2)`, 'SQ014');
    expect(await a.value(`select seqctl.next_number('${series}')`)).toBe('99');
    await refused(`next_number('${series}')`, 'SQ014');
    await refused(`allocate('${series}')`, 'SQ014');
  },
);

test('near the limit: from 90 % used, by what limits first', async () => {
  await database.execute(`
    select seqctl.create_series('near_max', reset => 'never', max_number => 100);
    select seqctl.create_series('near_none', reset => 'never');
    select seqctl.create_series('near_length', reset => 'never', max_length => 5, format => '{group}-{number:2}');
    select seqctl.create_series('near_both', reset => 'never', max_length => 3, max_number => 50);
    select seqctl.create_series('near_zero', reset => 'never', first_number => 0, max_number => 0);
    select seqctl.create_series('near_int', reset => 'never', first_number => 2147483638, max_number => 3000000000);
    create table near_int (number integer);
    select seqctl.attach('near_int', 'near_int')`);
  expect(await near('near_max')).toEqual([]);
  const take = (series: string, count: number, group = ''): Promise<unknown> =>
    database.rows(`select count(*) from seqctl.allocate($1, $2, how_many => $3)`, [series, group, count]);

  await take('near_max', 89);
  expect(await near('near_max')).toEqual([]);
  await take('near_max', 1);
  expect(await near('near_max')).toEqual([
    { group_key: '', last_number: '90', last_possible: '100', reason: 'max_number' },
  ]);
  await take('near_max', 10);
  expect(await near('near_max')).toMatchObject([{ last_number: '100', last_possible: '100' }]);

  await take('near_none', 100_000);
  expect(await near('near_none')).toEqual([]);

  await take('near_length', 99, 'ab');
  await take('near_length', 890, 'c');
  await take('near_length', 9, 'x');
  expect(await near('near_length')).toEqual([
    { group_key: 'ab', last_number: '99', last_possible: '99', reason: 'max_length' },
  ]);
  await take('near_length', 10, 'c');
  expect((await near('near_length')).map(({ group_key }) => group_key)).toEqual(['ab', 'c']);

  await take('near_both', 45);
  expect(await near('near_both')).toMatchObject([{ last_possible: '50', reason: 'max_number' }]);

  await take('near_zero', 1);
  expect(await near('near_zero')).toMatchObject([{ last_number: '0', last_possible: '0' }]);

  await database.rows(`insert into near_int select from generate_series(1, 8)`);
  expect(await near('near_int')).toEqual([]);
  await database.rows(`insert into near_int default values`);
  expect(await near('near_int')).toEqual([
    { group_key: '', last_number: '2147483646', last_possible: '2147483647', reason: 'integer column' },
  ]);
  // A closed period gives no number anyway.
  await database.rows(`select seqctl.close_period('near_int', null)`);
  expect(await near('near_int')).toEqual([]);
});

test('a date before the first year is refused among rows of that year, too', async () => {
  await database.execute(`
    select seqctl.create_series('early');
    create table early (issued_on date, reference text unique, number bigint);
    select seqctl.attach('early', 'early', date_column => 'issued_on');
    insert into early values ('2026-05-05', 'r1')`);
  await expect(
    database.execute(`
      insert into early values ('0001-05-05', 'r1'), ('0001-06-05', 'r1'), ('0044-03-15 BC', 'r2')
      on conflict (reference) do nothing`),
  ).rejects.toMatchObject({ code: 'SQ011' });
  await database.execute(
    `insert into early values ('0001-01-01', 'r3'), ('0001-12-31', 'r4'), ('9999-12-31', 'r5')`,
  );
  await expectExact(database);
});
