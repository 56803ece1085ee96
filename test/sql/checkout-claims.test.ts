import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectAccounted, makeInvoices, numbersOf } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { waitUntilBlocked } from '../support/session.js';

// Who claims a number that the counter has passed must prove that it is his: each number of a checkout is one document's.
const makeRole = useRoles();
const database = useDatabase();

const on = '2026-03-09';
const levels = ['read committed', 'repeatable read', 'serializable'];
const value = async (sql: string): Promise<string> => {
  const [row] = await database.rows<Record<string, string>>(sql);
  return Object.values(row ?? {})[0] ?? '';
};
const checkout = (t: string, id: string): Promise<string> =>
  value(`select number from seqctl.checkout('${t}', '${id}', 'acme', '${on}')`);
const settle = (how: 'finalize' | 'release', t: string, id: string): Promise<string> =>
  value(`select seqctl.${how}('${t}', '${id}')`);
const finalized = async (t: string, id = 'a'): Promise<string> => {
  await checkout(t, id);
  return settle('finalize', t, id);
};
const format = `format => '{group}-{year}-{number:3}'`;
const documentsOf = (t: string): Promise<string> =>
  value(`select coalesce(string_agg(document_number, ' ' order by id), '') from ${t}`);

/** A table with one partition that is known and one, `…_late`, that has no triggers of its own for statements. */
async function makeLate(t: string, series: string): Promise<void> {
  // Not an identity column: before PostgreSQL 17 a partition has none of its own.
  await database.execute(`
    select seqctl.create_series('${t}', ${series});
    create table ${t} (
      id bigserial, company text not null default 'acme', status text not null default 'draft',
      issued_on date not null default '${on}', region text not null default 'a', number bigint, document_number text,
      primary key (id, region)
    ) partition by list (region);
    create table ${t}_a partition of ${t} for values in ('a');
    select seqctl.attach('${t}', '${t}', date_column => 'issued_on', group_columns => '{company}',
      document_number_column => 'document_number', issue_when => $$status = 'issued'$$);
    create table ${t}_late partition of ${t} for values in ('late')`);
}

test.each(levels)(
  '%s: a deleted draft is no proof that a row has moved to a late partition',
  async (level) => {
    const t = `late_${level.slice(0, 4)}`;
    await makeLate(t, format);
    const [a, b] = [await database.session('A'), await database.session('B')];
    await finalized(t);
    for (const [first, second] of [
      [
        `${t}_late (region, status, number) values ('late', 'issued', 1)`,
        `${t} (status, number) values ('issued', 1)`,
      ],
      [
        `${t} (status, number) values ('issued', 1)`,
        `${t}_late (region, status, number) values ('late', 'issued', 1)`,
      ],
    ]) {
      await database.execute(`insert into ${t} (status) values ('draft')`);
      for (const session of [a, b]) await session.query(`begin isolation level ${level}`);
      for (const session of [a, b])
        await session.query(`savepoint s; delete from ${t} where status = 'draft' and false`);
      await a.query(`delete from ${t} where status = 'draft'`);
      await b.query(`insert into ${t} (id, status) values (-1, 'draft'); delete from ${t} where id = -1`);
      await a.query(`insert into ${first}`);
      const waits = b.start(`insert into ${second}`);
      await waitUntilBlocked(b, a);
      // The first time nobody stores it in the end.
      const isLast = first?.startsWith(`${t} `) === true;
      await a.query(isLast ? 'commit' : 'rollback');
      if (isLast) {
        await expect(waits.result).rejects.toMatchObject({
          code: expect.stringMatching(level === 'read committed' ? /^SQ01[23]$/ : /^40001$/) as string,
        });
        await b.query('rollback');
      } else {
        await waits.result;
        await b.query('rollback');
      }
    }
    await expectAccounted(database, t);
    // A row that really moves keeps its number, from and to partitions of either kind, alone and with others.
    await finalized(t, 'b');
    await database.execute(`insert into ${t} (region, status, number) values ('late', 'issued', 2)`);
    for (const region of ['late', 'a', 'late']) {
      await database.execute(`update ${t} set region = '${region}' where number is not null`);
    }
    await database.execute(`insert into ${t} (region, status) values ('late', 'issued')`);
    await database.execute(`update ${t} set region = 'a' where number <> 2`);
    await expectAccounted(database, t);
    expect(await numbersOf(database, t)).toMatchObject({
      'acme 2026': expect.stringMatching(/^[123] [123] [123]( |$)/) as string,
    });
  },
);

test('a waiting number that a row takes in a late partition waits no more, whatever was deleted', async () => {
  await makeLate('late_wait', `${format}, on_checkout => 'recycle'`);
  const t = 'late_wait';
  await checkout(t, 'a');
  await database.execute(`insert into ${t} (status) values ('issued'), ('draft')`);
  await settle('release', t, 'a');
  await database.execute(`begin; delete from ${t} where status = 'draft';
    insert into ${t}_late (region, status) values ('late', 'issued'); commit`);
  await expectAccounted(database, t);
  // By way of the parent.
  await checkout(t, 'b');
  await checkout(t, 'c');
  await settle('release', t, 'b');
  await settle('finalize', t, 'c');
  await database.execute(
    `insert into ${t} (region, status, number) values ('late', 'issued', null), ('late', 'issued', 4), ('late', 'issued', null)`,
  );
  expect(await value(`select number from seqctl.peek('${t}', 'acme', '${on}')`)).toBe('6');
  await expectAccounted(database, t);
  await database.rows(`select seqctl.close_period('${t}', '${on}')`);
});

test('a forged note that a row moves gets no number that is out, and no document number of its own', async () => {
  const t = 'late_forged';
  await makeLate(t, `${format}, on_checkout => 'recycle'`);
  const role = await makeRole('claims_insert');
  await database.execute(`grant insert, select, delete on ${t}, ${t}_a, ${t}_late to ${role.name};
    grant usage on sequence ${t}_id_seq to ${role.name};
    insert into ${t} (status) values ('issued')`);
  const weak = await database.session('weak');
  await weak.query(`set role ${role.name}`);
  // 2 is open, 3 finalized, 4 waits, 5 is the next.
  for (const id of ['b', 'c', 'd']) await checkout(t, id);
  await settle('finalize', t, 'c');
  await settle('release', t, 'd');
  const [{ id } = { id: '' }] = await database.rows<{ id: string }>(
    `select a.id from seqctl.attachment a where a.target = '${t}'::regclass`,
  );
  for (const number of [2, 3, 4, 5]) {
    await weak.query(`begin; insert into ${t} (status) values ('draft')`);
    await weak.query(`delete from ${t} where status = 'draft'`);
    await weak.query(
      `select set_config('seqctl.moving_${id}', concat('${number} ', '${t}_a'::regclass::oid, ' 0'), true)`,
    );
    await expect(
      weak.query(
        `insert into ${t}_late (region, status, number, document_number) values ('late', 'issued', ${number}, 'FAKE')`,
      ),
      String(number),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^SQ01[23]$/) as string });
    await weak.query('rollback');
  }
  await settle('finalize', t, 'b');
  await database.execute(`insert into ${t} (status, number) values ('issued', 2), ('issued', 3)`);
  await expectAccounted(database, t);
});

test.each([true, false])(
  'protect %s: drafts take numbers of checkouts among rows that had theirs',
  async (protect) => {
    const t = await makeDocuments(database, `mixed_${protect}`, {
      series: `${format}, on_checkout => 'recycle'`,
      protect,
    });
    await checkout(t, 'a');
    await database.execute(`insert into ${t} (status) values ('issued'), ('draft')`);
    await settle('release', t, 'a');
    await database.execute(`update ${t} set status = 'issued'`);
    expect(await documentsOf(t)).toBe('acme-2026-002 acme-2026-001');
    await finalized(t, 'b');
    await checkout(t, 'c');
    await checkout(t, 'd');
    await settle('release', t, 'c');
    // One of each kind: finalized, waiting, the next.
    await database.execute(`insert into ${t} (status) values ('draft'), ('draft'), ('draft')`);
    await expect(
      database.rows(
        `update ${t} set status = 'issued', number = coalesce(number, case id when 3 then 5 end)`,
      ),
    ).rejects.toMatchObject({ code: 'SQ039' });
    await database.execute(
      `update ${t} set status = 'issued', number = coalesce(number, case id when 3 then 3 end)`,
    );
    expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '2 1 3 4 6' });
    await expectAccounted(database, t);
    await expect(
      database.rows(`insert into ${t} (status, number) values ('issued', 3)`),
    ).rejects.toMatchObject({
      code: '23505',
    });
    if (!protect) {
      // One row loses its number while another takes the one that waits.
      await settle('release', t, 'd');
      await database.execute(`insert into ${t} (status) values ('draft')`);
      await database.execute(`update ${t} set
      status = case when number = 6 then 'draft' else 'issued' end,
      number = nullif(number, 6), document_number = case when number is distinct from 6 then document_number end`);
      expect(await value(`select count(*) from seqctl.checkouts where series = '${t}' and waits`)).toBe('0');
    }
  },
);

test('a row gets the document number that left the database, whatever the format is by now', async () => {
  for (const [n, kind] of ['insert', 'draft', 'partitioned', 'late'].entries()) {
    const t = `left_${n}`;
    if (kind === 'insert') await makeInvoices(database, t, { series: `format => 'A-{number:3}'` });
    else if (kind === 'draft') await makeDocuments(database, t, { series: `format => 'A-{number:3}'` });
    else await makeLate(t, `format => 'A-{number:3}'`);
    const table = kind === 'late' ? `${t}_late` : t;
    const give = async (row: string): Promise<void> => {
      const [number, document] = row.split(' ');
      if (kind === 'insert') {
        await database.execute(
          `insert into ${t} (number, document_number) values (${number ?? 'null'}, ${document === undefined ? 'null' : `'${document}'`})`,
        );
      } else if (kind === 'draft') {
        await database.execute(`insert into ${t} (id) overriding system value values (${number ?? 'null'});
          update ${t} set status = 'issued', number = ${number ?? 'null'}, document_number = ${document === undefined ? 'null' : `'${document}'`}
          where id = ${number ?? 'null'}`);
      } else {
        await database.execute(`insert into ${table} (region, status, number, document_number)
          values ('${kind === 'late' ? 'late' : 'a'}', 'issued', ${number ?? 'null'}, ${document === undefined ? 'null' : `'${document}'`})`);
      }
    };
    await give('1');
    // Back and forth: the format of the checkout was replaced before, too.
    await database.rows(`select seqctl.alter_series('${t}', format => 'B-{number:3}')`);
    await database.rows(`select seqctl.alter_series('${t}', format => 'A-{number:3}')`);
    await finalized(t, 'a');
    await checkout(t, 'b');
    await database.rows(`select seqctl.alter_series('${t}', format => 'C-{number:3}')`);
    await settle('finalize', t, 'b');
    await give('2');
    await expect(give('3 C-003'), kind).rejects.toMatchObject({ code: 'SQ012' });
    if (kind === 'draft') await database.execute(`delete from ${t} where id = 3`);
    await give('3 A-003');
    await give('4');
    expect(await documentsOf(t), kind).toBe('A-001 A-002 A-003 C-004');
    await expectAccounted(database, t);
    if (kind === 'partitioned') await database.execute(`update ${t} set region = 'late'`);
    if (kind === 'late') await database.execute(`update ${t} set region = 'a'`);
    await expectAccounted(database, t);
  }
});

test('a document number that something changed after seqctl is refused, whatever setting was forged', async () => {
  const t = await makeInvoices(database, 'changed', { series: format });
  await database.execute(`
    create function change_it() returns trigger language plpgsql as $f$ begin new.document_number := 'X'; return new; end $f$;
    create trigger zzz_change before insert on ${t} for each row execute function change_it()`);
  await finalized(t);
  await expect(database.rows(`insert into ${t} (number) values (1)`)).rejects.toMatchObject({
    code: 'SQ012',
    detail: expect.stringContaining(
      `checked out as 'acme-2026-001', and the document number of the row is 'X'`,
    ) as string,
  });
});

test('an UPDATE that issues a draft among rows that had their numbers: the document number is looked at', async () => {
  for (const [n, given] of [null, 1].entries()) {
    const t = await makeDocuments(database, `looked_${n}`, { series: format });
    await finalized(t);
    await database.execute(`
      insert into ${t} (status) values ('issued'), ('draft');
      create function change_${t}() returns trigger language plpgsql as $f$
      begin
        if old.number is null then new.document_number := 'X'; end if;
        return new;
      end $f$;
      create trigger zzz_change before update on ${t} for each row execute function change_${t}()`);
    await expect(
      database.rows(
        `update ${t} set status = 'issued', note = 'x', number = coalesce(number, ${given ?? 'null'})`,
      ),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^SQ01[23]$/) as string });
    await database.execute(`drop trigger zzz_change on ${t};
      update ${t} set status = 'issued', note = 'x', number = coalesce(number, ${given ?? 'null'})`);
    expect(await numbersOf(database, t)).toEqual({ 'acme 2026': given === null ? '2 3' : '2 1' });
    await expectAccounted(database, t);
  }
});

test('a stored number is an idempotent INSERT’s: conflicts are answered, and nothing is waited for', async () => {
  const t = await makeInvoices(database, 'replayed', { series: format });
  await finalized(t);
  await checkout(t, 'b');
  const a = await database.session('A');
  await a.query(`set lock_timeout = '5s'; set statement_timeout = '4s'`);
  const insert = `insert into ${t} (number, external) values (1, 'x')`;
  await a.query(insert);
  for (const level of levels) {
    await a.query(`begin isolation level ${level}`);
    for (const conflict of ['on conflict (external) do nothing', 'on conflict do nothing']) {
      expect((await a.query(`${insert} ${conflict} returning number`)).rows).toEqual([]);
    }
    expect(
      (
        await a.query(
          `${insert} on conflict (external) do update set note = '${level}' returning number, note`,
        )
      ).rows,
    ).toEqual([{ number: '1', note: level }]);
    await a.query('commit');
    await expect(a.query(`insert into ${t} (number) values (1)`)).rejects.toMatchObject({ code: '23505' });
  }
  await settle('finalize', t, 'b');
  await expectAccounted(database, t);
});

test('a finalized number is stored once, also where its row is in no attached table any more', async () => {
  const t = await makeInvoices(database, 'archived', {
    series: format,
    suffix: 'partition by list (note)',
    beforeAttach: `create table archived_a partition of archived for values in ('a');
      create table archived_b partition of archived for values in ('b');`,
  });
  const u = await makeInvoices(database, 'archived_too', { sharedSeries: t });
  await finalized(t, 'a');
  await finalized(t, 'b');
  await database.execute(
    `insert into ${t} (note, number) values ('a', 1); insert into ${u} (number) values (2)`,
  );
  await database.execute(`alter table ${t} detach partition archived_a`);
  await database.rows(`select seqctl.detach('${u}', 'number')`);
  for (const number of [1, 2]) {
    await expect(
      database.rows(`insert into ${t} (note, number) values ('b', ${number})`),
    ).rejects.toMatchObject({
      code: 'SQ012',
      message: `number ${number} of period 2026 of series '${t}', group 'acme', is not for this row, though its checkout was finalized`,
      detail: 'Another row had it. Nothing was inserted.',
    });
  }
});

test.each(levels)(
  '%s: a finalized number that is void is given to nobody, whoever comes first',
  async (level) => {
    const t = await makeInvoices(database, `void_${level.slice(0, 4)}`, { series: format });
    const [a, b] = [await database.session('A'), await database.session('B')];
    const voided = (n: number): string =>
      `select seqctl.void('${t}', 'acme', '${on}', ${n}, null, 'no document')`;
    const stored = (n: number): string => `insert into ${t} (number) values (${n})`;
    for (const id of ['a', 'b', 'c']) await finalized(t, id);
    await database.rows(voided(1));
    await expect(database.rows(stored(1))).rejects.toMatchObject({
      code: 'SQ012',
      detail: 'It is void. Nothing was inserted.',
    });
    // The void first: then no row. The row first: then it is an annulled document.
    for (const session of [a, b]) await session.query(`begin isolation level ${level}; select`);
    await b.query(`select count(*) from ${t}`);
    await a.query(voided(2));
    const row = b.start(stored(2));
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await expect(row.result).rejects.toMatchObject({ code: level === 'read committed' ? 'SQ012' : '40001' });
    await b.query('rollback');
    for (const session of [a, b]) await session.query('begin');
    await a.query(stored(3));
    const annulled = b.start(voided(3));
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await annulled.result;
    await b.query('commit');
    expect(await documentsOf(t)).toBe('acme-2026-003');
  },
);

test.each(levels)(
  '%s: a table that is adopted and a row with a finalized number see each other',
  async (level) => {
    const t = await makeInvoices(database, `adopts_${level.slice(0, 4)}`, { series: format });
    await finalized(t);
    const make = async (u: string): Promise<string> => {
      await database.execute(
        `create table ${u} (company text, issued_on date, number bigint); insert into ${u} values ('acme', '${on}', 1)`,
      );
      return `select * from seqctl.adopt('${u}', series => '${t}', date_column => 'issued_on', group_columns => '{company}',
      apply => true, reason => 'x')`;
    };
    const [a, b] = [await database.session('A'), await database.session('B')];
    const adopt = await make(`${t}_old`);
    // The adoption first.
    await a.query(`begin isolation level ${level}`);
    await a.query(`select count(*) from ${t}`);
    await b.query('begin');
    await b.query(adopt);
    const row = a.start(`insert into ${t} (number) values (1)`);
    await waitUntilBlocked(a, b);
    await b.query('commit');
    await expect(row.result).rejects.toMatchObject({ code: level === 'read committed' ? 'SQ012' : '40001' });
    await a.query('rollback');
    await database.rows(`select seqctl.detach('${t}_old', 'number')`);
    // The row first.
    await a.query(`begin isolation level ${level}`);
    await a.query(`insert into ${t} (number) values (1)`);
    const adoption = b.start(await make(`${t}_older`));
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await expect(adoption.result).rejects.toMatchObject({ code: expect.stringMatching(/^SQ/) as string });
    await expectAccounted(database, t);
  },
);

test('the same correlation id from two sessions: one number, under each policy', async () => {
  for (const policy of ['wait', 'fail', 'recycle']) {
    const t = await makeInvoices(database, `twice_${policy}`, {
      series: `${format}, on_checkout => '${policy}'`,
    });
    const [a, b] = [await database.session('A'), await database.session('B')];
    const take = `select number from seqctl.checkout('${t}', 'a', 'acme', '${on}')`;
    await a.query('begin');
    await a.query(take);
    const second = b.start(take);
    await waitUntilBlocked(b, a);
    await a.query('commit');
    expect((await second.result).rows, policy).toEqual([{ number: '1' }]);
  }
});

test('an open checkout that only the snapshot shows is a serialization failure', async () => {
  const t = await makeInvoices(database, 'snapshot', { series: format });
  await checkout(t, 'a');
  const a = await database.session('A');
  for (const level of ['repeatable read', 'serializable']) {
    await a.query(`begin isolation level ${level}`);
    await a.query('select count(*) from seqctl.checkouts');
    if (level === 'repeatable read') {
      // Really open.
      await a.query('savepoint s');
      await expect(a.query(`insert into ${t} (number) values (1)`)).rejects.toMatchObject({ code: 'SQ039' });
      await a.query('rollback to s');
    }
    await settle('finalize', t, level === 'serializable' ? 'b' : 'a');
    await expect(
      a.query(`insert into ${t} (number) values (${level === 'serializable' ? 2 : 1})`),
    ).rejects.toMatchObject({ code: '40001' });
    await a.query('rollback');
    await checkout(t, 'b');
  }
});

test('max_length stays long enough for what is checked out', async () => {
  const t = await makeInvoices(database, 'lengths', { series: `format => '{number}', max_length => 4` });
  await database.execute(`insert into ${t} select from generate_series(1, 9)`);
  await checkout(t, 'a');
  await expect(database.rows(`select seqctl.alter_series('${t}', max_length => 1)`)).rejects.toMatchObject({
    code: 'SQ023',
    message: `max_length of series '${t}' cannot be 1: '10' is checked out, and has 2 characters`,
    detail: `Number 10 in period 2026 of series '${t}', group 'acme'.`,
  });
  await settle('release', t, 'a');
  await database.rows(`select seqctl.alter_series('${t}', max_length => 1)`);
});

test('finalize and release refuse another number than the one that they name', async () => {
  const t = await makeInvoices(database, 'fenced', { series: `${format}, ttl_action => 'release'` });
  await checkout(t, 'order');
  await database.execute(`update seqctl.checkout set expires_at = opened_at - interval '1 s'`);
  await database.execute(`insert into ${t} default values`);
  expect(await checkout(t, 'order')).toBe('2');
  for (const late of [`finalize('${t}', 'order', 'PDF 1', 1)`, `release('${t}', 'order', 1)`]) {
    await expect(database.rows(`select seqctl.${late}`)).rejects.toMatchObject({
      code: 'SQ038',
      message: `correlation id 'order' does not stand for number 1, but for number 2 of period 2026 of series '${t}', group 'acme'`,
    });
  }
  for (let n = 0; n < 2; n += 1) {
    expect(await value(`select seqctl.finalize('${t}', 'order', number => 2)`)).toBe('2');
  }
  await checkout(t, 'next');
  for (let n = 0; n < 2; n += 1) {
    expect(await value(`select seqctl.release('${t}', 'next', number => 3)`)).toBe('3');
  }
});

test('a number that a trigger checks out in the middle of a statement is no row’s', async () => {
  for (const how of ['open', 'finalize']) {
    const t = await makeInvoices(database, `middle_${how}`, {
      series: `${format}, on_checkout => 'recycle'`,
    });
    await database.execute(`
      create function take_${how}() returns trigger language plpgsql as $f$
      begin
        if new.note is not null then
          perform seqctl.checkout('${t}', new.note, new.company, new.issued_on);
          if '${how}' = 'finalize' then perform seqctl.finalize('${t}', new.note); end if;
        end if;
        return new;
      end $f$;
      create trigger zzz_take before insert on ${t} for each row execute function take_${how}()`);
    await expect(database.rows(`insert into ${t} (note) values (null), ('x'), (null)`)).rejects.toMatchObject(
      {
        code: 'SQ013',
      },
    );
    await expectAccounted(database, t);
  }
});

test('many waiting numbers are given in linear time, whatever does not land', async () => {
  const t = await makeInvoices(database, 'many', { series: `${format}, on_checkout => 'recycle'` });
  await database.execute(`
    select seqctl.checkout('${t}', n::text, 'acme', '${on}') from generate_series(1, 1000) n;
    select seqctl.release('${t}', n::text) from generate_series(1, 1000) n;
    insert into ${t} (external) values ('taken')`);
  const a = await database.session('A');
  // Quadratic, it would be half a million looks at the table: minutes.
  await a.query(`set statement_timeout = '50s'`);
  await a.query('begin');
  await a.query(
    `insert into ${t} (external) select case n % 3 when 0 then 'taken' end from generate_series(1, 30) n on conflict do nothing`,
  );
  await a.query('savepoint s');
  await a.query(`insert into ${t} select from generate_series(1, 10)`);
  await a.query('rollback to s');
  await a.query(`insert into ${t} select from generate_series(1, 1000)`);
  await a.query('commit');
  expect(await value(`select concat(count(*), ' ', max(number)) from ${t}`)).toBe('1021 1021');
  await expectAccounted(database, t);
});

test('a row of another date than the one that was checked out, after the format was altered', async () => {
  await database.execute(`
    select seqctl.create_series('other_month', format => '{year}{month}-{number:3}', reset => 'yearly');
    create table other_month (id bigint generated always as identity primary key, d date, number bigint, doc text);
    select seqctl.attach('other_month', 'other_month', date_column => 'd', document_number_column => 'doc');
    select seqctl.checkout('other_month', 'a', '', '2026-01-05');
    select seqctl.finalize('other_month', 'a');
    select seqctl.alter_series('other_month', format => 'X{year}{month}-{number:3}')`);
  await expect(
    database.execute(`insert into other_month (d, number) values ('2026-12-31', 1)`),
  ).rejects.toMatchObject({ code: 'SQ039' });
  await database.execute(`insert into other_month (d, number) values ('2026-01-31', 1)`);
  expect(await database.rows(`select doc from other_month`)).toEqual([{ doc: '202601-001' }]);
});
