import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { isolationLevels } from '../support/drafts.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { waitUntilBlocked } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

const march = `group_key => 'acme', on_date => '2026-03-09'`;

/** A call of void() as SQL, for the counter of acme in 2026. */
function voidCall(
  series: string,
  from: number | string,
  to: number | string = 'null',
  reason = 'lost',
): string {
  return `select * from seqctl.void('${series}', ${march}, from_number => ${from}, to_number => ${to}, reason => '${reason}')`;
}

/** `4-5 reason` of each entry, in order. */
async function register(series: string): Promise<string[]> {
  const rows = await database.rows<{ line: string }>(
    `select concat(from_number, '-', to_number, ' ', reason) as line from seqctl.voids where series = $1
     order by group_key, period_start, from_number`,
    [series],
  );
  return rows.map(({ line }) => line);
}

async function makeNumbered(name: string, rows = 9, options = {}): Promise<string> {
  const t = await makeInvoices(database, name, options);
  await database.rows(`insert into ${t} select from generate_series(1, $1)`, [rows]);
  return t;
}

test('a number and a range, missing or issued: who, when and why; the number is not given again', async () => {
  const t = await makeNumbered('voided', 9, { protect: false });
  await database.execute(`delete from ${t} where number in (4, 5, 9)`);
  expect(await database.rows(voidCall(t, 4, 5, 'printer ate them'))).toEqual([
    { period: '2026', numbers: '2' },
  ]);
  expect(await database.rows(voidCall(t, 7))).toEqual([{ period: '2026', numbers: '1' }]);
  expect(await database.rows(voidCall(t, 9, 9))).toEqual([{ period: '2026', numbers: '1' }]);
  expect(
    await database.rows(`select * from seqctl.voids where series = '${t}' order by from_number limit 1`),
  ).toEqual([
    {
      series: t,
      group_key: 'acme',
      period: '2026',
      from_number: '4',
      to_number: '5',
      kind: 'void',
      reason: 'printer ate them',
      recorded_at: expect.any(Date) as Date,
      recorded_by: 'postgres',
      period_start: expect.any(Date) as Date,
    },
  ]);
  await database.execute(`insert into ${t} default values`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 6 7 8 10' });
  await database.execute(`drop table ${t}`);
});

test('groups, periods, a first number of 0, and a series that never resets', async () => {
  const t = await makeInvoices(database, 'void_groups', { series: `first_number => 0` });
  await database.execute(`
    insert into ${t} (company, issued_on) values ('a', '2025-01-01'), ('a', '2026-01-01'), ('b', '2026-01-01');
    select seqctl.create_series('void_never', reset => 'never', format => '{year}/{number}');
    select seqctl.next_number('void_never', on_date => '2026-01-01')`);
  const call = `select * from seqctl.void('${t}', $1, $2, 0, reason => 'x')`;
  for (const [group, date] of [
    ['a', '2025-12-31'],
    ['a', '2026-12-31'],
    ['b', '2026-06-06'],
  ])
    await database.rows(call, [group, date]);
  await expect(database.rows(call, ['b', '2025-06-06'])).rejects.toMatchObject({
    code: 'SQ027',
    message: `number 0 of period 2025 of series '${t}', group 'b': none was given yet`,
  });
  expect(
    await database.rows(`select * from seqctl.void('void_never', from_number => 1, reason => 'x')`),
  ).toEqual([{ period: '', numbers: '1' }]);
  expect(
    await database.rows(
      `select concat(series, group_key, period) as k, period_start is null as never from seqctl.voids where series like 'void\\_%' order by 1`,
    ),
  ).toEqual([
    { k: 'void_groupsa2025', never: false },
    { k: 'void_groupsa2026', never: false },
    { k: 'void_groupsb2026', never: false },
    { k: 'void_never', never: true },
  ]);
});

test('a million numbers are one row', async () => {
  await database.execute(`
    select seqctl.create_series('void_million', reset => 'never');
    select seqctl.next_number('void_million');
    update seqctl.counter c set last_number = 1000000 from seqctl.series s where s.id = c.series_id and s.name = 'void_million'`);
  expect(
    await database.rows(
      `select * from seqctl.void('void_million', from_number => 1, to_number => 1000000, reason => 'test load')`,
    ),
  ).toEqual([{ period: '', numbers: '1000000' }]);
  expect(await register('void_million')).toEqual(['1-1000000 test load']);
});

test('a closed period', async () => {
  const t = await makeNumbered('void_closed', 3);
  await database.execute(`select seqctl.close_period('${t}', '2026-01-01')`);
  await database.execute(voidCall(t, 2));
  await expect(database.execute(`insert into ${t} default values`)).rejects.toMatchObject({ code: 'SQ020' });
  expect(await register(t)).toEqual(['2-2 lost']);
});

const refusals: Record<string, [arguments_: string, code: string, message: RegExp]> = {
  'no reason': ['from_number => 2', 'SQ024', /needs a reason/],
  'an empty reason': [`from_number => 2, reason => ''`, 'SQ024', /needs a reason/],
  'a blank reason': [`from_number => 2, reason => E' \\t\\n'`, 'SQ024', /needs a reason/],
  'no number': [`reason => 'x'`, 'SQ027', /from_number is NULL/],
  'no first number': [`to_number => 2, reason => 'x'`, 'SQ027', /from_number is NULL/],
  'from > to': [
    `from_number => 3, to_number => 2, reason => 'x'`,
    'SQ027',
    /^3 to 2 is no range of numbers$/,
  ],
  negative: [
    `from_number => -1, reason => 'x'`,
    'SQ027',
    /^number -1: the first number of series 'void_refused' is 1$/,
  ],
  'a range from a negative number': [
    `from_number => -5, to_number => 2, reason => 'x'`,
    'SQ027',
    /^numbers -5 to 2: /,
  ],
  zero: [`from_number => 0, reason => 'x'`, 'SQ027', /the first number/],
  'not yet given': [
    `from_number => 10, reason => 'x'`,
    'SQ027',
    /^number 10 of period 2026 of series 'void_refused', group 'acme': the last that was given is 9$/,
  ],
  'partly not yet given': [
    `from_number => 8, to_number => 10, reason => 'x'`,
    'SQ027',
    /^numbers 8 to 10 of .*: the last/,
  ],
  'the largest there is': [
    `from_number => 9223372036854775807, reason => 'x'`,
    'SQ027',
    /the last that was given is 9/,
  ],
  'an unknown series': [`series => 'none', from_number => 1, reason => 'x'`, 'SQ001', /does not exist/],
  'an unknown group': [
    `group_key => 'x', from_number => 1, reason => 'x'`,
    'SQ027',
    /group 'x': none was given yet/,
  ],
  'a group that is NULL': [`group_key => null, from_number => 1, reason => 'x'`, 'SQ010', /group is NULL/],
  'no date': [`on_date => null, from_number => 1, reason => 'x'`, 'SQ011', /date is NULL/],
  'another period': [
    `on_date => '2024-01-01', from_number => 1, reason => 'x'`,
    'SQ027',
    /none was given yet/,
  ],
  'a number before an entry and in it': [
    `from_number => 4, to_number => 5, reason => 'x'`,
    'SQ028',
    /5 to 7 are in the register already/,
  ],
  'a number in it': [`from_number => 6, reason => 'x'`, 'SQ028', /^number 6 of .*: 5 to 7 are in/],
  'the end of it and more': [`from_number => 7, to_number => 9, reason => 'x'`, 'SQ028', /5 to 7 are in/],
  'more than all of it': [`from_number => 1, to_number => 9, reason => 'x'`, 'SQ028', /5 to 7 are in/],
  'the same again': [`from_number => 5, to_number => 7, reason => 'x'`, 'SQ028', /5 to 7 are in/],
};

test('what is refused, with SQLSTATE and the next step; nothing is recorded', async () => {
  const t = await makeNumbered('void_refused');
  await database.execute(voidCall(t, 5, 7, 'first'));
  const defaults = { series: `'${t}'`, group_key: `'acme'`, on_date: `'2026-03-09'` };
  for (const [what, [given, code, message]] of Object.entries(refusals)) {
    const missing = Object.entries(defaults).filter(([name]) => !given.includes(`${name} =>`));
    const call = [...missing.map(([name, value]) => `${name} => ${value}`), given].join(', ');
    await expect(database.rows(`select seqctl.void(${call})`), what).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(/\w{3}/) as string,
    });
  }
  await expect(database.rows(voidCall(t, 6))).rejects.toMatchObject({
    detail: expect.stringMatching(/^Recorded by postgres on 20\d\d-.* UTC: first$/) as string,
  });
  expect(await register(t)).toEqual(['5-7 first']);
  // What is next to it is free.
  await database.execute(voidCall(t, 4));
  await database.execute(voidCall(t, 8, 9));
});

test.each(['update', 'delete', 'truncate', 'merge'])('the register is append-only: %s', async (how) => {
  const t = await makeNumbered(`void_fixed_${how}`, 3);
  await database.execute(voidCall(t, 2));
  const attempts: Record<string, string[]> = {
    update: [
      `update seqctl.voided_range set reason = 'x'`,
      'update seqctl.voided_range set reason = reason where false',
      `insert into seqctl.voided_range select * from seqctl.voided_range on conflict (series_id, group_key, period, from_number) do update set reason = 'x'`,
    ],
    delete: ['delete from seqctl.voided_range', 'delete from seqctl.voided_range where false'],
    truncate: ['truncate seqctl.voided_range', 'truncate seqctl.series cascade'],
    merge: ['merge into seqctl.voided_range r using (select 1) x on true when matched then delete'],
  };
  const session = await database.session('owner');
  for (const role of ['origin', 'replica']) {
    await session.query(`set session_replication_role = ${role}`);
    for (const attempt of attempts[how] ?? []) {
      await expect(session.query(attempt), attempt).rejects.toMatchObject({
        code: expect.stringMatching(/SQ029|428C9/) as string,
        hint: expect.any(String) as string,
      });
    }
  }
  expect(await register(t)).toEqual(['2-2 lost']);
});

test('rights: read may look, admin may void, nobody may write the register', async () => {
  const t = await makeNumbered('void_rights', 3);
  for (const [level, mayRead, mayVoid] of [
    ['none', false, false],
    ['read', true, false],
    ['issue', true, false],
    ['admin', true, true],
  ] as const) {
    const role = await makeRole(`void_${level}`);
    if (level !== 'none') await database.execute(`select seqctl.grant_access('${role.name}', '${level}')`);
    const session = await database.session(level, database.urlAs(role.name, role.password));
    const attempt = (sql: string, may: boolean): Promise<void> =>
      may
        ? session.query(sql).then(() => undefined)
        : expect(session.query(sql), `${level}: ${sql}`).rejects.toMatchObject({ code: '42501' });
    await attempt(voidCall(t, 2, 'null', level), mayVoid);
    await attempt('select * from seqctl.voids', mayRead);
    await attempt(`select seqctl.void_reason('${t}', 'acme', '2026-01-01', 2)`, mayRead);
    for (const write of [
      `insert into seqctl.voided_range (series_id, group_key, period, from_number, to_number, reason) values (1, 'x', '2026-01-01', 1, 1, 'x')`,
      `update seqctl.voided_range set reason = 'x'`,
      'delete from seqctl.voided_range',
      'truncate seqctl.voided_range',
    ])
      await attempt(write, false);
    if (mayVoid) {
      expect(await database.rows(`select recorded_by from seqctl.voids where series = '${t}'`)).toEqual([
        { recorded_by: role.name },
      ]);
      // Who acts for another is named, not whom it acts for.
      await session.query('reset role');
    }
  }
});

test.each(isolationLevels)(
  'two sessions that name the same number: the second is refused, %s',
  async (level) => {
    const t = await makeNumbered(`void_race_${level.replace(' ', '_')}`);
    const a = await database.session('A');
    const b = await database.session('B');
    await a.query('begin');
    await b.query(`begin isolation level ${level}`);
    await b.query('select from seqctl.counter');
    await a.query(voidCall(t, 2, 4, 'a'));
    const second = b.start(voidCall(t, 4, 6, 'b'));
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await expect(second.result).rejects.toMatchObject({
      code: level === 'read committed' ? 'SQ028' : '40001',
    });
    await b.query('rollback');
    // The first one in an older snapshot, the other way round.
    await a.query('begin isolation level repeatable read');
    await a.query('select from seqctl.counter');
    await b.query(voidCall(t, 8));
    await expect(a.query(voidCall(t, 8))).rejects.toMatchObject({ code: '40001' });
    await a.query('rollback');
    expect(await register(t)).toEqual(['2-4 a', '8-8 lost']);
  },
);

test('a number that is being given is waited for: it can be void only when it was committed', async () => {
  const t = await makeNumbered('void_waits', 2);
  for (const end of ['rollback', 'commit']) {
    const a = await database.session(`A ${end}`);
    const b = await database.session(`B ${end}`);
    await a.query('begin');
    await a.query(`insert into ${t} default values`);
    const voiding = b.start(voidCall(t, 3));
    await waitUntilBlocked(b, a);
    await a.query(end);
    if (end === 'commit') await voiding.result;
    else await expect(voiding.result).rejects.toMatchObject({ code: 'SQ027' });
  }
  expect(await register(t)).toEqual(['3-3 lost']);
  await expectExact(database);
});

test.each(isolationLevels)('within a transaction that numbers rows, before and after: %s', async (level) => {
  const t = await makeNumbered(`void_within_${level.replace(' ', '_')}`, 2);
  await database.execute(`select seqctl.create_series('${t}_api')`);
  const a = await database.session('A');
  const next = `select seqctl.next_number('${t}_api', 'acme', '2026-03-09')`;
  const insert = (rows: number): string => `insert into ${t} select from generate_series(1, ${rows})`;
  await a.query(`begin isolation level ${level}`);
  await a.query(insert(1));
  await a.query(next);
  await a.query(voidCall(t, 3));
  await a.query(voidCall(`${t}_api`, 1));
  await a.query(insert(1));
  await a.query(insert(50));
  await a.query(next);
  await a.query('savepoint s');
  await a.query(insert(1));
  await a.query(voidCall(t, 55));
  await a.query('rollback to s');
  await expect(a.query(voidCall(t, 55))).rejects.toMatchObject({ code: 'SQ027' });
  await a.query('rollback to s');
  await a.query(insert(1));
  await a.query('commit');
  expect(await register(t)).toEqual(['3-3 lost']);
  expect(await database.rows(`select last_number from seqctl.counters where series = '${t}_api'`)).toEqual([
    { last_number: '2' },
  ]);
  await expectExact(database);
});

test('a trigger that voids a number in the middle of a statement', async () => {
  const t = await makeNumbered('void_by_trigger', 1);
  await database.execute(`
    create function void_it() returns trigger language plpgsql as $$ begin
      perform seqctl.void('${t}', new.company, new.issued_on, 1, reason => 'replaced');
      return new;
    end $$;
    create trigger z after insert on ${t} for each row when (new.note = 'replaces') execute function void_it();
    insert into ${t} (note) values (null), ('replaces'), (null)`);
  expect(await register(t)).toEqual(['1-1 replaced']);
  await expectExact(database);
});

test('void_reason: the state of a row, in a query and joined in a view', async () => {
  const t = await makeNumbered('void_state', 4);
  await database.execute(voidCall(t, 2, 3, 'wrong customer'));
  await database.execute(`insert into ${t} (company) values ('b')`);
  const state = `select company, number::int, seqctl.void_reason('${t}', company, issued_on, number) as reason from ${t} order by company, number`;
  const expected = [
    { company: 'acme', number: 1, reason: null },
    { company: 'acme', number: 2, reason: 'wrong customer' },
    { company: 'acme', number: 3, reason: 'wrong customer' },
    { company: 'acme', number: 4, reason: null },
    { company: 'b', number: 1, reason: null },
  ];
  expect(await database.rows(state)).toEqual(expected);
  expect(
    await database.rows(`
      select i.company, i.number::int, v.reason
      from ${t} i
      left join seqctl.voids v on v.series = '${t}' and v.group_key = i.company
        and v.period_start = date_trunc('year', i.issued_on) and i.number between v.from_number and v.to_number
      order by 1, 2`),
  ).toEqual(expected);
  // A draft has no number yet.
  expect(await database.rows(`select seqctl.void_reason('${t}', null, null, null) as reason`)).toEqual([
    { reason: null },
  ]);
  await expect(database.rows(`select seqctl.void_reason('none', '', null, 1)`)).rejects.toMatchObject({
    code: 'SQ001',
  });
});

test('a series with entries in the register is not dropped', async () => {
  await makeNumbered('void_kept', 2);
  await database.execute(`${voidCall('void_kept', 1)}; select seqctl.detach('void_kept', 'number')`);
  await expect(database.rows(`select seqctl.drop_series('void_kept')`)).rejects.toMatchObject({
    code: 'SQ004',
  });
});
