import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();

interface Change extends Record<string, unknown> {
  period: string;
  changed: boolean;
  counters: string;
}

const close = (series: string, date: string | null, group: string | null = null): Promise<Change[]> =>
  database.rows<Change>(`select * from seqctl.close_period($1, $2, $3)`, [series, date, group]);
const reopen = (series: string, date: string | null, group: string | null = null): Promise<Change[]> =>
  database.rows<Change>(`select * from seqctl.reopen_period($1, $2, 'late document', $3)`, [
    series,
    date,
    group,
  ]);
const closings = (series: string): Promise<string[]> =>
  database
    .rows<{ line: string }>(
      `select concat_ws(' ', period, action, group_key, reason) as line from seqctl.closings where series = $1`,
      [series],
    )
    .then((rows) => rows.map(({ line }) => line));

test('nobody gets a number in a closed period: INSERT, COPY-like bulk, next_number, allocate, peek', async () => {
  const t = await makeInvoices(database, 'closed_for_all');
  await database.execute(
    `insert into ${t} (issued_on) values ('2025-01-01'), ('2025-12-31'), ('2026-01-01')`,
  );
  expect(await close(t, '2025-06-30')).toEqual([{ period: '2025', changed: true, counters: '1' }]);

  const attempts = [
    `insert into ${t} (issued_on) values ('2025-03-09')`,
    `insert into ${t} (issued_on) select '2025-03-09' from generate_series(1, 50)`,
    // The first rows of the statement are of an open period.
    `insert into ${t} (issued_on) values ('2026-03-09'), ('2026-03-10'), ('2025-12-31')`,
    // A group without a counter yet.
    `insert into ${t} (company, issued_on) values ('new', '2025-12-31')`,
    `insert into ${t} (company, issued_on, external) values ('newer', '2025-12-31', 'x') on conflict do nothing`,
    `select seqctl.next_number('${t}', 'acme', '2025-01-01')`,
    `select seqctl.next_number('${t}', 'unknown', '2025-01-01')`,
    `select seqctl.allocate('${t}', 'acme', '2025-12-31', 3)`,
    `select seqctl.peek('${t}', 'acme', '2025-12-31')`,
    `select seqctl.peek('${t}', 'unknown', '2025-12-31')`,
  ];
  for (const level of ['read committed', 'repeatable read', 'serializable']) {
    const a = await database.session('A');
    for (const attempt of attempts) {
      await a.query(`begin isolation level ${level}`);
      await expect(a.query(attempt), attempt).rejects.toMatchObject({
        code: 'SQ020',
        message: `period 2025 of series '${t}' is closed`,
        detail: expect.stringMatching(
          /^Closed by \w+ on 20\d\d-\d\d-\d\d \d\d:\d\d UTC\. No number was used\.$/,
        ) as string,
        hint: expect.stringContaining(
          `select seqctl.reopen_period('${t}', '2025-01-01', reason => '...')`,
        ) as string,
      });
      await a.query('rollback');
    }
    await a.query(`insert into ${t} (issued_on) values ('2026-02-02')`);
  }
  expect(await numbersOf(database, t)).toEqual({ 'acme 2025': '1 2', 'acme 2026': '1 2 3 4' });
  expect(
    await database.rows(
      `select group_key, period, last_number, closed from seqctl.counters where series = '${t}'`,
    ),
  ).toEqual([
    { group_key: 'acme', period: '2025', last_number: '2', closed: true },
    { group_key: 'acme', period: '2026', last_number: '4', closed: false },
  ]);

  expect(await reopen(t, '2025-01-01')).toEqual([{ period: '2025', changed: true, counters: '1' }]);
  await database.execute(
    `insert into ${t} (company, issued_on) values ('acme', '2025-03-09'), ('new', '2025-03-09')`,
  );
  expect(await numbersOf(database, t)).toMatchObject({ 'acme 2025': '1 2 3', 'new 2025': '1' });
  expect(await closings(t)).toEqual(['2025 close', '2025 reopen late document']);
  await expectExact(database);
});

test('groups: the last word that is about a group counts', async () => {
  const t = await makeInvoices(database, 'closed_groups');
  const insert = (company: string): Promise<unknown> =>
    database.rows(`insert into ${t} (company, issued_on) values ($1, '2025-03-09')`, [company]);
  await insert('a');
  await insert('b');
  await close(t, '2025-01-01', 'a');
  await expect(insert('a')).rejects.toMatchObject({
    code: 'SQ020',
    message: `period 2025 of series '${t}' is closed for group 'a'`,
    hint: expect.stringContaining(`group_key => 'a'`) as string,
  });
  await insert('b');
  // A group that has no number yet can be closed, too.
  expect(await close(t, '2025-01-01', 'c')).toEqual([{ period: '2025', changed: true, counters: '0' }]);
  await expect(insert('c')).rejects.toMatchObject({ code: 'SQ020' });

  // All, then one of them open again.
  expect(await close(t, '2025-01-01')).toMatchObject([{ counters: '1' }]);
  await reopen(t, '2025-01-01', 'b');
  await insert('b');
  await expect(insert('a')).rejects.toMatchObject({ code: 'SQ020' });
  await expect(insert('d')).rejects.toMatchObject({ code: 'SQ020' });
  // Closing all closes that one as well; reopening all reopens each.
  expect(await close(t, '2025-01-01')).toMatchObject([{ changed: true, counters: '1' }]);
  await expect(insert('b')).rejects.toMatchObject({ code: 'SQ020' });
  expect(await reopen(t, '2025-01-01')).toMatchObject([{ changed: true, counters: '2' }]);
  for (const company of ['a', 'b', 'c', 'd']) await insert(company);
  await expectExact(database);
});

test('closing twice, and reopening what is open, changes nothing and says so', async () => {
  const t = await makeInvoices(database, 'closed_twice');
  const a = await database.session('A');
  const notices: string[] = [];
  a.client.on('notice', ({ message = '' }) => notices.push(message));
  const call = async (sql: string): Promise<boolean> => {
    const { rows } = await a.query<Change>(`select * from seqctl.${sql}`);
    return rows[0]?.changed ?? false;
  };
  expect(await call(`reopen_period('${t}', '2025-01-01', 'none')`)).toBe(false);
  expect(await call(`close_period('${t}', '2025-01-01')`)).toBe(true);
  expect(await call(`close_period('${t}', '2025-12-31')`)).toBe(false);
  expect(await call(`close_period('${t}', '2025-12-31', 'acme')`)).toBe(false);
  expect(await call(`reopen_period('${t}', '2025-12-31', 'acme is late', 'acme')`)).toBe(true);
  expect(await call(`reopen_period('${t}', '2025-12-31', 'acme is late', 'acme')`)).toBe(false);
  expect(await call(`close_period('${t}', '2025-12-31', 'acme')`)).toBe(true);
  expect(await call(`close_period('${t}', '2025-12-31')`)).toBe(false);
  expect(await call(`reopen_period('${t}', '2025-12-31', 'all')`)).toBe(true);
  expect(await call(`reopen_period('${t}', '2025-12-31', 'all')`)).toBe(false);
  expect(notices).toEqual([
    `period 2025 of series '${t}' is open already`,
    `period 2025 of series '${t}' is closed already`,
    `period 2025 of series '${t}' is closed already for group 'acme'`,
    `period 2025 of series '${t}' is open already for group 'acme'`,
    `period 2025 of series '${t}' is closed already`,
    `period 2025 of series '${t}' is open already`,
  ]);
  expect(await closings(t)).toEqual([
    '2025 close',
    '2025 reopen acme acme is late',
    '2025 close acme',
    '2025 reopen all',
  ]);
});

test('a period that has not ended: closed, with a notice', async () => {
  await database.rows(
    `select seqctl.create_series('running', fiscal_year_start => '04-01', format => '{fiscal_year}.{number}')`,
  );
  const a = await database.session('A');
  const notices: string[] = [];
  a.client.on('notice', ({ message = '', detail = '' }) => notices.push(`${message}. ${detail}`));
  await a.query(`select seqctl.close_period('running', '9999-12-31')`);
  await a.query(`select seqctl.close_period('running', '2999-03-31')`);
  await a.query(`select seqctl.close_period('running', '2020-03-31')`);
  expect(notices).toEqual([
    `period FY9999 of series 'running' has not ended. Its last day is 10000-03-31, in UTC.`,
    `period FY2998 of series 'running' has not ended. Its last day is 2999-03-31, in UTC.`,
  ]);
  await expect(a.query(`select seqctl.next_number('running', '', '2020-03-31')`)).rejects.toMatchObject({
    code: 'SQ020',
    message: `period FY2019 of series 'running' is closed`,
  });
  await a.query(`select seqctl.next_number('running', '', '2020-04-01')`);
});

test('a series that never resets has one period: closing it ends the series', async () => {
  await database.rows(
    `select seqctl.create_series('retired', reset => 'never', format => '{year}/{number}')`,
  );
  await database.rows(`select seqctl.next_number('retired', '', '2026-01-01')`);
  expect(await close('retired', null)).toEqual([{ period: '', changed: true, counters: '1' }]);
  await expect(database.rows(`select seqctl.next_number('retired', '', '2026-01-01')`)).rejects.toMatchObject(
    {
      code: 'SQ020',
      message: `series 'retired' is closed`,
      hint: `Use another series, or have the period reopened: select seqctl.reopen_period('retired', NULL, reason => '...').`,
    },
  );
  expect(await reopen('retired', null)).toMatchObject([{ counters: '1' }]);
  await database.rows(`select seqctl.next_number('retired', '', '2026-01-01')`);
});

test.each([
  [
    'quarterly',
    `reset => 'quarterly', format => '{year}Q{quarter}.{number}'`,
    '2025-06-30',
    '2025-07-01',
    '2025-Q2',
  ],
  [
    'monthly',
    `reset => 'monthly', format => '{year}{month}.{number}'`,
    '2024-02-29',
    '2024-03-01',
    '2024-02',
  ],
  [
    'daily',
    `reset => 'daily', format => '{year}{month}{day}.{number}'`,
    '2024-02-29',
    '2024-03-01',
    '2024-02-29',
  ],
  [
    'fiscal',
    `fiscal_year_start => '04-06', format => '{fiscal_year}.{number}'`,
    '2025-04-05',
    '2025-04-06',
    'FY2024',
  ],
])('the period of a date: %s', async (name, series, last, next, label) => {
  await database.rows(`select seqctl.create_series('dates_${name}', ${series})`);
  await close(`dates_${name}`, last);
  await expect(
    database.rows(`select seqctl.next_number('dates_${name}', '', '${last}')`),
  ).rejects.toMatchObject({
    code: 'SQ020',
    message: `period ${label} of series 'dates_${name}' is closed`,
  });
  await database.rows(`select seqctl.next_number('dates_${name}', '', '${next}')`);
});

test('within one transaction: rows before the closing keep their numbers, later ones are refused', async () => {
  const t = await makeInvoices(database, 'closed_within');
  await database.rows(`select seqctl.create_series('closed_within_api')`);
  const a = await database.session('A');
  const insert = `insert into ${t} (issued_on) values ('2025-03-09')`;
  for (const rows of [1, 3]) {
    await a.query('begin');
    for (let n = 0; n < rows; n += 1) await a.query(insert);
    await a.query(`select seqctl.next_number('closed_within_api', '', '2025-01-01')`);
    await a.query(`select seqctl.close_period('${t}', '2025-01-01')`);
    await a.query(`select seqctl.close_period('closed_within_api', '2025-01-01')`);
    for (const attempt of [
      insert,
      `insert into ${t} (issued_on) select '2025-03-09' from generate_series(1, 5)`,
      `select seqctl.next_number('${t}', 'acme', '2025-01-01')`,
      `select seqctl.next_number('closed_within_api', '', '2025-01-01')`,
      `select seqctl.next_number('closed_within_api', 'new', '2025-01-01')`,
    ]) {
      await a.query('savepoint s');
      await expect(a.query(attempt), attempt).rejects.toMatchObject({ code: 'SQ020' });
      await a.query('rollback to s');
    }
    await a.query(`select seqctl.reopen_period('${t}', '2025-01-01', 'not yet')`);
    await a.query(insert);
    await a.query(rows === 1 ? 'rollback' : 'commit');
  }
  expect(await numbersOf(database, t)).toEqual({ 'acme 2025': '1 2 3 4' });
  expect(await closings(t)).toHaveLength(2);
});

test('a savepoint that is rolled back undoes the closing', async () => {
  const t = await makeInvoices(database, 'closed_savepoint');
  const a = await database.session('A');
  await a.query('begin');
  await a.query('savepoint s');
  await a.query(`select seqctl.close_period('${t}', '2025-01-01')`);
  await a.query('rollback to s');
  await a.query(`insert into ${t} (issued_on) values ('2025-03-09')`);
  await a.query('commit');
  expect(await closings(t)).toEqual([]);
});

test('a forged setting gets no number into a closed period', async () => {
  const t = await makeInvoices(database, 'closed_forged');
  await database.execute(`insert into ${t} (issued_on) values ('2025-01-01'), ('2025-01-02')`);
  await close(t, '2025-01-01');
  const [facts] = await database.rows<{ id: number; row: string; oid: number }>(
    `select c.series_id as id, c.ctid::text as row, '${t}'::regclass::oid::int8::int as oid
     from seqctl.counter c join seqctl.series s on s.id = c.series_id where s.name = '${t}'`,
  );
  const a = await database.session('A');
  const counter = `${(Date.UTC(2025, 0, 1) - Date.UTC(2000, 0, 1)) / 86_400_000} acme`;
  for (const value of [
    facts?.row,
    `${facts?.row}\u0001${facts?.oid}\u00010`,
    `${facts?.row}\u0001${facts?.oid} ${counter}\u00013`,
    `${facts?.row}\u00010 ${counter}\u00013`,
  ]) {
    for (const count of [1, 4]) {
      await a.query('begin');
      await a.query(`select set_config('seqctl.hot_${facts?.id}', $1, true)`, [value]);
      await expect(
        a.query(`insert into ${t} (issued_on) select '2025-03-09' from generate_series(1, ${count})`),
        value,
      ).rejects.toMatchObject({ code: 'SQ020' });
      await a.query('rollback');
    }
  }
  expect(await numbersOf(database, t)).toEqual({ 'acme 2025': '1 2' });
});

test('a trigger that closes the period in the middle of a statement fails the statement', async () => {
  const t = await makeInvoices(database, 'closed_by_trigger');
  await database.execute(`
    create function close_it() returns trigger language plpgsql as
      $$ begin perform seqctl.close_period('${t}', new.issued_on); return new; end $$;
    create trigger z after insert on ${t} for each row when (new.note = 'last') execute function close_it()`);
  await expect(
    database.rows(`insert into ${t} (issued_on, note) values ('2025-01-01', null), ('2025-01-01', 'last')`),
  ).rejects.toMatchObject({ code: 'SQ020' });
  expect(await database.rows(`select from ${t}`)).toEqual([]);
  expect(await closings(t)).toEqual([]);
});

test('partitions, and rows that an UPDATE moves within a closed period', async () => {
  const t = await makeInvoices(database, 'closed_parts', {
    suffix: 'partition by list (note)',
    beforeAttach: `create table closed_parts_a partition of closed_parts for values in ('a');`,
  });
  await database.execute(`create table closed_parts_b partition of closed_parts for values in ('b')`);
  await database.execute(
    `insert into ${t} (issued_on, note) values ('2025-01-01', 'a'), ('2025-01-01', 'b')`,
  );
  await close(t, '2025-01-01');
  for (const target of [t, 'closed_parts_a', 'closed_parts_b']) {
    for (const note of target === t ? ['a', 'b'] : [target.slice(-1)]) {
      await expect(
        database.rows(`insert into ${target} (issued_on, note) values ('2025-01-01', '${note}')`),
      ).rejects.toMatchObject({ code: 'SQ020' });
    }
  }
  await database.execute(`update ${t} set note = 'b' where note = 'a'`);
  expect(await database.rows(`select note, number from ${t} order by number`)).toEqual([
    { note: 'b', number: '1' },
    { note: 'b', number: '2' },
  ]);
});

test.each([
  ['an unknown series', `close_period('none', '2025-01-01')`, 'SQ001'],
  ['no date', `close_period('bad', null)`, 'SQ011'],
  ['a date out of range', `close_period('bad', 'infinity')`, 'SQ011'],
  ['a group that is too long', `close_period('bad', '2025-01-01', repeat('x', 1001))`, 'SQ010'],
  ['no reason', `reopen_period('bad', '2025-01-01', null)`, 'SQ024'],
  ['a blank reason', `reopen_period('bad', '2025-01-01', E' \\t\\n')`, 'SQ024'],
  ['an empty reason', `reopen_period('bad', '2025-01-01', '')`, 'SQ024'],
])('%s is refused', async (_what, call, code) => {
  await database.rows(
    `select case when not exists (select from seqctl.series where name = 'bad') then seqctl.create_series('bad') end`,
  );
  await expect(database.rows(`select seqctl.${call}`)).rejects.toMatchObject({
    code,
    hint: expect.stringMatching(/\w{3}/) as string,
  });
});

test.each(['repeatable read', 'serializable'])(
  'close_period, reopen_period and alter_series refuse %s, whose snapshot could miss a counter',
  async (level) => {
    const series = `isolated_${level.replace(' ', '_')}`;
    await database.rows(`select seqctl.create_series('${series}')`);
    const a = await database.session('A');
    for (const call of [
      `close_period('${series}', '2025-01-01')`,
      `reopen_period('${series}', '2025-01-01', 'x')`,
      `alter_series('${series}', max_number => 7)`,
    ]) {
      await a.query(`begin isolation level ${level}`);
      await expect(a.query(`select seqctl.${call}`)).rejects.toMatchObject({
        code: 'SQ025',
        hint: expect.stringContaining('begin isolation level read committed') as string,
      });
      await a.query('rollback');
    }
  },
);

test('rights: level issue may not close; session_user is recorded; the history is read-only', async () => {
  const issuer = await makeRole('issuer');
  const admin = await makeRole('admin');
  await database.execute(`
    select seqctl.create_series('rights');
    select seqctl.grant_access('${issuer.name}', 'issue');
    select seqctl.grant_access('${admin.name}', 'admin')`);
  const i = await database.session('I', database.urlAs(issuer.name, issuer.password));
  for (const call of [
    `close_period('rights', '2025-01-01')`,
    `reopen_period('rights', '2025-01-01', 'x')`,
    `alter_series('rights', purpose => 'x')`,
  ]) {
    await expect(i.query(`select seqctl.${call}`)).rejects.toMatchObject({ code: '42501' });
  }
  const a = await database.session('A', database.urlAs(admin.name, admin.password));
  await a.query(`select seqctl.close_period('rights', '2025-01-01')`);
  expect(await a.rows(`select changed_by from seqctl.closings where series = 'rights'`)).toEqual([
    { changed_by: admin.name },
  ]);
  for (const statement of [
    'delete from seqctl.period_closing',
    `update seqctl.period_closing set action = 'reopen'`,
    'update seqctl.counter set closed = false',
  ]) {
    await expect(a.query(statement)).rejects.toMatchObject({ code: '42501' });
  }
  await expect(i.query(`select seqctl.next_number('rights', '', '2025-01-01')`)).rejects.toMatchObject({
    code: 'SQ020',
    detail: expect.stringContaining(`Closed by ${admin.name} on `) as string,
  });
});

test('a series that was never used is dropped with its closings', async () => {
  await database.execute(`
    select seqctl.create_series('closed_unused');
    select seqctl.close_period('closed_unused', '2025-01-01');
    select seqctl.drop_series('closed_unused')`);
  expect(await closings('closed_unused')).toEqual([]);
});

/** 23:30 UTC on 31 December, and the same moment as a wall clock in Rome shows it. */
const turn = {
  timestamptz: ['2025-12-31 22:59:59.999999+00', '2025-12-31 23:00:00+00', '2025-12-31 23:30:00+00'],
  timestamp: ['2025-12-31 23:59:59.999999', '2026-01-01 00:00:00', '2026-01-01 00:30:00'],
  date: ['2025-12-31', '2026-01-01', '2026-01-01'],
} as const;

test.each(Object.entries(turn))(
  'the turn of the year is that of the series in whatever zone session and server are: %s',
  async (type, [before, after, later]) => {
    const t = `turn_${type}`;
    await database.execute(`
      select seqctl.create_series('${t}', time_zone => 'Europe/Rome', format => '{year}.{number}');
      create table ${t} (id bigserial, at ${type}, number bigint, doc text);
      select seqctl.attach('${t}', '${t}', date_column => 'at', document_number_column => 'doc')`);
    const zones = ['UTC', 'Europe/Rome', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'America/St_Johns'];
    const issued: string[] = [];
    for (const [n, zone] of zones.entries()) {
      if (n % 2 === 0) await database.execute(`alter database ${database.name} set timezone = '${zone}'`);
      const a = await database.session(zone);
      if (n % 2 === 1) await a.query(`set timezone = '${zone}'`);
      expect(await a.value('show timezone')).toBe(zone);
      const rows = await a.rows<{ doc: string }>(
        `insert into ${t} (at) select unnest($1::text[])::${type} returning doc`,
        [[before, after, later]],
      );
      issued.push(...rows.map(({ doc }) => doc));
    }
    await database.execute(`alter database ${database.name} reset timezone`);
    expect(issued).toEqual(
      zones.flatMap((_zone, n) => [`2025.${n + 1}`, `2026.${2 * n + 1}`, `2026.${2 * n + 2}`]),
    );
    await expectExact(database);

    // A late document gets last year's number until the year is closed, whatever has been issued since.
    const late = `insert into ${t} (at) values ('${before}') returning doc`;
    expect(await database.rows(late)).toEqual([{ doc: `2025.${zones.length + 1}` }]);
    await close(t, '2025-12-31');
    for (const zone of zones) {
      const a = await database.session(zone);
      await a.query(`set timezone = '${zone}'`);
      await expect(a.query(late)).rejects.toMatchObject({ code: 'SQ020' });
      await a.query(`insert into ${t} (at) values ('${after}')`);
    }
    await expectExact(database);
  },
);

test('the turn of a fiscal year in the series’ time zone, and its closing', async () => {
  await database.execute(`
    select seqctl.create_series('fiscal', time_zone => 'Asia/Kolkata', fiscal_year_start => '04-01', format => '{fiscal_year}.{number}');
    create table fiscal (at timestamptz, number bigint, doc text);
    select seqctl.attach('fiscal', 'fiscal', date_column => 'at', document_number_column => 'doc')`);
  // Midnight in Kolkata is 18:30 UTC.
  const issue = async (at: string): Promise<string | undefined> =>
    (await database.rows<{ doc: string }>(`insert into fiscal (at) values ('${at}') returning doc`))[0]?.doc;
  expect(await issue('2026-03-31 18:29:59Z')).toBe('2025.1');
  expect(await issue('2026-03-31 18:30:00Z')).toBe('2026.1');
  expect(await issue('2025-03-31 18:30:00Z')).toBe('2025.2');
  expect(await close('fiscal', '2026-03-31')).toMatchObject([{ period: 'FY2025' }]);
  await expect(issue('2026-03-31 18:29:59Z')).rejects.toMatchObject({ code: 'SQ020' });
  await expect(issue('2025-03-31 18:30:00Z')).rejects.toMatchObject({ code: 'SQ020' });
  expect(await issue('2026-03-31 18:30:00Z')).toBe('2026.2');
  expect(await issue('2025-03-31 18:29:59Z')).toBe('2024.1');
  await expectExact(database);
});
