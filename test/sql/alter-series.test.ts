import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { type Invoice, makeInvoices } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { waitUntilBlocked } from '../support/session.js';
import { verifyUrl } from '../support/verify.js';

const makeRole = useRoles();
const database = useDatabase();

const alter = async (call: string): Promise<string> =>
  (await database.rows<{ said: string }>(`select seqctl.alter_series(${call}) as said`))[0]?.said ?? '';
const refusal = (call: string): Promise<{ code: string; message: string; hint: string }> =>
  alter(call).then(
    (said) => Promise.reject(new Error(`accepted: ${said}`)),
    (error: unknown) => error as { code: string; message: string; hint: string },
  );
const settings = async (name: string): Promise<Record<string, unknown>> =>
  (
    await database.rows(
      `select format, reset, fiscal_year_start, time_zone, first_number, max_number, max_length, external_code, purpose
       from seqctl.series where name = $1`,
      [name],
    )
  )[0] ?? {};

/** No number is missing or there twice; document numbers may be of an older format. */
const expectExact = async (series: string): Promise<void> => {
  expect(
    (await verifyUrl(database.url, series)).findings.filter(({ severity }) => severity === 'error'),
  ).toEqual([]);
};

test('a format for numbers to come; what was issued stays', async () => {
  const t = await makeInvoices(database, 'new_format');
  const a = await database.session('A');
  const insert = (count: number): Promise<Invoice[]> =>
    a.rows<Invoice>(
      `insert into ${t} (issued_on) select '2026-03-09' from generate_series(1, ${count}) returning *`,
    );
  await insert(2);
  expect(await alter(`'${t}', format => '{group}/{year:2}/{number:4}', max_length => 14`)).toBe(
    `series ${t} has another format, max_length now`,
  );
  // The session that has used the old functions, and another one.
  await insert(1);
  await insert(3);
  await database.rows(`insert into ${t} (issued_on) values ('2026-03-09')`);
  expect(
    (await database.rows<Invoice>(`select * from ${t} order by number`)).map((row) => row.document_number),
  ).toEqual(['acme-2026-001', 'acme-2026-002', ...[3, 4, 5, 6, 7].map((n) => `acme/26/000${n}`)]);
  expect(await database.rows(`select * from seqctl.peek('${t}', 'acme', '2026-03-09')`)).toEqual([
    { number: '8', document_number: 'acme/26/0008' },
  ]);
  await expect(
    a.query(`insert into ${t} (company, issued_on) values ('a long name', '2026-01-01')`),
  ).rejects.toMatchObject({
    code: 'SQ015',
  });
  // Left alone by NULL, taken away by clear.
  expect(await alter(`'${t}', clear => '{max_length}'`)).toBe(`series ${t} has another max_length now`);
  await a.query(`insert into ${t} (company, issued_on) values ('a long name', '2026-01-01')`);
  await a.query(`delete from ${t} where false`);
});

test('limits: raised, lowered, taken away; next_number and a table', async () => {
  const t = await makeInvoices(database, 'new_limit', {
    series: `format => '{year}-{number}', max_number => 3`,
  });
  const insert = `insert into ${t} (issued_on) select '2026-03-09' from generate_series(1, $1)`;
  await database.rows(insert, [3]);
  await expect(database.rows(insert, [1])).rejects.toMatchObject({ code: 'SQ014' });
  await alter(`'${t}', max_number => 5`);
  await database.rows(insert, [2]);
  await expect(database.rows(insert, [1])).rejects.toMatchObject({ code: 'SQ014' });
  expect(await refusal(`'${t}', max_number => 4`)).toMatchObject({
    code: 'SQ023',
    message: `max_number of series '${t}' cannot be 4: number 5 was given`,
    hint: 'Use 5 or more.',
  });
  await alter(`'${t}', max_number => 5`);
  await alter(`'${t}', clear => '{max_number}'`);
  await database.rows(insert, [10]);
  expect(await settings(t)).toMatchObject({ max_number: null });
  await alter(`'${t}', max_number => 15`);
  await expect(database.rows(insert, [1])).rejects.toMatchObject({ code: 'SQ014' });
  await expectExact(t);

  await database.rows(`select seqctl.create_series('api_limit', reset => 'never')`);
  await database.rows(`select seqctl.next_number('api_limit')`);
  await alter(`'api_limit', max_number => 1, format => '#{number:3}'`);
  await expect(database.rows(`select seqctl.next_number('api_limit')`)).rejects.toMatchObject({
    code: 'SQ014',
  });
  await alter(`'api_limit', max_number => 2`);
  expect(await database.rows(`select * from seqctl.allocate('api_limit')`)).toEqual([
    { number: '2', document_number: '#002' },
  ]);
});

test('what does not matter to the numbers can always be changed', async () => {
  const t = await makeInvoices(database, 'described');
  await database.rows(`insert into ${t} default values`);
  expect(await alter(`'${t}', external_code => 'FPR12', purpose => 'sales'`)).toBe(
    `series ${t} has another external_code, purpose now`,
  );
  expect(await settings(t)).toMatchObject({ external_code: 'FPR12', purpose: 'sales' });
  expect(await alter(`'${t}', purpose => 'sales'`)).toBe(`series ${t} was left as it is`);
  expect(await alter(`'${t}'`)).toBe(`series ${t} was left as it is`);
  await alter(`'${t}', clear => '{external_code,purpose}'`);
  expect(await settings(t)).toMatchObject({ external_code: null, purpose: null });
});

test('a series that was never used: everything can be changed', async () => {
  await database.rows(`select seqctl.create_series('unused')`);
  await alter(
    `'unused', format => '{fiscal_year}-{number:3}', fiscal_year_start => '04-01', time_zone => 'Europe/Rome', first_number => 100`,
  );
  await database.execute(`create table unused (at timestamptz, number bigint, doc text)`);
  await database.rows(
    `select seqctl.attach('unused', 'unused', date_column => 'at', document_number_column => 'doc')`,
  );
  // Attached, but without a number: its index does not know the first number.
  await alter(`'unused', first_number => 7`);
  expect(await database.rows(`insert into unused (at) values ('2026-03-31 22:00Z') returning doc`)).toEqual([
    { doc: '2026-007' },
  ]);
});

test.each([
  ['reset', `reset => 'monthly', format => '{year}-{month}-{number}'`],
  ['fiscal_year_start', `fiscal_year_start => '04-01', format => '{fiscal_year}-{number}'`],
  ['time_zone', `time_zone => 'Europe/Rome'`],
  ['first_number', 'first_number => 0'],
])('%s of a series in use is refused: numbers, a closed period, an attached table', async (name, change) => {
  const series = (use: string): string => `fixed_${name}_${use}`;
  await database.execute(`
    select seqctl.create_series('${series('given')}', format => '{year}-{number}');
    select seqctl.next_number('${series('given')}', '', '2026-01-01');
    select seqctl.create_series('${series('closed')}', format => '{year}-{number}');
    select seqctl.close_period('${series('closed')}', '2020-01-01');`);
  for (const [use, why] of [
    ['given', 'has given numbers'],
    ['closed', 'has had a period closed'],
  ] as const) {
    const before = await settings(series(use));
    expect(await refusal(`'${series(use)}', ${change}`)).toMatchObject({
      code: 'SQ023',
      message: `${name} of series '${series(use)}' cannot be changed: it ${why}`,
      hint: expect.stringMatching(/^Create a new series/) as string,
    });
    expect(await settings(series(use))).toEqual(before);
  }
  if (name === 'first_number') return;
  const t = await makeInvoices(database, series('attached'), { series: `format => '{year}-{number}'` });
  expect(await refusal(`'${t}', ${change}`)).toMatchObject({
    code: 'SQ023',
    message: `${name} of series '${t}' cannot be changed: it numbers public.${t}.number`,
    hint: `Detach the table, drop its index ${t}_number_seqctl_key, alter the series, and attach the table again.`,
  });
  await database.execute(`select seqctl.detach('${t}', 'number')`);
  await alter(`'${t}', ${change}`);
});

test('what a setting of a new series may not be, it may not become', async () => {
  const t = await makeInvoices(database, 'checked', {
    series: `format => '{group}-{year}-{number}', max_number => 500`,
  });
  await database.rows(
    `insert into ${t} (company, issued_on) select 'a name', '2026-01-01' from generate_series(1, 12)`,
  );
  await database.execute(`
    select seqctl.create_series('dateless', reset => 'never');
    create table dateless (number bigint, doc text);
    select seqctl.attach('dateless', 'dateless', document_number_column => 'doc')`);
  const before = [await settings(t), await settings('dateless')];
  const cases: readonly (readonly [call: string, code: string, message: RegExp])[] = [
    [`'none', purpose => 'x'`, 'SQ001', /does not exist/],
    [`null, purpose => 'x'`, 'SQ001', /does not exist/],
    [`'${t}', format => 'no field'`, 'SQ002', /has no \{number\}/],
    [`'${t}', format => '{number'`, 'SQ002', /without its partner/],
    [`'${t}', reset => 'hourly'`, 'SQ023', /cannot be changed/],
    [`'${t}', max_number => 0`, 'SQ002', /below first_number/],
    [`'${t}', max_number => -1`, 'SQ002', /below first_number/],
    [`'${t}', max_length => 0`, 'SQ002', /max_length is 0/],
    [`'${t}', max_length => 8`, 'SQ002', /is shorter than the document number of max_number/],
    [`'${t}', max_length => 13`, 'SQ023', /is too short .* the document number of 12 has 14 characters/],
    [`'${t}', max_length => 14, format => '{group}-{year}-{number:9}'`, 'SQ002', /shorter/],
    [`'${t}', max_length => 14, format => '{group}{group}{year}{number}'`, 'SQ023', /has 18 characters/],
    [`'${t}', max_number => 11`, 'SQ023', /number 12 was given/],
    [`'${t}', clear => '{format}'`, 'SQ002', /clear names 'format'/],
    [`'${t}', clear => '{max_number,sales}'`, 'SQ002', /clear names 'sales'/],
    [`'${t}', clear => array[null]`, 'SQ002', /clear names/],
    [`'${t}', max_number => 800, clear => '{max_number}'`, 'SQ002', /both given and cleared/],
    [
      `'dateless', format => '{year}/{number}'`,
      'SQ006',
      /public\.dateless is attached without a date_column/,
    ],
  ];
  for (const [call, code, message] of cases) {
    const error = await refusal(call);
    expect(error, call).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(error.hint).toMatch(/\w{3}/);
  }
  expect([await settings(t), await settings('dateless')]).toEqual(before);
  await alter(`'dateless', format => 'D{number}'`);
  await expectExact(t);
});

test('a warning where the new format gives two periods the same document number', async () => {
  await database.rows(`select seqctl.create_series('warned', format => '{year}-{number}')`);
  const a = await database.session('A');
  const warnings: string[] = [];
  a.client.on('notice', ({ message = '' }) => warnings.push(message));
  await a.query(`select seqctl.alter_series('warned', format => '{number}')`);
  await a.query(`select seqctl.alter_series('warned', purpose => 'no reason to warn')`);
  expect(warnings).toEqual([
    `series 'warned' resets yearly, but its format '{number}' has no {year}: two periods will share document numbers`,
  ]);
});

test('every table of the series gets the new functions: partitioned, shared, renamed, dropped', async () => {
  const t = await makeInvoices(database, 'all_tables', { suffix: 'partition by list (company)' });
  await database.execute(`create table all_tables_p partition of ${t} default`);
  const second = await makeInvoices(database, 'all_tables_2', { sharedSeries: t });
  const gone = await makeInvoices(database, 'all_tables_3', { sharedSeries: t });
  await database.execute(`alter table ${second} rename to all_tables_renamed; drop table ${gone}`);
  await alter(`'${t}', format => '{year}.{number}'`);
  for (const target of [t, 'all_tables_p', 'all_tables_renamed']) {
    const [row] = await database.rows<Invoice>(`insert into ${target} default values returning *`);
    expect(row?.document_number).toBe(`2026.${row?.number}`);
  }
  await database.execute(
    `select seqctl.detach((select target from seqctl.attachments where target::text ~ '^\\d'), 'number')`,
  );
  await expectExact(t);
});

test('only the owner of the attached tables alters what their triggers check', async () => {
  const admin = await makeRole('alter_admin');
  const t = await makeInvoices(database, 'owned');
  await database.execute(`select seqctl.grant_access('${admin.name}', 'admin')`);
  const a = await database.session('A', database.urlAs(admin.name, admin.password));
  await a.query(`select seqctl.alter_series('${t}', purpose => 'anybody with level admin')`);
  await expect(a.query(`select seqctl.alter_series('${t}', max_number => 9)`)).rejects.toMatchObject({
    code: 'SQ005',
    hint: expect.stringMatching(/^Run this as /) as string,
  });
  await database.execute(`alter table ${t} owner to ${admin.name}`);
  await a.query(`select seqctl.alter_series('${t}', max_number => 9)`);
  await expect(a.query(`insert into ${t} select from generate_series(1, 10)`)).rejects.toMatchObject({
    code: 'SQ014',
  });
});

test.each(['read committed', 'repeatable read', 'serializable'])(
  'an uncommitted row, a waiting row and an old snapshot; %s',
  async (level) => {
    const t = await makeInvoices(database, `altered_${level.replace(' ', '_')}`, {
      series: `format => '{year}-{number}', max_number => 10`,
    });
    const isCommitted = level === 'read committed';
    const insert = `insert into ${t} (issued_on) values ('2026-03-09') returning document_number`;
    const a = await database.session('A');
    const b = await database.session('B');
    const c = await database.session('C');
    await a.query(insert);
    await a.query(`begin isolation level ${level}`);
    await a.query(insert);
    const altering = c.start(
      `select seqctl.alter_series('${t}', format => 'N{year}-{number}', max_number => 3)`,
    );
    await waitUntilBlocked(c, a);
    await b.query(`begin isolation level ${level}`);
    await b.query('select from seqctl.series');
    const waiting = b.start<Invoice>(insert);
    await waitUntilBlocked(b);
    // The holder goes on with the old format.
    expect(await a.rows(insert)).toEqual([{ document_number: '2026-3' }]);
    await a.query('rollback');
    await altering.result;
    if (isCommitted) expect((await waiting.result).rows).toEqual([{ document_number: 'N2026-2' }]);
    else await expect(waiting.result).rejects.toMatchObject({ code: '40001' });
    await b.query('rollback');

    // A number above the new limit that is not committed yet.
    await a.query(`begin isolation level ${level}`);
    await a.query(insert);
    await a.query(insert);
    const lowering = c.start(`select seqctl.alter_series('${t}', max_number => 2)`);
    await waitUntilBlocked(c, a);
    await a.query('commit');
    await expect(lowering.result).rejects.toMatchObject({ code: 'SQ023' });
  },
);

test.each(['read committed', 'repeatable read', 'serializable'])(
  'next_number and allocate that wait for a lower limit and another format; %s',
  async (level) => {
    const series = `api_${level.replace(' ', '_')}`;
    const isCommitted = level === 'read committed';
    await database.rows(`select seqctl.create_series('${series}', reset => 'never', max_number => 10)`);
    await database.rows(`select seqctl.next_number('${series}')`);
    const a = await database.session('A');
    const c = await database.session('C');
    await c.query('begin');
    await c.query(`select seqctl.alter_series('${series}', format => 'N{number}', max_number => 2)`);
    await a.query(`begin isolation level ${level}`);
    const waiting = a.start(`select * from seqctl.allocate('${series}')`);
    await waitUntilBlocked(a, c);
    await c.query('commit');
    if (isCommitted) expect((await waiting.result).rows).toEqual([{ number: '2', document_number: 'N2' }]);
    else await expect(waiting.result).rejects.toMatchObject({ code: '40001' });
    await a.query('rollback');

    await a.query(`begin isolation level ${level}`);
    await a.query('select from seqctl.series');
    await database.rows(`select seqctl.alter_series('${series}', max_number => 1)`);
    await expect(a.query(`select seqctl.next_number('${series}')`)).rejects.toMatchObject({
      code: isCommitted ? 'SQ014' : '40001',
    });
    await a.query('rollback');
  },
);

test('the first number, and another reset at the same time', async () => {
  await database.rows(`select seqctl.create_series('race', format => '{year}{month}.{number}')`);
  const a = await database.session('A');
  const c = await database.session('C');
  await c.query('begin');
  await c.query(`select seqctl.alter_series('race', reset => 'monthly')`);
  const waiting = a.start(`select seqctl.next_number('race', '', '2026-05-05')`);
  await waitUntilBlocked(a, c);
  await c.query('commit');
  await expect(waiting.result).rejects.toMatchObject({ code: '40001' });
  await a.query('begin');
  await a.query(`select seqctl.next_number('race', '', '2026-05-05')`);
  const altering = c.start(
    `select seqctl.alter_series('race', reset => 'daily', format => '{year}{month}{day}.{number}')`,
  );
  await waitUntilBlocked(c, a);
  await a.query('commit');
  await expect(altering.result).rejects.toMatchObject({ code: 'SQ023' });
  expect(await database.rows(`select period from seqctl.counters where series = 'race'`)).toEqual([
    { period: '2026-05' },
  ]);
});

test('attach and alter_series at the same time', async () => {
  await database.execute(`
    select seqctl.create_series('attaching', format => '{year}{month}.{number}');
    create table attaching (on_day date, number bigint, doc text)`);
  const a = await database.session('A');
  const c = await database.session('C');
  const attach = `select seqctl.attach('attaching', 'attaching', date_column => 'on_day', document_number_column => 'doc')`;
  await a.query('begin');
  await a.query(attach);
  const altering = c.start(`select seqctl.alter_series('attaching', reset => 'monthly')`);
  await waitUntilBlocked(c, a);
  await a.query('commit');
  await expect(altering.result).rejects.toMatchObject({ code: 'SQ023' });

  await database.execute(
    `select seqctl.detach('attaching', 'number'); drop index attaching_number_seqctl_key`,
  );
  await c.query('begin');
  await c.query(`select seqctl.alter_series('attaching', reset => 'monthly')`);
  const attaching = a.start(attach);
  await waitUntilBlocked(a, c);
  await c.query('commit');
  await attaching.result;
  await database.execute(`insert into attaching (on_day) values ('2026-05-01'), ('2026-06-01')`);
  expect(await database.rows(`select doc from attaching order by doc`)).toEqual([
    { doc: '202605.1' },
    { doc: '202606.1' },
  ]);
  await expectExact('attaching');
});

test('within one transaction: rows before keep their format, rows after have the new one', async () => {
  const t = await makeInvoices(database, 'altered_within', { series: `format => '{year}-{number}'` });
  const a = await database.session('A');
  const insert = `insert into ${t} (issued_on) select '2026-03-09' from generate_series(1, 2)`;
  await a.query('begin');
  await a.query(insert);
  await a.query('savepoint s');
  await a.query(`select seqctl.alter_series('${t}', format => 'X{year}-{number}')`);
  await a.query(insert);
  await a.query('rollback to s');
  await a.query(insert);
  await a.query(`select seqctl.alter_series('${t}', format => 'Y{year}-{number}')`);
  await a.query(insert);
  await a.query('commit');
  expect(
    (await database.rows<Invoice>(`select * from ${t} order by number`)).map((row) => row.document_number),
  ).toEqual([...[1, 2, 3, 4].map((n) => `2026-${n}`), ...[5, 6].map((n) => `Y2026-${n}`)]);
});
