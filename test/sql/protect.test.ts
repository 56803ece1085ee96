import { describe, expect, onTestFinished, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { type DocumentOptions, listNumbers, makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

/** Rows 1 and 2 are issued, row 3 is a draft. */
async function makeThree(name: string, options: DocumentOptions = {}): Promise<string> {
  const t = await makeDocuments(database, name, options);
  await database.execute(`insert into ${t} (status) values ('issued'), ('issued'), ('draft')`);
  if (options.assign === 'manual') await database.rows(`select seqctl.number_pending('${t}')`);
  return t;
}

const refused = { code: 'SQ022' };

describe.each(['insert', 'commit', 'manual'] as const)('assign => %s', (assign) => {
  test('DELETE, TRUNCATE and UPDATE of what an issued row was numbered by', async () => {
    const t = await makeThree(`refused_${assign}`, { assign });
    const a = await database.session('A');
    for (const statement of [
      `delete from ${t} where id = 1`,
      `delete from ${t}`,
      `truncate ${t}`,
      `truncate ${t} restart identity cascade`,
      `update ${t} set number = 7 where id = 1`,
      `update ${t} set number = null where id = 2`,
      `update ${t} set number = number + 10 where number is not null`,
      `update ${t} set document_number = 'x' where id = 1`,
      `update ${t} set document_number = null where id = 1`,
      `update ${t} set number = null, document_number = null, status = 'draft' where id = 1`,
      `update ${t} set company = 'globex' where id = 1`,
      `update ${t} set issued_on = '2027-01-01' where id = 1`,
      `update ${t} set issued_on = '2025-12-31', note = 'x' where id = 2`,
      `update ${t} set status = 'draft' where id = 1`,
      `update ${t} set status = null`,
      `insert into ${t} (id, status) values (1, 'draft') on conflict (id) do update set status = excluded.status`,
      `merge into ${t} m using (values (1)) v (id) on m.id = v.id when matched then delete`,
      `with d as (delete from ${t} where id = 2 returning *) insert into ${t} (status) select status from d`,
    ]) {
      const error: unknown = await a.query(statement).catch((caught: unknown) => caught);
      expect(error, statement).toMatchObject(refused);
      expect((error as { hint?: string }).hint, statement).toBeTruthy();
    }
    expect(await listNumbers(database, t)).toBe('1 2 -');
    await expectExact(database);
  });

  test('everything else works', async () => {
    const t = await makeThree(`allowed_${assign}`, { assign });
    const a = await database.session('A');
    for (const statement of [
      `update ${t} set note = 'x', external = 'e' || id`,
      `update ${t} set issued_on = '2026-12-31' where id = 1`,
      `update ${t} set number = number, document_number = document_number, company = company, issued_on = issued_on, status = status`,
      `update ${t} set id = id + 100`,
      `delete from ${t} where number is null`,
      `insert into ${t} (note, company, issued_on) values ('draft', 'b', '2020-01-01')`,
      `update ${t} set company = 'c', issued_on = '2021-01-01' where note = 'draft'`,
      `select * from ${t} for update`,
    ]) {
      await a.query(statement);
    }
    await expectExact(database);
    await a.query(`delete from ${t} where number is null`);
    expect(await listNumbers(database, t)).toBe('1 2');
  });

  test('protect => false: nothing is refused; a row that goes back to draft keeps its number', async () => {
    const t = await makeThree(`off_${assign}`, { assign, protect: false });
    const a = await database.session('A');
    await a.query(`update ${t} set status = 'draft' where id = 1`);
    expect(await listNumbers(database, t)).toBe('1 2 -');
    await a.query(`update ${t} set status = 'issued' where id = 1`);
    if (assign === 'manual') await a.query(`select seqctl.number_pending('${t}')`);
    expect(await listNumbers(database, t)).toBe('1 2 -');
    await expectExact(database);
    await a.query(`delete from ${t} where id = 2`);
    await a.query(`truncate ${t}`);
    await database.execute(`drop table ${t}`);
  });
});

test('a row that is not issued yet in this transaction, and one that is', async () => {
  const t = await makeDocuments(database, 'same_transaction', { assign: 'commit', issueWhen: null });
  const a = await database.session('A');
  await a.query('begin');
  await a.query(`insert into ${t} (note) values ('a'), ('b')`);
  await a.query(`delete from ${t} where note = 'a'`);
  await a.query(`update ${t} set company = 'globex'`);
  await a.query('set constraints all immediate');
  await a.query('savepoint s');
  await expect(a.query(`delete from ${t}`)).rejects.toMatchObject(refused);
  await a.query('rollback to s');
  await a.query('commit');
  await expectExact(database);
});

test('the date: fields of the format count, even where the period stays', async () => {
  const t = await makeThree('fields', {
    series: `reset => 'yearly', format => '{year}/{month}/{number}'`,
    groupColumns: '{}',
  });
  const a = await database.session('A');
  await a.query(`update ${t} set issued_on = '2026-03-30' where id = 1`);
  await expect(a.query(`update ${t} set issued_on = '2026-04-01' where id = 1`)).rejects.toMatchObject(
    refused,
  );
  await a.query(`update ${t} set issued_on = '2026-04-01' where id = 3`);
  await expectExact(database);
});

test('the date: a time zone decides which period a timestamptz is in', async () => {
  const t = await makeDocuments(database, 'zoned', {
    dateType: 'timestamptz',
    series: `time_zone => 'Europe/Rome', format => '{year}-{number}'`,
    groupColumns: '{}',
    issueWhen: null,
  });
  const a = await database.session('A');
  await a.query(`set timezone = 'Pacific/Kiritimati'`);
  await a.query(`insert into ${t} (issued_on) values ('2025-12-31 23:30+00')`);
  await a.query(`update ${t} set issued_on = '2026-06-01 00:00+00'`);
  await expect(a.query(`update ${t} set issued_on = '2025-12-31 22:30+00'`)).rejects.toMatchObject(refused);
  await a.query(`update ${t} set issued_on = '2025-12-31 23:00+00'`);
  await expectExact(database);
});

test('cascades: a foreign key that deletes or empties issued rows', async () => {
  await database.execute(
    `create table customer (id int primary key); insert into customer values (1), (2), (3)`,
  );
  const t = await makeDocuments(database, 'cascaded', {
    columns: ', customer_id int references customer on delete cascade on update cascade',
    issueWhen: `status = 'issued'`,
  });
  const a = await database.session('A');
  await a.query(`insert into ${t} (customer_id, status) values (1, 'issued'), (2, 'draft')`);
  await expect(a.query('delete from customer where id = 1')).rejects.toMatchObject(refused);
  await a.query('delete from customer where id = 2');
  await a.query('update customer set id = 10 where id = 1');
  await expect(a.query('truncate customer cascade')).rejects.toMatchObject(refused);
  await expectExact(database);
});

test('an issued row that takes part in another BEFORE trigger’s change', async () => {
  const t = await makeThree('sneaky');
  await database.execute(`
    create function sneaky() returns trigger language plpgsql as $$
    begin if new.note = 'sneak' then new.number := 99; new.company := 'x'; end if; return new; end $$;
    create trigger a_sneaky before update on ${t} for each row execute function sneaky()`);
  await expect(database.rows(`update ${t} set note = 'sneak' where id = 1`)).rejects.toMatchObject(refused);
  await database.rows(`update ${t} set note = 'fine'`);
  await expectExact(database);
});

test.each(['insert', 'commit'] as const)(
  'partitions: issued rows move, are not deleted, also where a partition was made later (%s)',
  async (assign) => {
    const name = `parts_${assign}`;
    const t = await makeThree(name, {
      assign,
      suffix: 'partition by range (issued_on)',
      key: 'id, issued_on',
      beforeAttach: `create table ${name}_h1 partition of ${name} for values from ('2026-01-01') to ('2026-07-01')`,
    });
    await database.execute(`create table ${name}_h2 partition of ${t} for values from ('2026-07-01') to ('2027-01-01');
    create table ${name}_next partition of ${t} for values from ('2027-01-01') to ('2028-01-01')`);
    const a = await database.session('A');
    await a.query(`update ${t} set issued_on = '2026-08-08' where id in (1, 3)`);
    await a.query(`update ${t} set issued_on = '2026-02-02' where id = 1`);
    await a.query(`update ${t} set issued_on = '2026-09-09'`);
    // Only a partition that was there at attach refuses to be truncated by its own name.
    await a.query(`insert into ${t} (status, issued_on) values ('issued', '2026-02-02')`);
    expect(await listNumbers(database, t)).toBe('1 2 - 3');
    for (const statement of [
      `delete from ${t} where id = 1`,
      `delete from ${name}_h2 where id = 1`,
      `truncate ${t}`,
      `truncate ${name}_h1`,
      `update ${t} set issued_on = '2027-02-02' where id = 1`,
      `update ${name}_h2 set number = 9 where id = 1`,
      `update ${t} set status = 'draft', issued_on = '2026-02-02' where id = 1`,
    ]) {
      await expect(a.query(statement), statement).rejects.toMatchObject(refused);
    }
    await a.query(`delete from ${name}_h2 where id = 3`);
    await expectExact(database);
  },
);

test('without a condition every numbered row is issued; NULL rows from before attach are free', async () => {
  onTestFinished(() => database.execute('drop table free'));
  await database.execute(`
    select seqctl.create_series('free', reset => 'never');
    create table free (id int primary key, number bigint);
    insert into free values (1), (2);
    select seqctl.attach('free', 'free');
    insert into free values (3);
    delete from free where id = 1`);
  await expect(database.rows('delete from free where id = 3')).rejects.toMatchObject(refused);
  await expect(database.rows('truncate free')).rejects.toMatchObject(refused);
  await database.rows('delete from free where id = 2');
  await expectExact(database);
});

test.each(['', 'partition by list (kind)'])(
  'a row from before attach is given neither number nor document number by UPDATE, %s',
  async (suffix) => {
    const t = `older${suffix === '' ? '' : '_partitioned'}`;
    await database.execute(`
      select seqctl.create_series('${t}', format => '{number:4}', reset => 'never');
      create table ${t} (kind text, note text, number bigint, document_number text) ${suffix};
      ${suffix === '' ? '' : `create table ${t}_all partition of ${t} default;`}
      insert into ${t} (kind, document_number) values ('old', null), ('paper', 'A7');
      select seqctl.attach('${t}', '${t}', document_number_column => 'document_number')`);
    for (const change of [`number = 1`, `document_number = '0001'`]) {
      for (const kind of ['old', 'paper']) {
        await expect(
          database.execute(`update ${t} set ${change} where kind = '${kind}'`),
        ).rejects.toMatchObject({ code: 'SQ012' });
      }
    }
    await database.execute(`
      update ${t} set note = 'x';
      update ${t} set document_number = null where kind = 'paper';
      insert into ${t} default values;
      delete from ${t} where number is null`);
    await expectExact(database);
  },
);

test('TRUNCATE of a table with drafts only is allowed', async () => {
  const t = await makeDocuments(database, 'only_drafts');
  await database.execute(
    `insert into ${t} default values; truncate ${t}; insert into ${t} (status) values ('issued')`,
  );
  await expect(database.rows(`truncate ${t}`)).rejects.toMatchObject(refused);
  await expectExact(database);
});

test('detach ends it', async () => {
  const t = await makeThree('ended');
  await database.rows(`select seqctl.detach('${t}', 'number')`);
  await database.rows(`delete from ${t} where id = 1`);
  await database.rows(`truncate ${t}`);
  expect(
    await database.rows(`select from pg_trigger where tgrelid = '${t}'::regclass and not tgisinternal`),
  ).toEqual([]);
  expect(
    await database.rows(`select from pg_proc where proname ~ 'seqctl_write$' and proname ~ '^ended'`),
  ).toEqual([]);
});
