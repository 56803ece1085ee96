import { describe, expect, onTestFinished, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { type DocumentOptions, isolationLevels, listNumbers, makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { waitUntilBlocked } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

/** Numbered only by number_pending(); every row, unless there is a condition. */
const make = (name: string, options: DocumentOptions = {}): Promise<string> =>
  makeDocuments(database, name, { assign: 'manual', issueWhen: null, ...options });

const run = (t: string, max: number | null = null): string =>
  `select seqctl.number_pending('${t}', max_rows => ${max ?? 'null'})::int as n`;

test('nothing is numbered until it is asked for; then by date and primary key', async () => {
  const t = await make('basic');
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (id, issued_on) values (5, '2026-02-02'), (4, '2026-01-01'), (9, '2026-01-01'), (1, '2026-03-03'), (2, '2025-05-05')`,
  );
  await a.query(`update ${t} set note = 'x'`);
  expect(await listNumbers(database, t)).toBe('- - - - -');
  expect(await a.value(run(t))).toBe(5);
  expect(await a.rows(`select id::int, document_number as doc from ${t} order by issued_on, id`)).toEqual([
    { id: 2, doc: 'acme-2025-001' },
    { id: 4, doc: 'acme-2026-001' },
    { id: 9, doc: 'acme-2026-002' },
    { id: 5, doc: 'acme-2026-003' },
    { id: 1, doc: 'acme-2026-004' },
  ]);
  expect(await a.value(run(t))).toBe(0);
  await expectExact(database);
});

test('many groups and periods in one call, each counter in order; what was given stays', async () => {
  const t = await make('many');
  const a = await database.session('A');
  const fill = (from: number, to: number): string =>
    `insert into ${t} (company, issued_on) select 'c' || n % 50, date '2025-01-01' + (n * 7919) % 900 from generate_series(${from}, ${to}) n`;
  await a.query(fill(1, 3000));
  expect(await a.value(run(t))).toBe(3000);
  await expectExact(database);
  const given = await a.rows(`select id, number from ${t} order by id`);
  await a.query(fill(3001, 4000));
  expect(await a.value(run(t))).toBe(1000);
  expect(await a.rows(`select id, number from ${t} where id <= 3000 order by id`)).toEqual(given);
  await expectExact(database);
  // Within one call, a counter's numbers follow date and key.
  expect(
    await a.rows(`
      select from (
        select (issued_on, id) < lag((issued_on, id)) over (partition by company, extract(year from issued_on) order by number) as is_wrong
        from ${t} where id <= 3000) x
      where is_wrong`),
  ).toEqual([]);
});

test('max_rows takes steps, the earliest first', async () => {
  const t = await make('steps');
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (company, issued_on) select 'c' || n % 3, date '2026-06-01' - n from generate_series(1, 25) n`,
  );
  expect(await a.value(run(t, 10))).toBe(10);
  expect(
    await a.value(
      `select min(issued_on) filter (where number is null) > max(issued_on) filter (where number is not null) from ${t}`,
    ),
  ).toBe(true);
  await expectExact(database);
  const steps: unknown[] = [];
  for (let n = 0; n < 4; n += 1) steps.push(await a.value(run(t, 10)));
  expect(steps).toEqual([10, 5, 0, 0]);
  await expectExact(database);
});

test.each(['0', '-1'])('max_rows %s is refused', async (max) => {
  await database.execute(`create table if not exists unused_${max.replace('-', 'm')} (x int)`);
  const t = await make(`max_${max.replace('-', 'm')}`);
  await database.execute(`insert into ${t} default values`);
  await expect(
    database.rows(`select seqctl.number_pending('${t}', max_rows => ${max})`),
  ).rejects.toMatchObject({
    code: expect.stringMatching(/^SQ0/) as string,
  });
  expect(await listNumbers(database, t)).toBe('-');
});

test('only rows that meet the condition', async () => {
  const t = await make('condition', { issueWhen: `status = 'issued'` });
  const a = await database.session('A');
  await a.query(`insert into ${t} (status) values ('issued'), ('draft'), (null), ('issued')`);
  expect(await a.value(run(t))).toBe(2);
  await a.query(`update ${t} set status = 'issued'`);
  expect(await listNumbers(database, t)).toBe('1 - - 2');
  expect(await a.value(run(t))).toBe(2);
  expect(await listNumbers(database, t)).toBe('1 3 4 2');
  await expectExact(database);
});

test.each(isolationLevels)('%s: rolled back with its transaction and its savepoint', async (level) => {
  const t = await make(`rolled_${level.replaceAll(' ', '_')}`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 4) n`);
  await a.query(`begin isolation level ${level}`);
  expect(await a.value(run(t, 1))).toBe(1);
  await a.query('savepoint s');
  expect(await a.value(run(t, 2))).toBe(2);
  await a.query('rollback to s');
  await a.query(`insert into ${t} (note, issued_on) values ('first', '2026-01-01')`);
  expect(await a.value(run(t, 1))).toBe(1);
  await a.query('commit');
  expect(await listNumbers(database, t)).toBe('1 - - - 2');
  await a.query(`begin isolation level ${level}`);
  await a.query(run(t));
  await a.query('rollback');
  expect(await a.value(run(t))).toBe(3);
  await expectExact(database);
});

describe('the other modes', () => {
  test('insert: rows that were there before attach are numbered by way of manual', async () => {
    onTestFinished(() => database.execute('drop table before'));
    await database.execute(`
      select seqctl.create_series('before', reset => 'never', format => 'B-{number}');
      create table before (id int primary key, d date, number bigint, doc text);
      insert into before values (3, '2026-01-01'), (1, '2026-01-01'), (2, '2025-01-01');
      select seqctl.attach('before', 'before', date_column => 'd', document_number_column => 'doc');
      insert into before values (9, '2024-01-01')`);
    await expect(database.rows(run('before'))).rejects.toMatchObject({ code: 'SQ026' });
    await database.execute(`
      begin;
      select seqctl.detach('before', 'number');
      select seqctl.attach('before', 'before', date_column => 'd', document_number_column => 'doc', assign => 'manual');
      select seqctl.number_pending('before');
      select seqctl.detach('before', 'number');
      select seqctl.attach('before', 'before', date_column => 'd', document_number_column => 'doc');
      commit;
      insert into before values (0, '2023-01-01')`);
    expect(await database.rows('select id, doc from before order by number')).toEqual(
      [9, 2, 1, 3, 0].map((id, n) => ({ id, doc: `B-${n + 1}` })),
    );
    await expectExact(database);
  });

  test('rows that were there before attach, with a condition and with commit', async () => {
    for (const [name, more] of [
      ['before_drafts', `issue_when => $$status = 'issued'$$`],
      ['before_commit', `issue_when => $$status = 'issued'$$, assign => 'commit'`],
    ] as const) {
      await database.execute(`
        select seqctl.create_series('${name}', reset => 'never');
        create table ${name} (id int primary key, status text, number bigint);
        insert into ${name} values (2, 'issued'), (1, 'draft'), (0, 'issued');
        select seqctl.attach('${name}', '${name}', ${more});
        insert into ${name} values (9, 'issued')`);
      expect(await database.rows(run(name))).toEqual([{ n: 2 }]);
      expect(await database.rows(`select id from ${name} where number is not null order by number`)).toEqual(
        [9, 0, 2].map((id) => ({ id })),
      );
    }
    await expectExact(database);
  });

  test('commit: pending rows of the same transaction are numbered once', async () => {
    const t = await make('commit', { assign: 'commit' });
    const a = await database.session('A');
    await a.query('begin');
    await a.query(`insert into ${t} (note) values ('a'), ('b')`);
    expect(await a.value(run(t))).toBe(2);
    await a.query(`insert into ${t} (note) values ('c')`);
    await a.query('commit');
    expect(await listNumbers(database, t)).toBe('1 2 3');
    await expectExact(database);
  });

  test('drafts of insert mode are left alone', async () => {
    const t = await make('drafts', { assign: 'insert', issueWhen: `status = 'issued'` });
    await database.execute(`insert into ${t} (status) values ('draft'), ('issued'), ('draft')`);
    expect(await database.rows(run(t))).toEqual([{ n: 0 }]);
    expect(await listNumbers(database, t)).toBe('- 1 -');
  });
});

test.each(isolationLevels)(
  '%s: a second caller waits and finds nothing left, or fails with 40001',
  async (level) => {
    const t = await make(`callers_${level.replaceAll(' ', '_')}`);
    const a = await database.session('A');
    const b = await database.session('B');
    await a.query(`insert into ${t} (company) select 'c' || n % 3 from generate_series(1, 30) n`);
    await a.query('begin');
    expect(await a.value(run(t, 20))).toBe(20);
    await b.query(`begin isolation level ${level}`);
    const waiting = b.start<{ n: number }>(run(t));
    await waitUntilBlocked(b, a);
    // Numbered or not, a new draft does not disturb either.
    await (await database.session('C')).query(`insert into ${t} (company) values ('c0')`);
    await a.query('commit');
    const outcome = await waiting.result.then(
      ({ rows }) => rows[0]?.n,
      (error: unknown) => (error as { code: string }).code,
    );
    if (level === 'read committed') expect(outcome).toSatisfy((n: number) => n === 10 || n === 11);
    else expect(outcome).toBe('40001');
    await b.query(level === 'read committed' ? 'commit' : 'rollback');
    await expectExact(database);
    await b.query(run(t));
    await expectExact(database);
    expect(await a.rows(`select from ${t} where number is null`)).toEqual([]);
  },
);

test('a draft that is changed or deleted by an open transaction is waited for, and judged by what it became', async () => {
  const t = await make('busy', { issueWhen: `status = 'issued'` });
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query(`insert into ${t} (status) select 'issued' from generate_series(1, 5)`);
  await a.query('begin');
  await a.query(`update ${t} set status = 'draft' where id = 1`);
  await a.query(`update ${t} set company = 'globex' where id = 2`);
  await a.query(`delete from ${t} where id = 3`);
  await a.query(`update ${t} set issued_on = '2027-01-01' where id = 4`);
  const waiting = b.start<{ n: number }>(run(t));
  await waitUntilBlocked(b, a);
  await a.query('commit');
  await waiting.result.catch((error: unknown) => {
    expect(error).toMatchObject({ code: '40001' });
  });
  await b.query(run(t));
  expect(await a.rows(`select id::int, document_number as doc from ${t} order by id`)).toEqual([
    { id: 1, doc: null },
    { id: 2, doc: 'globex-2026-001' },
    { id: 4, doc: 'acme-2027-001' },
    { id: 5, doc: 'acme-2026-001' },
  ]);
  await expectExact(database);
});

test('with chronology, drafts dated before the last issued one are refused with the date that would do', async () => {
  const t = await make('chronological', { chronology: 'enforce' });
  const a = await database.session('A');
  await a.query(`insert into ${t} (issued_on) values ('2026-05-05'), ('2026-04-04')`);
  await a.query(run(t));
  await a.query(`insert into ${t} (issued_on) values ('2026-05-04')`);
  await expect(a.query(run(t))).rejects.toMatchObject({ code: 'SQ021' });
  await a.query(`update ${t} set issued_on = '2026-05-05' where number is null`);
  expect(await a.value(run(t))).toBe(1);
  await expectExact(database);
});

test('a series that is full: the whole call fails, and nothing is burnt', async () => {
  const t = await make('filled', { series: `format => '{group}-{year}-{number}', max_number => 5` });
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (company) select case n % 2 when 0 then 'a' else 'b' end from generate_series(1, 12) n`,
  );
  await expect(a.query(run(t))).rejects.toMatchObject({ code: 'SQ014' });
  await expectExact(database);
  expect(await a.value(run(t, 10))).toBe(10);
  await expect(a.query(run(t))).rejects.toMatchObject({ code: 'SQ014' });
  await expectExact(database);
});

test('explicit numbers are refused', async () => {
  const t = await make('explicit');
  const a = await database.session('A');
  await expect(a.query(`insert into ${t} (number) values (1)`)).rejects.toMatchObject({ code: 'SQ012' });
  await expect(a.query(`insert into ${t} (document_number) values ('x')`)).rejects.toMatchObject({
    code: 'SQ012',
  });
  await a.query(`insert into ${t} default values`);
  await expect(a.query(`update ${t} set number = 3`)).rejects.toMatchObject({
    code: expect.stringMatching(/^SQ01[23]$/) as string,
  });
  await a.query(run(t));
  await expectExact(database);
});

test('partitioned: over all partitions, also those made later', async () => {
  const t = await make('parts', {
    suffix: 'partition by list (company)',
    key: 'company, id',
    beforeAttach: `create table parts_a partition of parts for values in ('a')`,
  });
  await database.execute(`create table parts_rest partition of ${t} default;
    insert into ${t} (company, issued_on) select case n % 3 when 0 then 'a' else 'b' end, date '2026-12-31' - n from generate_series(1, 60) n`);
  expect(await database.rows(run(t, 7))).toEqual([{ n: 7 }]);
  expect(await database.rows(run(t))).toEqual([{ n: 53 }]);
  await expectExact(database);
});

test('user triggers on UPDATE run as the table’s owner, never as seqctl’s', async () => {
  const owner = await makeRole('pending_owner');
  const clerk = await makeRole('pending_clerk');
  await database.execute(`
    grant create on schema public to ${owner.name};
    select seqctl.grant_access('${owner.name}', 'admin');
    select seqctl.grant_access('${clerk.name}', 'issue');
    create table pending_who (who name);
    grant insert on pending_who to public;
    select seqctl.create_series('pending_owned', reset => 'never');`);
  const o = await database.session('O', database.urlAs(owner.name, owner.password));
  await o.query(`create table pending_owned (id int primary key, number bigint)`);
  await o.query(
    `create function pending_who() returns trigger language plpgsql as $$ begin insert into public.pending_who values (current_user); return new; end $$`,
  );
  await o.query(
    `create trigger a_before before update on pending_owned for each row execute function pending_who()`,
  );
  await o.query(
    `create trigger a_after after update on pending_owned for each row execute function pending_who()`,
  );
  await o.query(`select seqctl.attach('pending_owned', 'pending_owned', assign => 'manual')`);
  await o.query(`grant insert on pending_owned to ${clerk.name}`);
  const c = await database.session('C', database.urlAs(clerk.name, clerk.password));
  await c.query(`insert into pending_owned select generate_series(1, 3)`);
  const outcome = await c.query(run('pending_owned')).then(
    () => 'numbered',
    (error: unknown) => (error as { code: string }).code,
  );
  // Whether level issue is enough for a table the role may not update is the engine's rule; if so, then without rights of its owner.
  expect(outcome).toMatch(/^(numbered|42501|SQ0\d\d)$/);
  await database.rows(run('pending_owned'));
  const seen = (await database.rows<{ who: string }>('select distinct who from pending_who')).map(
    ({ who }) => who,
  );
  expect(seen).not.toEqual([]);
  expect([owner.name, clerk.name]).toEqual(expect.arrayContaining(seen));
  await expectExact(database);
});

test('a user’s UPDATE trigger finds its tables by the search_path of the caller', async () => {
  const t = await make('audited');
  await database.execute(`
    create schema app;
    create table app.audit (what text);
    create function audit_it() returns trigger language plpgsql as $$ begin insert into audit values (tg_op); return new; end $$;
    create trigger a_audit after insert or update on ${t} for each row execute function audit_it();`);
  const a = await database.session('A');
  await a.query('set search_path = app, public');
  await a.query(`insert into public.${t} default values`);
  await a.query(run(`public.${t}`));
  expect(await a.rows('select what from app.audit')).toEqual([{ what: 'INSERT' }, { what: 'UPDATE' }]);
  expect(await a.value('show search_path')).toBe('app, public');
  await expectExact(database);
});

test.each([
  ['a table that is not attached', `select seqctl.number_pending('plain_table')`, 'SQ009'],
  ['a column that is not attached', `select seqctl.number_pending('basic', 'nonsense')`, 'SQ009'],
  ['an unknown table', `select seqctl.number_pending('nonsense')`, '42P01'],
  ['NULL', `select seqctl.number_pending(null)`, 'SQ009'],
])('%s is refused', async (_what, call, code) => {
  await database.execute('create table if not exists plain_table (number bigint)');
  await expect(database.rows(call)).rejects.toMatchObject({ code });
});

test('attach refuses manual without a primary key', async () => {
  await database.execute(
    `select seqctl.create_series('keyless', reset => 'never'); create table keyless (number bigint)`,
  );
  await expect(
    database.rows(`select seqctl.attach('keyless', 'keyless', assign => 'manual')`),
  ).rejects.toMatchObject({ code: 'SQ006' });
});

test('attach refuses manual with a primary key of ranges, and says what fits', async () => {
  await database.execute(
    `select seqctl.create_series('spans', reset => 'never'); create table spans (span daterange primary key, number bigint)`,
  );
  await expect(
    database.rows(`select seqctl.attach('spans', 'spans', assign => 'manual')`),
  ).rejects.toMatchObject({
    code: 'SQ006',
    message:
      'column span of the primary key of public.spans has type pg_catalog.daterange, by which rows cannot be found',
    hint: expect.stringContaining('no arrays, ranges, enums') as string,
  });
});

test('next_number and allocate between steps: the batch goes on after them', async () => {
  const t = await make('taken_between');
  await database.execute(
    `create table if not exists taken (series text, group_key text, period date, number bigint)`,
  );
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 6) n`);
  await a.query('begin');
  await a.query(run(t, 2));
  await a.query(
    `insert into taken values ('${t}', 'acme', '2026-01-01', seqctl.next_number('${t}', 'acme', '2026-05-05'))`,
  );
  await a.query(run(t, 2));
  await a.query('commit');
  await a.query(run(t));
  await expectExact(database);
});
