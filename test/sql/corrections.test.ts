import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { isolationLevels } from '../support/drafts.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import type { Session } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

const march = `group_key => 'acme', on_date => '2026-03-09'`;

/** A call as SQL, for the counter of acme in 2026. */
const lower = (series: string, to: number | string, reason = 'a test import'): string =>
  `select * from seqctl.lower_counter('${series}', ${march}, last_number => ${to}, reason => '${reason}')`;
const remove = (series: string, reason = 'a test import'): string =>
  `select * from seqctl.remove_counter('${series}', ${march}, reason => '${reason}')`;

/** An unprotected table whose rows 1 … `rows` are there, and its counter at `last`. */
async function makeAhead(name: string, rows: number, last: number, options = {}): Promise<string> {
  const t = await makeInvoices(database, name, { protect: false, ...options });
  await database.rows(`insert into ${t} select from generate_series(1, $1)`, [last]);
  await database.rows(`delete from ${t} where number > $1`, [rows]);
  return t;
}

/** `acme 2026 7` of each counter of a series. */
async function counters(series: string): Promise<string[]> {
  const rows = await database.rows<{ line: string }>(
    `select concat_ws(' ', group_key, period, last_number) as line from seqctl.counters where series = $1
     order by group_key, period`,
    [series],
  );
  return rows.map(({ line }) => line);
}

/** `lowered 9 7 reason` of each record of a series, in order. */
async function records(series: string): Promise<string[]> {
  const rows = await database.rows<{ line: string }>(
    `select concat_ws(' ', kind, from_number, to_number, reason) as line from seqctl.counter_corrections where series = $1`,
    [series],
  );
  return rows.map(({ line }) => line);
}

test('a counter is lowered to what is in use: who, when and why; the numbers are given again', async () => {
  const t = await makeAhead('lowered', 7, 10);
  await database.execute(`insert into ${t} (company) values ('b')`);
  expect(await database.rows(lower(t, 8))).toEqual([{ period: '2026', previous_number: '10' }]);
  expect(await database.rows(lower(t, 7, 'and one more'))).toEqual([
    { period: '2026', previous_number: '8' },
  ]);
  expect(await database.rows(`select * from seqctl.counter_corrections where series = '${t}'`)).toEqual([
    {
      series: t,
      group_key: 'acme',
      period: '2026',
      kind: 'lowered',
      from_number: '10',
      to_number: '8',
      reason: 'a test import',
      recorded_at: expect.any(Date) as Date,
      recorded_by: 'postgres',
      period_start: expect.any(Date) as Date,
    },
    expect.objectContaining({ from_number: '8', to_number: '7', reason: 'and one more' }) as object,
  ]);
  await database.execute(
    `insert into ${t} default values; insert into ${t} (company) values ('b'), ('acme')`,
  );
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5 6 7 8 9', 'b 2026': '1 2' });
  expect(await counters(t)).toEqual(['acme 2026 9', 'b 2026 2']);
  await expectExact(database);
});

test('a counter is removed when nothing uses it, and made anew by the next row', async () => {
  const t = await makeAhead('removed', 0, 2, { series: `first_number => 100` });
  await database.execute(`insert into ${t} (company) values ('b')`);
  expect(await database.rows(remove(t))).toEqual([{ period: '2026', previous_number: '101' }]);
  expect(await counters(t)).toEqual(['b 2026 100']);
  expect(await records(t)).toEqual(['removed 101 a test import']);
  await database.execute(`insert into ${t} default values`);
  expect(await counters(t)).toEqual(['acme 2026 100', 'b 2026 100']);
  await expectExact(database);
});

test('down to none at all; a first number of 0; a series that never resets and has no table', async () => {
  const t = await makeAhead('lowered_none', -1, 3, { series: 'first_number => 0' });
  await database.execute(lower(t, -1));
  expect(await counters(t)).toEqual(['acme 2026 -1']);
  await database.execute(`insert into ${t} default values`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '0' });
  await database.execute(`
    select seqctl.create_series('lowered_never', reset => 'never');
    select seqctl.allocate('lowered_never', how_many => 5)`);
  const a = await database.session('A');
  const notices: string[] = [];
  a.client.on('notice', ({ message }) => notices.push(message ?? ''));
  await a.query(`select seqctl.lower_counter('lowered_never', last_number => 3, reason => 'x')`);
  expect(notices).toEqual([`series 'lowered_never' numbers no attached table`]);
  expect(await a.value(`select seqctl.next_number('lowered_never')`)).toBe('4');
  await a.query(`select seqctl.remove_counter('lowered_never', reason => 'x')`);
  expect(await a.value(`select seqctl.next_number('lowered_never')`)).toBe('1');
});

const uses: Record<string, [setup: (t: string) => string, series: string, reasons: RegExp]> = {
  'a row': [() => '', '', /^A row of public\.use_1 has it\. Nothing was changed\.$/],
  'a row of another table of the series': [
    (t) =>
      `create table ${t}_more (company text, issued_on date, number bigint);
       select seqctl.attach('${t}_more', '${t}', 'number', 'issued_on', '{company}', protect => false);
       delete from ${t} where number = 7;
       set session_replication_role = replica;
       insert into ${t}_more values ('acme', '2026-01-01', 7);
       reset session_replication_role`,
    '',
    /^A row of public\.use_2 or public\.use_2_more has it/,
  ],
  'a draft that has a number': [
    (t) =>
      `create table ${t}_draft (id int primary key, company text, issued_on date, status text, number bigint);
       select seqctl.attach('${t}_draft', '${t}', 'number', 'issued_on', '{company}', issue_when => 'status = ''issued''', protect => false);
       delete from ${t} where number = 7;
       set session_replication_role = replica;
       insert into ${t}_draft values (1, 'acme', '2026-01-01', 'draft', 7);
       reset session_replication_role`,
    '',
    /^A row of public\.use_3 or public\.use_3_draft has it/,
  ],
  'a row and the register': [
    (t) => `select seqctl.void('${t}', ${march}, from_number => 6, to_number => 7, reason => 'x')`,
    '',
    /^A row of public\.use_4 has it, it is void\./,
  ],
  'the register alone': [
    (t) => `delete from ${t} where number > 5;
      select seqctl.void('${t}', ${march}, from_number => 7, reason => 'x')`,
    '',
    /^It is void\. /,
  ],
  'a checkout that was finalized': [
    (t) =>
      `select seqctl.lower_counter('${t}', ${march}, last_number => 7, reason => 'x');
       delete from ${t} where number > 6;
       select seqctl.lower_counter('${t}', ${march}, last_number => 6, reason => 'x');
       select seqctl.checkout('${t}', 'id', ${march}, ttl => '1 hour');
       select seqctl.finalize('${t}', 'id');
       select seqctl.allocate('${t}', ${march}, how_many => 3)`,
    '',
    /^It was checked out, and finalized\. /,
  ],
  'a checkout that is open': [
    (t) =>
      `delete from ${t} where number > 6;
       select seqctl.lower_counter('${t}', ${march}, last_number => 6, reason => 'x');
       select seqctl.checkout('${t}', 'id', ${march}, ttl => '1 hour');
       select seqctl.next_number('${t}', ${march}) from generate_series(1, 3)`,
    `on_checkout => 'recycle'`,
    /^It is checked out\. /,
  ],
  'a number that waits to be given again': [
    (t) =>
      `delete from ${t} where number > 6;
       select seqctl.lower_counter('${t}', ${march}, last_number => 6, reason => 'x');
       select seqctl.checkout('${t}', 'id', ${march}, ttl => '1 hour');
       select seqctl.release('${t}', 'id')`,
    `on_checkout => 'recycle'`,
    /^It was released, and waits to be given again\. /,
  ],
};

test.each(Object.entries(uses).map(([what, use], index) => [what, index + 1, ...use] as const))(
  'refused: the number is in use by %s',
  async (_what, index, setup, series, reasons) => {
    const t = await makeAhead(`use_${index}`, 7, 10, series === '' ? {} : { series });
    await database.execute(setup(t));
    const before = [await counters(t), await records(t)];
    for (const [call, hint] of [
      [lower(t, 5), /^The lowest that will do: .*last_number => 7\)|^No lower number will do/],
      [remove(t), /last_number => 7|^No lower/],
    ] as const) {
      await expect(database.rows(call), call).rejects.toMatchObject({
        code: 'SQ043',
        message: expect.stringMatching(
          /^the counter of period 2026 of series '.*', group 'acme' cannot be (lowered to 5|removed): number 7 is in use$/,
        ) as string,
        detail: expect.stringMatching(reasons) as string,
        hint: expect.stringMatching(hint) as string,
      });
    }
    expect([await counters(t), await records(t)]).toEqual(before);
  },
);

test('an open checkout that stops the counter, even above its last number', async () => {
  const t = await makeAhead('use_open', 7, 10);
  await database.execute(`select seqctl.checkout('${t}', 'id', ${march}, ttl => '1 hour')`);
  await expect(database.rows(lower(t, 9))).rejects.toMatchObject({
    code: 'SQ043',
    detail: 'It is checked out. Nothing was changed.',
    hint: expect.stringMatching(/^No lower number will do/) as string,
  });
  await database.execute(`select seqctl.release('${t}', 'id')`);
  await database.execute(lower(t, 7));
  await database.execute(`insert into ${t} default values`);
  expect(await counters(t)).toEqual(['acme 2026 8']);
});

test('a link of the hash chain is not taken back', async () => {
  const t = await makeAhead('use_chain', 7, 10, { series: `format => '{number}', chain => true` });
  await expect(database.rows(lower(t, 9))).rejects.toMatchObject({
    code: 'SQ043',
    detail: 'The hash chain has a link of it. Nothing was changed.',
    hint: expect.stringMatching(/void/) as string,
  });
});

test('what an adoption recorded', async () => {
  await database.execute(`
    select seqctl.create_series('use_adopted', reset => 'never');
    create table adopted (id int primary key, number bigint, day date);
    insert into adopted values (1, 1, '2026-01-02'), (2, 5, '2026-01-01')`);
  await database.rows(
    `select * from seqctl.adopt('adopted', 'use_adopted', date_column => 'day', chronology => 'enforce', protect => false,
       apply => true, reason => 'old books')`,
  );
  await database.execute('delete from adopted');
  await expect(
    database.rows(`select seqctl.lower_counter('use_adopted', last_number => 4, reason => 'x')`),
  ).rejects.toMatchObject({ detail: /^Dates that run against numbers were accepted up to it/ });
  await database.execute(`
    create table again (number bigint);
    select seqctl.create_series('use_missing', reset => 'never');
    insert into again values (1), (5)`);
  await database.rows(
    `select * from seqctl.adopt('again', 'use_missing', protect => false, apply => true, reason => 'old books')`,
  );
  await database.execute('delete from again');
  await expect(
    database.rows(`select seqctl.lower_counter('use_missing', last_number => 1, reason => 'x')`),
  ).rejects.toMatchObject({
    detail: 'It is recorded as missing since before adoption. Nothing was changed.',
    hint: expect.stringMatching(/last_number => 4/) as string,
  });
});

const refusals: Record<string, [call: string, code: string, message: RegExp]> = {
  'no reason': [
    `lower_counter('wrong', ${march}, last_number => 8)`,
    'SQ024',
    /^lowering a counter needs a reason$/,
  ],
  'a blank reason': [
    `lower_counter('wrong', ${march}, last_number => 8, reason => E' \\n')`,
    'SQ024',
    /needs a reason$/,
  ],
  'removal without a reason': [
    `remove_counter('wrong', ${march}, reason => '')`,
    'SQ024',
    /^removing a counter needs a reason$/,
  ],
  'no number': [`lower_counter('wrong', ${march}, reason => 'x')`, 'SQ043', /^last_number is NULL$/],
  'the same number': [
    `lower_counter('wrong', ${march}, last_number => 9, reason => 'x')`,
    'SQ043',
    /^the counter of period 2026 of series 'wrong', group 'acme' is at 9: 9 is not lower$/,
  ],
  'a higher number': [
    `lower_counter('wrong', ${march}, last_number => 9223372036854775807, reason => 'x')`,
    'SQ043',
    /is at 9: 9223372036854775807 is not lower$/,
  ],
  'below the first': [
    `lower_counter('wrong', ${march}, last_number => -1, reason => 'x')`,
    'SQ043',
    /cannot be lowered to -1: the first number is 1$/,
  ],
  'an unknown series': [`lower_counter('none', last_number => 1, reason => 'x')`, 'SQ001', /does not exist/],
  'an unknown group': [
    `lower_counter('wrong', 'x', '2026-01-01', last_number => 1, reason => 'x')`,
    'SQ043',
    /^period 2026 of series 'wrong', group 'x' has no counter$/,
  ],
  'removal of an unknown one': [
    `remove_counter('wrong', 'acme', '2024-01-01', reason => 'x')`,
    'SQ043',
    /^period 2024 of .* has no counter$/,
  ],
  'no date': [`lower_counter('wrong', 'acme', last_number => 1, reason => 'x')`, 'SQ011', /date is NULL/],
  'a group that is NULL': [
    `lower_counter('wrong', null, '2026-01-01', last_number => 1, reason => 'x')`,
    'SQ010',
    /group is NULL/,
  ],
};

test('what is refused, with SQLSTATE and the next step; nothing is recorded', async () => {
  const t = await makeAhead('wrong', 7, 9);
  for (const [what, [call, code, message]] of Object.entries(refusals)) {
    await expect(database.rows(`select seqctl.${call}`), what).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(/\w{3}/) as string,
    });
  }
  const a = await database.session('A');
  for (const level of isolationLevels.slice(1)) {
    await a.query(`begin isolation level ${level}`);
    await expect(a.query(lower(t, 7))).rejects.toMatchObject({ code: 'SQ025' });
    await a.query('rollback');
  }
  expect(await records(t)).toEqual([]);
  expect(await counters(t)).toEqual(['acme 2026 9']);
});

test('the counter of a closed period stays, and a removed one is made closed where the period is', async () => {
  const t = await makeAhead('corrected_closed', 7, 9);
  await database.execute(`select seqctl.close_period('${t}', '2026-01-01')`);
  for (const call of [lower(t, 7), remove(t)]) {
    await expect(database.rows(call)).rejects.toMatchObject({
      code: 'SQ020',
      message: `period 2026 of series '${t}', group 'acme' is closed, and its counter stays at 9`,
      detail: expect.stringMatching(/^Closed by postgres on 20\d\d-/) as string,
    });
  }
  await database.execute(`select seqctl.reopen_period('${t}', '2026-01-01', 'x'); delete from ${t}`);
  await database.execute(remove(t));
  await database.execute(`select seqctl.close_period('${t}', '2026-01-01')`);
  await expect(database.rows(`insert into ${t} default values`)).rejects.toMatchObject({ code: 'SQ020' });
});

test('chronology: the order goes on from the last row that is there', async () => {
  const t = 'corrected_dates';
  await database.execute(`
    select seqctl.create_series('${t}', reset => 'never');
    create table ${t} (id serial, day date, number bigint);
    select seqctl.attach('${t}', '${t}', date_column => 'day', chronology => 'enforce', protect => false);
    insert into ${t} (day) values ('2026-01-01'), ('2026-02-01'), ('2026-12-31');
    delete from ${t} where number = 3;
    select seqctl.lower_counter('${t}', last_number => 2, reason => 'a wrong year')`);
  await expect(database.rows(`insert into ${t} (day) values ('2026-01-31')`)).rejects.toMatchObject({
    code: 'SQ021',
  });
  await database.execute(`insert into ${t} (day) values ('2026-02-02')`);
  await database.execute(`delete from ${t}; select seqctl.remove_counter('${t}', reason => 'all of it')`);
  await database.execute(`insert into ${t} (day) values ('2025-01-01')`);
  expect(await database.rows(`select day::text, number from ${t}`)).toEqual([
    { day: '2025-01-01', number: '1' },
  ]);
});

test('a group that a table cannot have is in none of its rows', async () => {
  await database.execute(`
    select seqctl.create_series('mistyped');
    select seqctl.next_number('mistyped', 'acme', '2026-03-09');
    create table mistyped (company int, issued_on date, number bigint);
    select seqctl.attach('mistyped', 'mistyped', 'number', 'issued_on', '{company}')`);
  await database.execute(remove('mistyped'));
  expect(await counters('mistyped')).toEqual([]);
});

/** What a transaction does before and after a correction to 7, of a counter at 10 whose rows 8 to 10 are gone; and what it has then. */
const transactions: Record<string, [steps: (t: string) => string[], numbers: string]> = {
  'lower, then INSERT': [(t) => [lower(t, 7), one(t), two(t)], '8 9 10'],
  'INSERT, then lower': [
    (t) => [one(t), `delete from ${t} where number = 11`, lower(t, 7), one(t), two(t)],
    '8 9 10',
  ],
  'many rows, then lower': [
    (t) => [two(t), `delete from ${t} where number > 7`, lower(t, 7), two(t), one(t)],
    '8 9 10',
  ],
  'another counter in between': [
    (t) => [
      one(t),
      `insert into ${t} (company) values ('b')`,
      `delete from ${t} where number = 11`,
      lower(t, 7),
      `insert into ${t} (company) values ('b'), ('acme'), ('b'), ('acme')`,
    ],
    '8 9',
  ],
  'taken by a function': [
    (t) => [`select seqctl.next_number('${t}', ${march})`, lower(t, 7), one(t), two(t)],
    '8 9 10',
  ],
  'rolled back to before': [
    (t) => ['savepoint s', lower(t, 7), one(t), 'rollback to s', one(t), two(t)],
    '11 12 13',
  ],
  'rolled back to after': [
    (t) => [
      one(t),
      `delete from ${t} where number = 11`,
      lower(t, 7),
      'savepoint s',
      two(t),
      'rollback to s',
      one(t),
    ],
    '8',
  ],
  'in a savepoint that is released': [
    (t) => ['savepoint s', lower(t, 7), 'release s', two(t), 'savepoint s', one(t), 'rollback to s', one(t)],
    '8 9 10',
  ],
  twice: [(t) => [lower(t, 9), one(t), `delete from ${t} where number = 10`, lower(t, 7), one(t)], '8'],
  'several rows with a conflict': [
    (t) => [
      lower(t, 7),
      `insert into ${t} (external) values ('x'), ('x'), ('y') on conflict (external) do nothing`,
      two(t),
    ],
    '8 9 10 11',
  ],
};

function one(t: string): string {
  return `insert into ${t} default values`;
}

function two(t: string): string {
  return `insert into ${t} select from generate_series(1, 2)`;
}

test.each(
  Object.entries(transactions).map(
    ([what, [steps, numbers]], index) => [what, index, steps, numbers] as const,
  ),
)('in one transaction, no hole and no duplicate: %s', async (_what, index, steps, numbers) => {
  const t = await makeAhead(`within_${index}`, 7, 10);
  const a = await database.session('A');
  await runAll(a, ['begin', ...steps(t), 'commit']);
  expect(
    await a.value(
      `select string_agg(number::text, ' ' order by number) from ${t} where company = 'acme' and number > 7`,
    ),
  ).toBe(numbers);
  await database.execute(`insert into ${t} default values`);
  expect(
    await database.rows(`select number from ${t} where company = 'acme' group by 1 having count(*) > 1`),
  ).toEqual([]);
  const [row] = await database.rows<{ right: boolean }>(
    `select c.last_number = max(i.number) as right from ${t} i, seqctl.counters c
     where c.series = '${t}' and c.group_key = 'acme' and i.company = 'acme' group by c.last_number`,
  );
  expect(row).toEqual({ right: true });
});

async function runAll(session: Session, steps: readonly string[]): Promise<void> {
  for (const step of steps) await session.query(step);
}

test('in one transaction: removed, and its rows come again', async () => {
  const t = await makeAhead('within_removed', 0, 3);
  const a = await database.session('A');
  await runAll(a, ['begin', two(t), `delete from ${t}`, remove(t), one(t), two(t)]);
  await runAll(a, ['savepoint s', `delete from ${t}`, remove(t), two(t), 'rollback to s', one(t), 'commit']);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4' });
  expect(await counters(t)).toEqual(['acme 2026 4']);
  expect(await records(t)).toEqual(['removed 5 a test import']);
});

test.each(['commit', 'manual'])(
  'rows that wait for their number get the lowered ones: assign => %s',
  async (assign) => {
    const t = `waiting_${assign}`;
    await database.execute(`
    select seqctl.create_series('${t}');
    create table ${t} (id int generated always as identity primary key, company text default 'acme',
      issued_on date default '2026-03-09', number bigint);
    select seqctl.attach('${t}', '${t}', 'number', 'issued_on', '{company}', assign => '${assign}', protect => false);
    select seqctl.allocate('${t}', ${march}, how_many => 5)`);
    const number = assign === 'manual' ? [`select seqctl.number_pending('${t}', 'number')`] : [];
    const a = await database.session('A');
    await runAll(a, ['begin', two(t), lower(t, 2), one(t), ...number, 'commit']);
    expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '3 4 5' });
    // Numbered and gone again, in the transaction that lowers.
    const now =
      assign === 'manual' ? number : ['set constraints all immediate', 'set constraints all deferred'];
    await runAll(a, [
      'begin',
      one(t),
      ...now,
      `delete from ${t} where number = 6`,
      one(t),
      lower(t, 5),
      one(t),
      ...number,
      'commit',
    ]);
    expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '3 4 5 6 7' });
    expect(await counters(t)).toEqual(['acme 2026 7']);
  },
);

test('in the middle of a statement, a row that has landed counts', async () => {
  const t = await makeAhead('midway', 2, 5);
  await database.execute(`
    create function ${t}_lower() returns trigger language plpgsql as
      $$begin
        perform seqctl.lower_counter('${t}', 'acme', '2026-03-09', new.note::bigint, 'midway');
        return new;
      end$$;
    create trigger zzzz_lower before insert on ${t} for each row when (new.note is not null) execute function ${t}_lower()`);
  // The row has its number by then, and would leave a hole.
  await expect(database.rows(`insert into ${t} (note) values (2)`)).rejects.toMatchObject({ code: 'SQ013' });
  // The first row, number 6, has landed when the second one lowers.
  await expect(database.rows(`insert into ${t} (note) values (null), (5)`)).rejects.toMatchObject({
    code: 'SQ043',
  });
  expect(await records(t)).toEqual([]);
  await database.execute(`insert into ${t} default values`);
  expect(await counters(t)).toEqual(['acme 2026 6']);
});

test('the record is append-only, for the owner and a superuser', async () => {
  const t = await makeAhead('corrected_fixed', 7, 9);
  await database.execute(lower(t, 8));
  const a = await database.session('owner');
  for (const role of ['origin', 'replica']) {
    await a.query(`set session_replication_role = ${role}`);
    for (const attempt of [
      `update seqctl.counter_correction set reason = 'x'`,
      'update seqctl.counter_correction set reason = reason where false',
      'delete from seqctl.counter_correction',
      'truncate seqctl.counter_correction',
    ]) {
      await expect(a.query(attempt), attempt).rejects.toMatchObject({
        code: 'SQ043',
        message: expect.stringMatching(
          /^(UPDATE|DELETE|TRUNCATE) of the record of corrected counters is refused$/,
        ) as string,
        hint: expect.any(String) as string,
      });
    }
  }
  expect(await records(t)).toEqual(['lowered 9 8 a test import']);
});

test('a counter is not deleted by hand, nor put back lower or open', async () => {
  const t = await makeAhead('by_hand', 2, 2);
  const own = `series_id = (select id from seqctl.series where name = '${t}')`;
  const putBack = (last: string, closed = 'o.closed'): string =>
    `with old as (delete from seqctl.counter where ${own} returning *)
     insert into seqctl.counter (series_id, group_key, period, last_number, closed)
     select o.series_id, o.group_key, o.period, ${last}, ${closed} from old o`;
  const a = await database.session('owner');
  for (const [attempt, message] of [
    [
      `delete from seqctl.counter where ${own}`,
      `DELETE of the counter of period 2026 of series '${t}', group 'acme' is refused`,
    ],
    [putBack('o.last_number - 1'), /is refused$/],
    [putBack('o.last_number', 'not o.closed'), /is refused$/],
    ['truncate seqctl.counter', 'TRUNCATE of the counters is refused'],
    // Recorded as removed, but in another transaction.
    [`delete from seqctl.counter where ${own}`, /is refused$/],
  ] as const) {
    await expect(a.query(attempt), attempt).rejects.toMatchObject({
      code: 'SQ043',
      message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
      hint: expect.stringMatching(/remove_counter/) as string,
    });
  }
  await a.query(`delete from ${t}`);
  await a.query(remove(t));
  await a.query(`insert into ${t} default values`);
  await expect(a.query(`delete from seqctl.counter where ${own}`)).rejects.toMatchObject({ code: 'SQ043' });
  expect(await counters(t)).toEqual(['acme 2026 1']);
  await a.query(putBack('o.last_number'));
  expect(await counters(t)).toEqual(['acme 2026 1']);
});

test('seqctl goes its own ways: a series that was never used is dropped, one with a record is kept', async () => {
  await database.execute(`
    select seqctl.create_series('dropped');
    insert into seqctl.counter (series_id, group_key, period, last_number)
      select id, 'x', '2026-01-01', 0 from seqctl.series where name = 'dropped';
    select seqctl.drop_series('dropped')`);
  expect(
    await database.rows(
      'select from seqctl.counter where series_id > 0 and series_id not in (select id from seqctl.series)',
    ),
  ).toEqual([]);
  await database.execute(`select seqctl.create_series('kept'); select seqctl.next_number('kept', ${march})`);
  await database.execute(remove('kept'));
  await expect(database.rows(`select seqctl.drop_series('kept')`)).rejects.toMatchObject({
    code: 'SQ004',
    message: `series 'kept' has had a counter corrected`,
  });
});

test('rights: no level may correct a counter; the owner of seqctl and its members may', async () => {
  const t = await makeAhead('corrected_rights', 7, 9);
  for (const level of ['none', 'read', 'issue', 'admin']) {
    const role = await makeRole(`corrected_${level}`);
    if (level !== 'none') await database.execute(`select seqctl.grant_access('${role.name}', '${level}')`);
    const session = await database.session(level, database.urlAs(role.name, role.password));
    for (const call of [
      lower(t, 8),
      remove(t),
      'delete from seqctl.counter',
      'truncate seqctl.counter',
      'update seqctl.counter set last_number = 0',
      `insert into seqctl.counter_correction (series_id, group_key, period, kind, from_number, reason) values (1, '', '2026-01-01', 'removed', 1, 'x')`,
    ]) {
      await expect(session.query(call), `${level}: ${call}`).rejects.toMatchObject({ code: '42501' });
    }
    const look = session.query('select * from seqctl.counter_corrections');
    if (level === 'none') await expect(look).rejects.toMatchObject({ code: '42501' });
    else await look;
  }
  // Who acts for another is named, not whom it acts for.
  const member = await makeRole('corrected_member');
  const owner = await makeRole('corrected_owner');
  await database.execute(`grant execute on function seqctl.lower_counter to ${owner.name}; grant usage on schema seqctl to ${owner.name};
    grant ${owner.name} to ${member.name}`);
  const session = await database.session('member', database.urlAs(member.name, member.password));
  await session.query(`set role ${owner.name}`);
  await session.query(lower(t, 8));
  expect(
    await database.rows(`select recorded_by from seqctl.counter_corrections where series = '${t}'`),
  ).toEqual([{ recorded_by: member.name }]);
});
