import { describe, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { attachDocuments, isolationLevels, listNumbers, makeDocuments } from '../support/drafts.js';
import { expectExact, type Invoice } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

test('a draft has no number; the UPDATE that issues it numbers it, and RETURNING shows what is stored', async () => {
  const t = await makeDocuments(database, 'basic');
  const a = await database.session('A');
  await a.query(`insert into ${t} default values`);
  expect(
    await a.rows(`insert into ${t} (status) values ('issued') returning number::int, document_number`),
  ).toEqual([{ number: 1, document_number: 'acme-2026-001' }]);
  expect(
    await a.rows(`update ${t} set status = 'issued' where id = 1 returning number::int, document_number`),
  ).toEqual([{ number: 2, document_number: 'acme-2026-002' }]);
  // Once, never again.
  await a.query(`update ${t} set status = 'issued', note = 'again'`);
  await a.query(`update ${t} set note = 'changed' where id = 2`);
  expect(await listNumbers(database, t)).toBe('2 1');
  await expectExact(database);
});

test('group and date are those of the moment of issue', async () => {
  const t = await makeDocuments(database, 'moment');
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (company, issued_on) values ('acme', '2025-12-30'), ('acme', '2025-12-31')`,
  );
  await a.query(`update ${t} set company = 'globex', issued_on = '2026-01-02' where id = 1`);
  expect(
    await a.rows(
      `update ${t} set status = 'issued', company = 'third' where id = 1 returning document_number`,
    ),
  ).toEqual([{ document_number: 'third-2026-001' }]);
  expect(
    await a.rows(
      `update ${t} set issued_on = '2026-02-02', status = 'issued' where id = 2 returning document_number`,
    ),
  ).toEqual([{ document_number: 'acme-2026-001' }]);
  await expectExact(database);
});

test('one INSERT .. SELECT of drafts and issued rows; numbers have no hole and follow the rows', async () => {
  const t = await makeDocuments(database, 'mixed');
  const a = await database.session('A');
  const insert = `insert into ${t} (company, status, issued_on)
    select 'c' || n % 3, case when n % 4 = 0 then 'issued' when n % 7 = 0 then null else 'draft' end, date '2025-06-01' + n
    from generate_series(1, 400) n order by n returning id, number`;
  const returned = await a.rows<{ id: string; number: string | null }>(insert);
  expect(returned.filter((row) => row.number !== null)).toHaveLength(100);
  expect(await a.rows(`select id, number from ${t} order by id`)).toEqual(returned);
  await a.query('begin');
  await a.query(insert);
  await a.query(`insert into ${t} default values`);
  await a.query(`insert into ${t} (status) values ('issued'), ('draft'), ('issued')`);
  await a.query('commit');
  await expectExact(database);
});

test('an UPDATE of 1000 drafts at once, some of them issued before', async () => {
  const t = await makeDocuments(database, 'many');
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (company, status) select 'c' || n % 5, case when n % 10 = 0 then 'issued' else 'draft' end from generate_series(1, 1000) n`,
  );
  const returned = await a.rows<Invoice>(
    `update ${t} set status = 'issued', note = 'all' returning id, number, document_number`,
  );
  expect(returned).toHaveLength(1000);
  expect(await a.rows(`select id, number, document_number from ${t} where number is null`)).toEqual([]);
  const stored = await a.rows<Invoice>(`select id, number, document_number from ${t}`);
  const order = (x: Invoice, y: Invoice): number => Number(x.id) - Number(y.id);
  expect(stored.sort(order)).toEqual(returned.sort(order));
  await expectExact(database);
});

test.each(isolationLevels)(
  '%s: issued and back to draft in one transaction keeps the number where protect is off',
  async (level) => {
    const t = await makeDocuments(database, `back_${level.replaceAll(' ', '_')}`, { protect: false });
    const a = await database.session('A');
    await a.query(`insert into ${t} default values`);
    await a.query(`begin isolation level ${level}`);
    await a.query(`update ${t} set status = 'issued'`);
    await a.query(`update ${t} set status = 'draft'`);
    await a.query(`insert into ${t} (status) values ('issued')`);
    await a.query('commit');
    expect(await listNumbers(database, t)).toBe('1 2');
    await a.query(`update ${t} set status = 'draft'`);
    await a.query(`update ${t} set status = 'issued'`);
    expect(await listNumbers(database, t)).toBe('1 2');
    await expectExact(database);
  },
);

test.each(isolationLevels)('%s: savepoints around issuing', async (level) => {
  const t = await makeDocuments(database, `savepoints_${level.replaceAll(' ', '_')}`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 6) n`);
  await a.query(`begin isolation level ${level}`);
  await a.query(`update ${t} set status = 'issued' where id = 1`);
  await a.query('savepoint s');
  await a.query(`update ${t} set status = 'issued' where id in (2, 3)`);
  await a.query('rollback to s');
  await a.query(`update ${t} set status = 'issued' where id = 3`);
  await a.query(`insert into ${t} (status) values ('issued')`);
  await a.query('savepoint s');
  await a.query(`update ${t} set status = 'issued' where id = 4`);
  await a.query('release s');
  await expect(
    a
      .query('savepoint x')
      .then(() => a.query(`update ${t} set status = 'issued', company = null where id = 5`)),
  ).rejects.toThrow();
  await a.query('rollback to x');
  await a.query(`update ${t} set status = 'issued' where id = 6`);
  await a.query('commit');
  expect(await listNumbers(database, t)).toBe('1 - 2 4 - 5 3');
  await expectExact(database);
  await a.query(`begin isolation level ${level}`);
  await a.query(`update ${t} set status = 'issued'`);
  await a.query('rollback');
  await a.query(`update ${t} set status = 'issued' where id = 2`);
  await expectExact(database);
});

test('ON CONFLICT DO UPDATE that issues a draft, mixed with rows that are new, draft and issued', async () => {
  const t = await makeDocuments(database, 'upsert');
  const a = await database.session('A');
  await a.query(`insert into ${t} (external, status) values ('a', 'draft'), ('b', 'issued'), ('c', 'draft')`);
  const upsert = (rows: string): string =>
    `insert into ${t} (external, status) values ${rows}
     on conflict (external) do update set status = excluded.status, note = 'upserted' returning external, number::int`;
  expect(
    await a.rows(upsert(`('x', 'issued'), ('a', 'issued'), ('y', 'draft'), ('c', 'draft'), ('z', 'issued')`)),
  ).toEqual([
    { external: 'x', number: 2 },
    { external: 'a', number: 3 },
    { external: 'y', number: null },
    { external: 'c', number: null },
    { external: 'z', number: 4 },
  ]);
  await expectExact(database);
  // Conflicts first, in the middle and last; the rows that conflict would have been issued ones themselves.
  await a.query(
    upsert(
      `('c', 'issued'), ('n1', 'issued'), ('b', 'issued'), ('n2', 'issued'), ('y', 'issued'), ('x', 'issued')`,
    ),
  );
  await expectExact(database);
  await a.query('begin');
  await a.query(upsert(`('n3', 'issued'), ('n4', 'draft'), ('n1', 'issued')`));
  await a.query(upsert(`('n4', 'issued'), ('n5', 'issued'), ('n3', 'issued')`));
  await a.query(
    `insert into ${t} (external, status) values ('n5', 'issued'), ('n6', 'issued') on conflict do nothing`,
  );
  await a.query('commit');
  await expectExact(database);
  expect(await a.rows(`select from ${t} where number is null`)).toEqual([]);
});

test('MERGE that inserts drafts and issued rows, and issues drafts', async () => {
  const t = await makeDocuments(database, 'merged');
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (external, status) select 'e' || n, case n % 3 when 0 then 'issued' else 'draft' end from generate_series(1, 9) n`,
  );
  await a.query(`
    merge into ${t} m
    using (select 'e' || n as external, case when n % 2 = 0 then 'issued' else 'draft' end as status from generate_series(5, 20) n) s
    on m.external = s.external
    when matched and m.number is null then update set status = s.status
    when not matched then insert (external, status) values (s.external, s.status)`);
  await expectExact(database);
});

test('a data-modifying CTE that inserts and issues in one statement', async () => {
  const t = await makeDocuments(database, 'cte');
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 5) n`);
  await a.query(`with u as (update ${t} set status = 'issued' where id <= 3 returning number),
      i as (insert into ${t} (status) values ('issued'), ('draft'), ('issued') returning number)
    select * from u, i`);
  await expectExact(database);
});

test('a trigger that issues another document while one is issued', async () => {
  const t = await makeDocuments(database, 'chain');
  await database.execute(`
    create function chain() returns trigger language plpgsql as $$
    begin
      if new.note = 'pull' and old.number is null then
        update ${t} set status = 'issued' where external = new.external || '+' and number is null;
      elsif new.note = 'make' and old.number is null then
        insert into ${t} (status) values ('issued'), ('draft');
      end if;
      return null;
    end $$;
    create trigger chain after update on ${t} for each row execute function chain();
    insert into ${t} (external, note) values ('a', 'pull'), ('a+', 'pull'), ('a++', 'make'), ('b', 'make'), ('c', 'x');`);
  const a = await database.session('A');
  await a.query(`update ${t} set status = 'issued' where external in ('a', 'b', 'c')`);
  await expectExact(database);
  expect(await a.value(`select count(*)::int from ${t} where number is null`)).toBe(2);
});

test('a user’s BEFORE UPDATE trigger that issues, and one that takes it back', async () => {
  const t = await makeDocuments(database, 'by_trigger');
  await database.execute(`
    create function by_trigger() returns trigger language plpgsql as $$
    begin
      if new.note = 'issue' then new.status := 'issued'; elsif new.note = 'draft' then new.status := 'draft'; elsif new.note = 'skip' then return null; end if;
      return new;
    end $$;
    create trigger a_before before insert or update on ${t} for each row execute function by_trigger();
    insert into ${t} (external) values ('a'), ('b'), ('c'), ('d')`);
  const a = await database.session('A');
  await a.query(
    `update ${t} set note = case external when 'a' then 'issue' when 'b' then 'draft' when 'c' then 'skip' end, status = case when external <> 'a' then 'issued' end`,
  );
  expect(await listNumbers(database, t)).toMatch(/^(1 - - 2|2 - - 1)$/);
  await a.query(
    `insert into ${t} (note, status) values ('issue', 'draft'), ('draft', 'issued'), ('skip', 'issued')`,
  );
  await expectExact(database);
});

describe('explicit numbers', () => {
  test('by UPDATE of a draft: only the next one', async () => {
    const t = await makeDocuments(database, 'explicit');
    const a = await database.session('A');
    await a.query(`insert into ${t} (note) select n from generate_series(1, 4) n`);
    for (const set of ['number = 1', 'number = 2', 'number = 7', `document_number = 'x'`, `number = 0`]) {
      // Still a draft: it must not take a number.
      await expect(a.query(`update ${t} set ${set} where id = 1`), set).rejects.toMatchObject({
        code: expect.stringMatching(/^SQ01[23]$/) as string,
      });
    }
    for (const set of [
      'number = 2',
      'number = -1',
      `document_number = 'acme-2026-002'`,
      `number = 1, document_number = 'no'`,
    ]) {
      await expect(
        a.query(`update ${t} set status = 'issued', ${set} where id = 1`),
        set,
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^SQ01[23]$/) as string,
      });
    }
    await a.query(`update ${t} set status = 'issued', number = 1 where id = 1`);
    await a.query(
      `update ${t} set status = 'issued', number = 2, document_number = 'acme-2026-002' where id = 2`,
    );
    await expect(
      a.query(`update ${t} set status = 'issued', number = 3 where id in (3, 4)`),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(SQ01[23]|23505)$/) as string,
    });
    await a.query(`update ${t} set status = 'issued'`);
    await expectExact(database);
    expect(await listNumbers(database, t)).toMatch(/^1 2 (3 4|4 3)$/);
  });

  test('by INSERT of a draft: refused, and nothing is left of it', async () => {
    const t = await makeDocuments(database, 'explicit_draft');
    const a = await database.session('A');
    for (const [columns, values] of [
      ['number', '1'],
      ['number', '5'],
      ['document_number', `'acme-2026-001'`],
      ['number, document_number', `1, 'acme-2026-001'`],
    ]) {
      await expect(
        a.query(`insert into ${t} (${columns}) values (${values})`),
        columns,
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^SQ01[23]$/) as string,
      });
    }
    await a.query(`insert into ${t} (status, number) values ('issued', 1)`);
    await expectExact(database);
  });
});

test('an ORM that sets every column to the value it read', async () => {
  const t = await makeDocuments(database, 'orm');
  const a = await database.session('A');
  await a.query(`insert into ${t} (status) values ('draft'), ('issued')`);
  const save = async (id: number, change: Record<string, unknown>): Promise<void> => {
    const [read] = await a.rows<Record<string, unknown>>(
      `select *, issued_on::text as issued_on from ${t} where id = $1`,
      [id],
    );
    const row = { ...read, ...change };
    const columns = Object.keys(row);
    await a.query(
      `update ${t} set ${columns.map((name, n) => `${name} = $${n + 1}`).join(', ')} where id = ${id}`,
      columns.map((name) => row[name]),
    );
  };
  await save(1, {});
  await save(2, {});
  await save(2, { note: 'x' });
  await save(1, { status: 'issued' });
  await save(1, { note: 'y', external: 'z' });
  expect(await listNumbers(database, t)).toBe('2 1');
  await expectExact(database);
});

test('a condition that is NULL, one over several columns, and one over the group and the date', async () => {
  const t = await makeDocuments(database, 'conditions', {
    columns: ', paid boolean, amount numeric',
    issueWhen: `status is distinct from 'draft' and (paid or amount > 100) and company <> 'test' and issued_on >= '2026-01-01'`,
  });
  const a = await database.session('A');
  await a.query(`insert into ${t} (status, paid, amount, company, issued_on) values
    ('x', true, null, 'acme', '2026-02-02'), ('x', null, null, 'acme', '2026-02-02'), (null, false, 101, 'acme', '2026-02-02'),
    ('x', null, 50, 'acme', '2026-02-02'), ('x', true, 1, 'test', '2026-02-02'), ('x', true, 1, 'acme', '2025-12-31'), ('draft', true, 1, 'acme', '2026-02-02')`);
  expect(await listNumbers(database, t)).toBe('1 - 2 - - - -');
  await a.query(`update ${t} set amount = 1000`);
  expect(await listNumbers(database, t)).toMatch(/^1 (3|4) 2 (3|4) - - -$/);
  await a.query(`update ${t} set company = 'acme' where company = 'test'`);
  await expectExact(database);
});

test('limits: nothing is burnt, and the draft can be issued later', async () => {
  const t = await makeDocuments(database, 'limits', {
    series: `format => '{group}-{year}-{number}', max_number => 2`,
  });
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 4) n`);
  await expect(a.query(`update ${t} set status = 'issued'`)).rejects.toMatchObject({ code: 'SQ014' });
  await a.query(`update ${t} set status = 'issued' where id in (1, 2)`);
  await expect(a.query(`update ${t} set status = 'issued' where id = 3`)).rejects.toMatchObject({
    code: 'SQ014',
  });
  await a.query(`update ${t} set status = 'issued', company = 'b' where id = 3`);
  await expectExact(database);
});

test.each(['repeatable read', 'serializable'])(
  '%s: issuing after another session did is a clean 40001, and a retry works',
  async (level) => {
    const t = await makeDocuments(database, `serial_${level.replaceAll(' ', '_')}`);
    const a = await database.session('A');
    const b = await database.session('B');
    await a.query(`insert into ${t} (status) values ('issued'), ('draft'), ('draft')`);
    const issue = (id: number): string => `update ${t} set status = 'issued' where id = ${id}`;
    await b.query(`begin isolation level ${level}`);
    await b.query(`select count(*) from ${t}`);
    await a.query(`begin isolation level ${level}`);
    await a.query(issue(2));
    const waiting = b.start(issue(3));
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await expect(waiting.result).rejects.toMatchObject({ code: '40001' });
    await b.query('rollback');
    await b.query(`begin isolation level ${level}`);
    await b.query(issue(3));
    await b.query('commit');
    await expectExact(database);
    expect(await listNumbers(database, t)).toBe('1 2 3');
  },
);

test('two sessions issue the same draft: it gets one number', async () => {
  const t = await makeDocuments(database, 'same_draft');
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 2) n`);
  await a.query('begin');
  await a.query(`update ${t} set status = 'issued' where id = 1`);
  const waiting = b.start(`update ${t} set status = 'issued', note = 'b' where id = 1`);
  await waitUntilBlocked(b, a);
  await a.query('commit');
  await waiting.result;
  await b.query(`update ${t} set status = 'issued' where id = 2`);
  expect(await listNumbers(database, t)).toBe('1 2');
  await expectExact(database);
});

describe('partitions', () => {
  const parts = {
    suffix: 'partition by range (issued_on)',
    key: 'id, issued_on',
    beforeAttach: `create table %_h1 partition of % for values from ('2026-01-01') to ('2026-07-01');
      create table %_h2 partition of % for values from ('2026-07-01') to ('2027-01-01')`,
  };
  const make = (name: string, more = {}): Promise<string> =>
    makeDocuments(database, name, {
      ...parts,
      beforeAttach: parts.beforeAttach.replaceAll('%', name),
      ...more,
    });

  test.each(['auto', 'made later'])(
    'a draft is issued, moved, and issued while it moves: partitions %s',
    async (when) => {
      const t = await make(`parts_${when.replace(' ', '_')}`);
      const a = await database.session('A');
      const isLate = when === 'made later';
      if (isLate)
        await a.query(
          `create table ${t}_late partition of ${t} for values from ('2027-01-01') to ('2028-01-01')`,
        );
      const other = isLate ? '2027-05-05' : '2026-08-08';
      await a.query(`insert into ${t} (issued_on) select '2026-02-02' from generate_series(1, 6)`);
      await a.query(
        `insert into ${t} (issued_on, status) values ('2026-02-02', 'issued'), ('${other}', 'draft'), ('${other}', 'issued')`,
      );
      await expectExact(database);
      await a.query(`update ${t} set status = 'issued' where id in (1, 8)`);
      await expectExact(database);
      // Issued by the statement that moves it.
      await a.query(`update ${t} set status = 'issued', issued_on = '${other}' where id = 2`);
      await expectExact(database);
      // Moved as a draft, then issued; a draft moved beside an issued row.
      await a.query(`update ${t} set issued_on = '${other}' where id in (3, 4)`);
      await expectExact(database);
      await a.query(`update ${t} set status = 'issued' where id in (3, 4, 5)`);
      await a.query(`update ${isLate ? `${t}_late` : `${t}_h2`} set note = 'direct'`);
      await expectExact(database);
      // An issued row keeps its number when it moves within its year.
      const before = await a.value(`select number from ${t} where id = 1`);
      await a.query(`update ${t} set issued_on = '2026-09-09' where id = 1`);
      expect(await a.value(`select number from ${t} where id = 1`)).toBe(before);
      await a.query(`update ${t} set status = 'issued', issued_on = '2026-10-10' where number is null`);
      await expectExact(database);
      expect(await a.rows(`select from ${t} where number is null`)).toEqual([]);
    },
  );
});

test('a role with INSERT, SELECT and UPDATE of the status issues drafts, and no more', async () => {
  const t = await makeDocuments(database, 'clerk');
  const a = await database.session('A');
  await a.query(`create role ${database.name}_clerk`);
  try {
    await a.query(`grant insert, select, update (status) on ${t} to ${database.name}_clerk`);
    await a.query(`set role ${database.name}_clerk`);
    await a.query(`insert into ${t} (status) values ('draft'), ('issued')`);
    await a.query(`update ${t} set status = 'issued'`);
    await expect(a.query(`update ${t} set number = 9`)).rejects.toMatchObject({ code: '42501' });
    await expect(a.query(`select seqctl.number_pending('${t}')`)).rejects.toMatchObject({ code: '42501' });
    await a.query('reset role');
    expect(await listNumbers(database, t)).toBe('2 1');
  } finally {
    await database.execute(`drop owned by ${database.name}_clerk; drop role ${database.name}_clerk`);
  }
  await expectExact(database);
});

test('two attachments of one table: each row has both numbers at its own moment', async () => {
  const t = await makeDocuments(database, 'two', {
    columns: ', second bigint, confirmed boolean not null default false',
  });
  await database.rows(`select seqctl.create_series('two_second', reset => 'never')`);
  await database.rows(`select seqctl.attach('${t}', 'two_second', 'second', issue_when => 'confirmed')`);
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (status, confirmed) select case n % 2 when 0 then 'issued' else 'draft' end, n % 3 = 0 from generate_series(1, 12) n`,
  );
  await a.query(`update ${t} set confirmed = true where id % 4 = 0`);
  await a.query(`update ${t} set status = 'issued', confirmed = true where id > 6`);
  await a.query(`update ${t} set status = 'issued' where number is null`);
  await a.query(`update ${t} set confirmed = true`);
  await expectExact(database);
});

test('detach and attach again with another condition', async () => {
  const t = await makeDocuments(database, 'again');
  const a = await database.session('A');
  await a.query(`insert into ${t} (status) values ('issued'), ('draft'), ('issued')`);
  await a.query(`select seqctl.detach('${t}', 'number')`);
  await attachDocuments(database, t, { issueWhen: `status in ('issued', 'paid')` });
  await a.query(`update ${t} set status = 'paid' where id = 2`);
  await a.query(`insert into ${t} (status) values ('paid')`);
  expect(await listNumbers(database, t)).toBe('1 3 2 4');
  await expectExact(database);
  expect(
    await a.rows(
      `select issue_when, assign, chronology, protect from seqctl.attachment where target = '${t}'::regclass`,
    ),
  ).toEqual([
    {
      issue_when: expect.stringMatching(
        /^\(?status = ANY \(ARRAY\['issued'::text, 'paid'::text\]\)\)?$/,
      ) as string,
      assign: 'insert',
      chronology: 'off',
      protect: true,
    },
  ]);
});
