import { describe, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { type DocumentOptions, isolationLevels, listNumbers, makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { type Session, waitUntilBlocked } from '../support/session.js';
import { copyIn } from '../support/copy.js';

const makeRole = useRoles();
const database = useDatabase();

/** Numbered at commit; every row, unless there is a condition. */
const make = (name: string, options: DocumentOptions = {}): Promise<string> =>
  makeDocuments(database, name, { assign: 'commit', issueWhen: null, ...options });

const inTransaction = async (session: Session, ...statements: string[]): Promise<void> => {
  await session.query('begin');
  for (const statement of statements) await session.query(statement);
  await session.query('commit');
};

test.each(isolationLevels)('%s: NULL until the commit, a number after it', async (level) => {
  const t = await make(`basic_${level.replaceAll(' ', '_')}`);
  const a = await database.session('A');
  await a.query(`begin isolation level ${level}`);
  expect(await a.rows(`insert into ${t} default values returning number, document_number`)).toEqual([
    { number: null, document_number: null },
  ]);
  await a.query(`insert into ${t} (company) values ('b'), ('acme'), ('b')`);
  expect(await listNumbersOf(a, t)).toBe('- - - -');
  await a.query('commit');
  expect(await listNumbers(database, t)).toBe('1 1 2 2');
  // A statement of its own is a transaction of its own.
  await a.query(`insert into ${t} (company) values ('acme'), ('b'), ('acme')`);
  expect(await listNumbers(database, t)).toBe('1 1 2 2 3 3 4');
  await expectExact(database);
});

async function listNumbersOf(session: Session, table: string): Promise<string> {
  return session.value(`select string_agg(coalesce(number::text, '-'), ' ' order by id) from ${table}`);
}

test('the order is that of the statements, and within a statement that of insertion', async () => {
  const t = await make('order_of');
  const a = await database.session('A');
  await inTransaction(
    a,
    `insert into ${t} (id, company) values (9, 'acme'), (7, 'acme'), (8, 'b')`,
    `insert into ${t} (id) values (3)`,
    `insert into ${t} (id) select n from generate_series(6, 4, -1) n`,
    `insert into ${t} (id, company) values (1, 'b')`,
  );
  expect(await a.rows(`select id::int, company, number::int from ${t} order by company, number`)).toEqual([
    ...[9, 7, 3, 6, 5, 4].map((id, n) => ({ id, company: 'acme', number: n + 1 })),
    ...[8, 1].map((id, n) => ({ id, company: 'b', number: n + 1 })),
  ]);
  await expectExact(database);
});

test('group and date are those of the commit', async () => {
  const t = await make('moment');
  const a = await database.session('A');
  await inTransaction(
    a,
    `insert into ${t} (company, issued_on) values ('acme', '2025-01-01'), ('acme', '2025-01-01'), ('acme', '2025-01-01'), ('acme', '2025-01-01')`,
    `update ${t} set company = 'globex' where id = 1`,
    `update ${t} set issued_on = '2026-05-05' where id = 2`,
    `update ${t} set id = 100 + id where id = 3`,
  );
  expect(await a.rows(`select id::int, document_number as doc from ${t} order by id`)).toEqual([
    { id: 1, doc: 'globex-2025-001' },
    { id: 2, doc: 'acme-2026-001' },
    { id: 4, doc: expect.stringMatching(/^acme-2025-00[12]$/) as string },
    { id: 103, doc: expect.stringMatching(/^acme-2025-00[12]$/) as string },
  ]);
  await expectExact(database);
});

test('primary keys that change places while pending', async () => {
  const t = await make('key_swap');
  const a = await database.session('A');
  await inTransaction(
    a,
    `insert into ${t} (id) values (1), (2), (3)`,
    `update ${t} set id = -1 where id = 1`,
    `update ${t} set id = 1 where id = 2`,
    `update ${t} set id = 2 where id = -1`,
    `delete from ${t} where id = 3`,
    `insert into ${t} (id) values (3)`,
  );
  await expectExact(database);
  expect((await a.rows(`select number::int as n from ${t} order by n`)).map(({ n }) => n as number)).toEqual([
    1, 2, 3,
  ]);
});

test.each(isolationLevels)('%s: deleted, rolled back and dropped rows take no number', async (level) => {
  const t = await make(`lost_${level.replaceAll(' ', '_')}`);
  const a = await database.session('A');
  await a.query(`begin isolation level ${level}`);
  await a.query(`insert into ${t} (note) values ('1'), ('deleted'), ('2')`);
  await a.query('savepoint s');
  await a.query(`insert into ${t} (note) values ('rolled back'), ('rolled back')`);
  await a.query(`update ${t} set company = 'rolled back'`);
  await a.query('rollback to s');
  await a.query(`delete from ${t} where note = 'deleted'`);
  await a.query(`insert into ${t} (note) values ('3')`);
  await a.query('savepoint s');
  await a.query(`insert into ${t} (note) values ('4')`);
  await a.query('release s');
  await a.query('savepoint s');
  await expect(a.query(`insert into ${t} (note, id) values ('x', 99), ('y', 99)`)).rejects.toMatchObject({
    code: '23505',
  });
  await a.query('rollback to s');
  await a.query('commit');
  expect(await a.rows(`select note from ${t} order by number`)).toEqual(
    ['1', '2', '3', '4'].map((note) => ({ note })),
  );
  await expectExact(database);
  await a.query(`begin isolation level ${level}`);
  await a.query(`insert into ${t} default values`);
  await a.query(`delete from ${t} where number is null`);
  await a.query('commit');
  await a.query('begin');
  await a.query(`insert into ${t} (note) values ('x')`);
  await a.query('rollback');
  await a.query('begin');
  await a.query(`insert into ${t} (note) values ('5')`);
  await a.query('commit');
  expect(await a.value(`select max(number)::int from ${t}`)).toBe(5);
  await expectExact(database);
});

test('ON CONFLICT in both forms, and a trigger that drops rows: no hole', async () => {
  const t = await make('conflicts');
  await database.execute(`
    create function drop_some() returns trigger language plpgsql as $$ begin if new.note = 'drop' then return null; end if; return new; end $$;
    create trigger a_drop before insert on ${t} for each row execute function drop_some()`);
  const a = await database.session('A');
  await inTransaction(
    a,
    `insert into ${t} (external) values ('a'), ('b') on conflict do nothing`,
    `insert into ${t} (external) values ('b'), ('c'), ('a'), ('d'), ('c') on conflict do nothing`,
    `insert into ${t} (external, note) values ('e', 'drop'), ('f', null), ('g', 'drop')`,
    `insert into ${t} (external) values ('f'), ('h') on conflict (external) do update set note = 'again'`,
  );
  await a.query(
    `insert into ${t} (external) values ('a'), ('i') on conflict (external) do update set note = 'again'`,
  );
  await a.query(`insert into ${t} (external) values ('a'), ('i') on conflict do nothing`);
  expect(await a.rows(`select external, number::int from ${t} order by number`)).toEqual(
    ['a', 'b', 'c', 'd', 'f', 'h', 'i'].map((external, n) => ({ external, number: n + 1 })),
  );
  await expectExact(database);
});

describe('with a condition', () => {
  test.each(isolationLevels)(
    '%s: issued and back, back and issued, within one transaction',
    async (level) => {
      const t = await make(`condition_${level.replaceAll(' ', '_')}`, { issueWhen: `status = 'issued'` });
      const a = await database.session('A');
      await a.query(`insert into ${t} (note) values ('early draft'), ('stays')`);
      await a.query(`begin isolation level ${level}`);
      await a.query(
        `insert into ${t} (note, status) values ('back', 'issued'), ('draft', 'draft'), ('kept', 'issued')`,
      );
      await a.query(`update ${t} set status = 'draft' where note = 'back'`);
      await a.query(`update ${t} set status = 'issued' where note = 'early draft'`);
      await a.query(`insert into ${t} (note, status) values ('to and fro', 'issued')`);
      await a.query(`update ${t} set status = 'draft' where note = 'to and fro'`);
      await a.query(`update ${t} set status = 'issued' where note = 'to and fro'`);
      await a.query('commit');
      expect(await a.rows(`select note from ${t} where number is not null order by number`)).toEqual(
        ['kept', 'early draft', 'to and fro'].map((note) => ({ note })),
      );
      await expectExact(database);
      await a.query(`update ${t} set status = 'issued' where number is null`);
      await expectExact(database);
      expect(await a.rows(`select from ${t} where number is null`)).toEqual([]);
    },
  );

  test('an UPDATE of 1000 drafts mixed with issued rows', async () => {
    const t = await make('many', { issueWhen: `status = 'issued'` });
    const a = await database.session('A');
    await a.query(
      `insert into ${t} (company, status) select 'c' || n % 7, case n % 3 when 0 then 'issued' else 'draft' end from generate_series(1, 1000) n`,
    );
    await expectExact(database);
    await a.query(`update ${t} set status = 'issued', note = 'all'`);
    await expectExact(database);
    expect(await a.value(`select count(number)::int from ${t}`)).toBe(1000);
    // Saved once more as it is: nothing happens.
    await a.query(
      `update ${t} set status = status, number = number, document_number = document_number, note = note`,
    );
    await expectExact(database);
  });

  test('upsert and MERGE that issue drafts', async () => {
    const t = await make('merge_issue', { issueWhen: `status = 'issued'` });
    const a = await database.session('A');
    await a.query(
      `insert into ${t} (external, status) select 'e' || n, case n % 3 when 0 then 'issued' else 'draft' end from generate_series(1, 9) n`,
    );
    await inTransaction(
      a,
      `insert into ${t} (external, status) select 'e' || n, 'issued' from generate_series(7, 12) n on conflict (external) do update set status = 'issued'`,
      `merge into ${t} m using (select 'e' || n as external from generate_series(1, 20) n) s on m.external = s.external
       when matched and m.status = 'draft' then update set status = case when m.external = 'e1' then 'draft' else 'issued' end
       when not matched then insert (external, status) values (s.external, case when s.external like '%5' then 'draft' else 'issued' end)`,
    );
    await expectExact(database);
    expect(
      (await a.rows(`select external from ${t} where number is null order by 1`)).map(
        (row) => row['external'] as string,
      ),
    ).toEqual(['e1', 'e15']);
  });
});

describe('SET CONSTRAINTS', () => {
  test('ALL IMMEDIATE gives the numbers of what is pending, and then at the end of each statement', async () => {
    const t = await make('immediate');
    const a = await database.session('A');
    await a.query('begin');
    await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
    await a.query('set constraints all immediate');
    expect(await listNumbersOf(a, t)).toBe('1 1');
    await a.query(`insert into ${t} (company) values ('acme'), ('acme')`);
    expect(await listNumbersOf(a, t)).toBe('1 1 2 3');
    await a.query('set constraints all deferred');
    await a.query(`insert into ${t} default values`);
    expect(await listNumbersOf(a, t)).toBe('1 1 2 3 -');
    await a.query('commit');
    expect(await listNumbers(database, t)).toBe('1 1 2 3 4');
    await expectExact(database);
  });

  test('ALL IMMEDIATE first, and rolled back', async () => {
    const t = await make('immediate_first');
    const a = await database.session('A');
    await a.query('begin');
    await a.query('set constraints all immediate');
    await a.query(`insert into ${t} default values`);
    await a.query('savepoint s');
    await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
    await a.query('rollback to s');
    await a.query(`insert into ${t} default values`);
    expect(await listNumbersOf(a, t)).toMatch(/^1 2$/);
    await a.query('commit');
    await expectExact(database);
    await a.query('begin');
    await a.query(`insert into ${t} default values`);
    await a.query('savepoint s');
    await a.query('set constraints all immediate');
    await a.query('rollback to s');
    await a.query(`insert into ${t} default values`);
    await a.query('commit');
    expect(await listNumbers(database, t)).toBe('1 2 3 4');
    await expectExact(database);
  });
});

test('a deferred constraint trigger of the user that inserts more documents at commit', async () => {
  const t = await make('deferred');
  const other = await make('deferred_other', { sharedSeries: t });
  await database.execute(`
    create function more() returns trigger language plpgsql as $$
    begin
      if new.note ~ '^[0-9]$' and new.note::int > 0 then
        insert into ${t} (company, note) values (new.company, new.note::int - 1);
        insert into ${other} (company) values (new.company);
      end if;
      return null;
    end $$;
    create constraint trigger more after insert on ${t} deferrable initially deferred for each row execute function more()`);
  const a = await database.session('A');
  await inTransaction(
    a,
    `insert into ${t} (note) values ('2'), ('0'), ('3')`,
    `insert into ${t} (company, note) values ('b', '1')`,
  );
  await expectExact(database);
  expect(await a.value(`select count(*)::int from ${t}`)).toBe(10);
  expect(
    await a.rows(`select from ${t} where number is null union all select from ${other} where number is null`),
  ).toEqual([]);
  await a.query(`insert into ${t} (note) values ('4')`);
  await expectExact(database);
});

test('two tables of one series, and tables of other modes, in one transaction', async () => {
  const t = await make('shared');
  const other = await make('shared_other', { sharedSeries: t });
  const now = await makeDocuments(database, 'shared_now', { sharedSeries: t, issueWhen: null });
  const later = await makeDocuments(database, 'shared_later', {
    sharedSeries: t,
    assign: 'manual',
    issueWhen: null,
  });
  const a = await database.session('A');
  await inTransaction(
    a,
    `insert into ${t} (company) values ('a'), ('b'), ('a')`,
    `insert into ${now} (company) values ('b'), ('a')`,
    `insert into ${other} (company) values ('a'), ('b')`,
    `insert into ${later} (company) values ('a'), ('b')`,
    `insert into ${t} (company) values ('b')`,
    `select seqctl.number_pending('${later}')`,
    `insert into ${now} (company) values ('a'), ('b')`,
    `insert into ${later} (company) values ('a')`,
  );
  await expectExact(database);
  await a.query('begin');
  await a.query(`insert into ${t} (company) values ('a')`);
  await a.query(`insert into ${now} (company) values ('a')`);
  await a.query('savepoint s');
  await a.query(`insert into ${now} (company) values ('a')`);
  await a.query(`insert into ${other} (company) values ('a')`);
  await a.query('rollback to s');
  await a.query('set constraints all immediate');
  await a.query(`insert into ${now} (company) values ('a'), ('b')`);
  await a.query(`insert into ${other} (company) values ('a'), ('b')`);
  await a.query('commit');
  await expectExact(database);
  expect(await a.value(`select count(*)::int from ${later} where number is null`)).toBe(1);
});

test.each(['commit prepared', 'rollback prepared'])('PREPARE TRANSACTION, %s', async (end) => {
  const t = await make(`two_phase_${end.slice(0, 3)}`);
  const a = await database.session('A');
  const b = await database.session('B');
  const id = `${database.name}_${end.slice(0, 3)}`;
  await a.query(`insert into ${t} default values`);
  await a.query('begin');
  await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
  await a.query('savepoint s');
  await a.query(`insert into ${t} default values`);
  await a.query('rollback to s');
  await a.query(`insert into ${t} default values`);
  await a.query(`prepare transaction '${id}'`);
  const waiting = b.start(`insert into ${t} default values`);
  await waitUntilBlocked(b);
  await a.query(`insert into ${t} (company) values ('third')`);
  await a.query(`${end} '${id}'`);
  await waiting.result;
  await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
  await expectExact(database);
  expect(await a.value(`select max(number)::int from ${t}`)).toBe(end.startsWith('commit') ? 5 : 3);
});

test('an open transaction holds no counter; the commit does', async () => {
  const t = await make('no_lock');
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query(`insert into ${t} default values`);
  await a.query('begin');
  await a.query(`insert into ${t} default values`);
  await b.query(`set lock_timeout = '5s'`);
  // Inserted later, committed earlier: the earlier number.
  expect(await b.rows(`insert into ${t} (note) values ('b') returning number`)).toEqual([{ number: null }]);
  await a.query('set constraints all immediate');
  const waiting = b.start(`insert into ${t} default values`);
  await waitUntilBlocked(b, a);
  await a.query('commit');
  await waiting.result;
  expect(await listNumbers(database, t)).toBe('1 3 2 4');
  await expectExact(database);
});

test('two groups in opposite order are no deadlock', async () => {
  const t = await make('no_deadlock');
  const sessions = await Promise.all(['A', 'B'].map((name) => database.session(name)));
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(
      sessions.map((session, n) =>
        inTransaction(
          session,
          `insert into ${t} (company) values ('${n === 0 ? 'a' : 'b'}')`,
          `insert into ${t} (company) values ('${n === 0 ? 'b' : 'a'}')`,
        ),
      ),
    );
  }
  await expectExact(database);
});

describe('serialization', () => {
  test.each(['repeatable read', 'serializable'])(
    '%s: a counter that moved since the snapshot is 40001 at commit; the retry works',
    async (level) => {
      const t = await make(`serial_${level.replaceAll(' ', '_')}`);
      const a = await database.session('A');
      const b = await database.session('B');
      await a.query(`insert into ${t} default values`);
      await b.query(`begin isolation level ${level}`);
      await b.query(`insert into ${t} default values`);
      await a.query(`insert into ${t} default values`);
      await expect(b.query('commit')).rejects.toMatchObject({ code: '40001' });
      await b.query(`begin isolation level ${level}`);
      await b.query(`insert into ${t} default values`);
      await b.query('commit');
      await expectExact(database);
      expect(await a.value(`select max(number)::int from ${t}`)).toBe(3);
    },
  );
});

test('COPY, and a bulk load over many groups', async () => {
  const t = await make('bulk');
  const a = await database.session('A');
  await a.query('begin');
  await copyIn(
    a,
    `copy ${t} (company, note) from stdin`,
    Array.from({ length: 500 }, (_, n) => `c${n % 13}\t${n}`),
  );
  await a.query(
    `insert into ${t} (company, issued_on, note) select 'c' || n % 17, date '2025-10-01' + n % 200, n from generate_series(500, 2500) n`,
  );
  await a.query('commit');
  await expectExact(database);
  // In the order of insertion, per counter.
  expect(
    await a.rows(
      `select from (select note::int - lag(note::int) over (partition by company, extract(year from issued_on) order by number) as step from ${t}) x where step <= 0`,
    ),
  ).toEqual([]);
});

test('explicit numbers are refused, by INSERT always, by UPDATE unless it is the next', async () => {
  const t = await make('explicit', { issueWhen: `status = 'issued'` });
  const a = await database.session('A');
  for (const status of ['draft', 'issued']) {
    for (const [columns, values] of [
      ['number', '1'],
      ['number', '77'],
      ['document_number', `'acme-2026-001'`],
    ]) {
      await expect(
        a.query(`insert into ${t} (status, ${columns}) values ('${status}', ${values})`),
      ).rejects.toMatchObject({ code: 'SQ012' });
    }
  }
  await a.query(`insert into ${t} default values`);
  for (const set of ['number = 2', 'number = 0', `status = 'issued', number = 5`]) {
    await expect(a.query(`update ${t} set ${set}`), set).rejects.toMatchObject({
      code: expect.stringMatching(/^SQ01[23]$/) as string,
    });
  }
  // In one transaction with rows that are pending.
  await a.query('begin');
  await a.query(`insert into ${t} (status) values ('issued')`);
  await a.query('savepoint s');
  await expect(a.query(`update ${t} set number = 9 where status = 'issued'`)).rejects.toMatchObject({
    code: expect.stringMatching(/^SQ01[23]$/) as string,
  });
  await a.query('rollback to s');
  await a.query('commit');
  await expectExact(database);
});

describe('rights', () => {
  test('a role with only INSERT; user triggers run as the table’s owner or the session’s role, never as seqctl’s owner', async () => {
    const owner = await makeRole('commit_owner');
    const clerk = await makeRole('commit_clerk');
    await database.execute(`
      grant create on schema public to ${owner.name};
      select seqctl.grant_access('${owner.name}', 'admin');
      create table who (what text, who name);
      grant insert on who to public;
      select seqctl.create_series('owned', format => '{group}-{number}', reset => 'never');`);
    const o = await database.session('O', database.urlAs(owner.name, owner.password));
    await o.query(
      `create table owned (id bigint generated by default as identity primary key, company text, status text, number bigint, document_number text)`,
    );
    await o.query(`create function record_who() returns trigger language plpgsql as $$
      begin
        insert into public.who values (tg_when || ' ' || tg_op || ' ' || tg_level, current_user);
        return case when tg_op = 'DELETE' then old else new end;
      end $$`);
    for (const [when, level] of [
      ['before', 'row'],
      ['after', 'row'],
      ['before', 'statement'],
      ['after', 'statement'],
    ]) {
      await o.query(
        `create trigger a_${when}_${level} ${when} insert or update on owned for each ${level} execute function record_who()`,
      );
    }
    await o.query(
      `create constraint trigger a_deferred after insert or update on owned deferrable initially deferred for each row execute function record_who()`,
    );
    await o.query(
      `select seqctl.attach('owned', 'owned', group_columns => '{company}', document_number_column => 'document_number', assign => 'commit')`,
    );
    await o.query(`grant insert on owned to ${clerk.name}`);
    const c = await database.session('C', database.urlAs(clerk.name, clerk.password));
    await inTransaction(
      c,
      `insert into owned (company) values ('a'), ('b')`,
      `insert into owned (company) values ('a')`,
    );
    await c.query(`insert into owned (company) values ('b')`);
    await c.query('begin');
    await c.query(`insert into owned (company) values ('b')`);
    await c.query('set constraints all immediate');
    await c.query('commit');
    await expectExact(database);
    expect((await database.rows(`select from owned where number is null`)).length).toBe(0);
    const seen = (await database.rows<{ who: string }>('select distinct who from who')).map(({ who }) => who);
    expect([owner.name, clerk.name]).toEqual(expect.arrayContaining(seen));
    expect(await database.rows(`select from who where what = 'BEFORE UPDATE ROW'`)).not.toEqual([]);
    // What makes the numbers is out of reach.
    for (const statement of [
      'select * from seqctl.pending',
      `insert into seqctl.pending (attachment_id, keys) values (1, '{}')`,
      'delete from seqctl.pending',
      'select number from owned',
      'update owned set number = 1',
      `select seqctl.number_pending('owned')`,
    ]) {
      await expect(c.query(statement), statement).rejects.toMatchObject({ code: '42501' });
    }
    const functions = await database.rows<{ call: string }>(
      `select format('select %s(%s)', p.oid::regproc, (
          select string_agg('null::' || format_type(t, null), ', ' order by at) from unnest(p.proargtypes) with ordinality u (t, at))) as call
       from pg_proc p where p.proname ~ '_seqctl_write$'`,
    );
    for (const { call } of functions)
      await expect(c.query(call), call).rejects.toMatchObject({ code: '42501' });
  });

  test('the session’s role is dropped to its own rights again at commit', async () => {
    const t = await make('role_after');
    const a = await database.session('A');
    const role = await makeRole('role_after');
    await a.query(`grant insert on ${t} to ${role.name}`);
    await a.query('begin');
    await a.query(`set local role ${role.name}`);
    await a.query(`insert into ${t} default values`);
    await a.query('reset role');
    await a.query('commit');
    await a.query(`set role ${role.name}`);
    await a.query(`insert into ${t} default values`);
    expect(await a.value('select current_user')).toBe(role.name);
    await a.query('reset role');
    await expectExact(database);
  });
});

test.each(['deferred', 'immediate'])(
  'a user’s UPDATE trigger finds its tables by the search_path of the session: %s',
  async (when) => {
    const t = await make(`audited_${when}`);
    await database.execute(`
    create schema app_${when};
    create table app_${when}.audit (what text);
    create function audit_${when}() returns trigger language plpgsql as $$ begin insert into audit values (tg_op); return new; end $$;
    create trigger a_audit before insert or update on ${t} for each row execute function audit_${when}();`);
    const a = await database.session('A');
    await a.query(`set search_path = app_${when}, public`);
    await a.query('begin');
    if (when === 'immediate') await a.query('set constraints all immediate');
    await a.query(`insert into public.${t} default values`);
    await a.query('commit');
    expect(await a.rows(`select what from app_${when}.audit`)).toEqual([
      { what: 'INSERT' },
      { what: 'UPDATE' },
    ]);
    expect(await a.value('show search_path')).toBe(`app_${when}, public`);
    await expectExact(database);
  },
);

test('forged settings give right numbers or an error', async () => {
  const t = await make('forged', { protect: true });
  const a = await database.session('A');
  const [ids] = await a.rows<{ series: number; attachment: number }>(
    `select series_id as series, id as attachment from seqctl.attachment where target = '${t}'::regclass`,
  );
  const names = [
    'hot',
    'at',
    'held',
    'moving',
    'pending',
    'write',
    'writing',
    'keep',
    'protect',
    'settle',
    'issue',
    'commit',
    'numbering',
  ];
  await a.query(`insert into ${t} default values`);
  for (const value of [
    '',
    '1',
    'on',
    'x\u0001y\u00011 2',
    '0 \u00011\u00011',
    '(0,1)\u0001999 1\u00017\u00010',
  ]) {
    await a.query('begin');
    for (const name of names) {
      for (const suffix of ['', `_${ids?.series}`, `_${ids?.attachment}`, `_${ids?.attachment}_0`]) {
        await a.query(`select set_config($1, $2, true)`, [`seqctl.${name}${suffix}`, value]);
      }
    }
    const attempts = [
      `insert into ${t} (company) values ('acme'), ('b')`,
      `update ${t} set number = number + 1`,
      `update ${t} set number = null, document_number = null`,
      `delete from ${t} where number is not null`,
      `update ${t} set company = 'moved'`,
    ];
    for (const attempt of attempts) {
      await a.query('savepoint s');
      await a.query(attempt).catch(() => a.query('rollback to s'));
    }
    await a.query('commit').catch(() => undefined);
    await expectExact(database);
  }
});

test('a transaction that failed, an error at commit, and a row without group or date', async () => {
  const t = await make('errors', {
    columns: ", constraint no_bad check (document_number <> 'bad-2026-001')",
  });
  const a = await database.session('A');
  await a.query(`insert into ${t} default values`);
  await a.query('begin');
  await a.query(`insert into ${t} (company) values ('acme'), ('bad')`);
  await expect(a.query('commit')).rejects.toMatchObject({ code: '23514' });
  await a.query('begin');
  await a.query(`insert into ${t} default values`);
  await expect(a.query('select 1 / 0')).rejects.toThrow();
  await a.query('commit');
  await a.query(`insert into ${t} default values`);
  expect(await listNumbers(database, t)).toBe('1 2');
  await expectExact(database);
  await database.execute(`alter table ${t} alter company drop not null`);
  await expect(a.query(`insert into ${t} (company) values (null)`)).rejects.toMatchObject({ code: 'SQ010' });
  // It may be incomplete until the commit.
  await inTransaction(
    a,
    `insert into ${t} (company, note) values (null, 'later')`,
    `update ${t} set company = 'b' where note = 'later'`,
  );
  await expectExact(database);
});

test('a series that is full: nothing is burnt', async () => {
  const t = await make('filled', { series: `format => '{group}-{year}-{number}', max_number => 3` });
  const a = await database.session('A');
  await a.query(`insert into ${t} default values`);
  await expect(
    a.query(`insert into ${t} (company) select 'acme' from generate_series(1, 3)`),
  ).rejects.toMatchObject({ code: 'SQ014' });
  await a.query(`insert into ${t} (company) select 'acme' from generate_series(1, 2)`);
  await expect(a.query(`insert into ${t} default values`)).rejects.toMatchObject({ code: 'SQ014' });
  await a.query(`insert into ${t} (company) values ('b')`);
  await expectExact(database);
});

test('the turn of the year in Rome: 23:30 UTC on 31 December is next year’s', async () => {
  const t = await make('rome', {
    dateType: 'timestamptz',
    series: `time_zone => 'Europe/Rome', format => '{year}.{number}'`,
    groupColumns: '{}',
  });
  const a = await database.session('A');
  for (const zone of ['UTC', 'Pacific/Kiritimati', 'America/New_York']) {
    await a.query(`set timezone = '${zone}'`);
    await inTransaction(
      a,
      `insert into ${t} (issued_on) values ('2025-12-31 22:59:59.999+00'), ('2025-12-31 23:30+00')`,
      `insert into ${t} (issued_on) values ('2026-12-31 23:30+00'), ('2026-12-31 22:30+00')`,
    );
  }
  expect(await a.rows(`select document_number as doc from ${t} order by id limit 4`)).toEqual(
    ['2025.1', '2026.1', '2027.1', '2026.2'].map((doc) => ({ doc })),
  );
  await expectExact(database);
});

describe('partitions', () => {
  test('moved while pending, moved when issued, and a partition made later', async () => {
    const t = await make('parts', {
      suffix: 'partition by range (issued_on)',
      key: 'issued_on, id',
      beforeAttach: `create table parts_h1 partition of parts for values from ('2026-01-01') to ('2026-07-01');
        create table parts_h2 partition of parts for values from ('2026-07-01') to ('2027-01-01')`,
    });
    const a = await database.session('A');
    await a.query(
      `create table parts_late partition of parts for values from ('2027-01-01') to ('2028-01-01')`,
    );
    await inTransaction(
      a,
      `insert into ${t} (issued_on) values ('2026-02-02'), ('2026-02-02'), ('2026-08-08'), ('2027-01-01'), ('2027-02-02')`,
      `update ${t} set issued_on = '2026-09-09' where id = 1`,
      `update ${t} set issued_on = '2026-03-03' where id = 4`,
      `update ${t} set issued_on = '2027-03-03' where id = 3`,
      `insert into parts_h1 (id, issued_on) values (50, '2026-04-04')`,
      `insert into parts_late (id, issued_on) values (51, '2027-04-04')`,
    );
    await expectExact(database);
    expect(await a.rows(`select from ${t} where number is null`)).toEqual([]);
    const before = await a.rows(`select id, number from ${t} where issued_on < '2027-01-01' order by id`);
    await a.query(
      `update ${t} set issued_on = case when issued_on < '2026-07-01' then date '2026-12-12' else '2026-01-01' end where issued_on < '2027-01-01'`,
    );
    expect(await a.rows(`select id, number from ${t} where issued_on < '2027-01-01' order by id`)).toEqual(
      before,
    );
    await inTransaction(
      a,
      `insert into ${t} (issued_on, note) values ('2026-02-02', 'late')`,
      `update ${t} set issued_on = '2027-06-06' where note = 'late'`,
      `insert into ${t} (issued_on) values ('2026-08-08')`,
    );
    await expectExact(database);
  });
});

test('composite keys of every built-in kind', async () => {
  await database.execute(`
    select seqctl.create_series('keyed', reset => 'never');
    create table keyed (a text, b uuid default gen_random_uuid(), c timestamptz default clock_timestamp(), d numeric, e bytea default '\\x00ff', number bigint, primary key (d, a, c, e, b));
    select seqctl.attach('keyed', 'keyed', assign => 'commit')`);
  const a = await database.session('A');
  await a.query(`set datestyle = 'German'`);
  await a.query(`set timezone = 'Asia/Kolkata'`);
  await a.query(`set extra_float_digits = 0`);
  await a.query(`set bytea_output = 'escape'`);
  for (const text of [`'`, '"', '{a,b}', 'NULL', '', ' ', '\\', '\n', 'ä€😀', '{}', 'null', ',', '()']) {
    await a.query(`insert into keyed (a, d) values ($1, 1.0), ($1, 2.50), ($1, 'NaN')`, [text]);
  }
  await a.query('begin');
  await a.query(`insert into keyed (a, d) select 'x' || n, n / 7.0 from generate_series(1, 300) n`);
  await a.query(`set local datestyle = 'SQL, DMY'`);
  await a.query(`set local timezone = 'UTC'`);
  await a.query('commit');
  await expectExact(database);
  expect(await a.rows('select from keyed where number is null')).toEqual([]);
});

test.each([
  ['no primary key', `create table bad_key (g text, number bigint)`, 'SQ006'],
  [
    'a primary key of an enum',
    `create type bad_enum as enum ('a'); create table bad_key (g bad_enum primary key, number bigint)`,
    'SQ006',
  ],
  ['a number that is not null', `create table bad_key (g text primary key, number bigint not null)`, 'SQ006'],
])('attach refuses %s', async (_what, create, code) => {
  await database.rows(`select seqctl.create_series('bad_key', reset => 'never')`);
  await database.execute(create);
  await expect(
    database.rows(`select seqctl.attach('bad_key', 'bad_key', assign => 'commit')`),
  ).rejects.toMatchObject({ code });
  await database.execute(
    `drop table bad_key; drop type if exists bad_enum; select seqctl.drop_series('bad_key')`,
  );
});

test('nothing stays pending: after commits, rollbacks and killed sessions the list is of no use to anybody', async () => {
  const t = await make('leftovers');
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query(`insert into ${t} default values`);
  await b.query('begin');
  await b.query(`insert into ${t} default values`);
  await b.kill();
  await a.query('begin');
  await a.query(`insert into ${t} default values`);
  await a.query('rollback');
  await a.query(`insert into ${t} default values`);
  await expectExact(database);
  expect(await a.rows('select from seqctl.pending')).toEqual([]);
});
