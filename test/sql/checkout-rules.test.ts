import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { isolationLevels, listNumbers, makeDocuments } from '../support/drafts.js';
import { expectAccounted, makeInvoices, numbersOf } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

const on = '2026-03-09';
const value = async (sql: string): Promise<string> => {
  const [row] = await database.rows<Record<string, string>>(sql);
  return Object.values(row ?? {})[0] ?? '';
};
const checkout = (t: string, id: string, group = 'acme', date = on): Promise<string> =>
  value(`select number from seqctl.checkout('${t}', '${id}', '${group}', '${date}')`);
const settle = (how: 'finalize' | 'release', t: string, id: string): Promise<string> =>
  value(`select seqctl.${how}('${t}', '${id}')`);
const failing = `format => '{group}-{year}-{number:3}', on_checkout => 'fail'`;

test.each(['commit', 'manual', 'insert'] as const)(
  'assign %s: rows that are numbered later do not pass a number that is out',
  async (assign) => {
    const t = await makeDocuments(database, `rules_${assign}`, {
      assign,
      issueWhen: assign === 'insert' ? `status = 'issued'` : null,
      series: failing,
    });
    const a = await database.session('A');
    for (const level of isolationLevels) {
      // A draft of another group, so that there is more than one counter to lock.
      const work = async (): Promise<void> => {
        await a.query(`begin isolation level ${level}`);
        await a.query(`insert into ${t} (company) values ('b'), ('acme')`);
        if (assign === 'manual') await a.query(`select seqctl.number_pending('${t}')`);
        if (assign === 'insert') await a.query(`update ${t} set status = 'issued' where status = 'draft'`);
        await a.query('commit');
      };
      const id = `order ${level}`;
      const number = await checkout(t, id);
      await expect(work()).rejects.toMatchObject({ code: 'SQ034' });
      await a.query('rollback');
      // Its own.
      await settle('release', t, id);
      await a.query(`begin isolation level ${level}`);
      await a.query(`select seqctl.checkout('${t}', '${id}', 'acme', '${on}')`);
      await a.query(`insert into ${t} default values`);
      const itself =
        assign === 'manual'
          ? a.query(`select seqctl.number_pending('${t}')`)
          : assign === 'insert'
            ? a.query(`update ${t} set status = 'issued' where status = 'draft'`)
            : a.query('commit');
      await expect(itself).rejects.toMatchObject({ code: 'SQ036' });
      await a.query('rollback');
      expect(await checkout(t, id)).toBe(number);
      await settle('finalize', t, id);
      // The finalized number, given in an INSERT: rows that get their number there take it.
      if (assign === 'insert') {
        await a.query(`insert into ${t} (status, number) values ('issued', ${number})`);
      } else {
        await expect(a.query(`insert into ${t} (number) values (${number})`)).rejects.toMatchObject({
          code: 'SQ012',
          hint: expect.stringContaining(`assign => 'insert'`) as string,
        });
        await expect(
          a.query(`update ${t} set number = ${number} where number is null`),
        ).resolves.toMatchObject({
          rowCount: 0,
        });
      }
      await work();
      await expectAccounted(database, t);
    }
  },
);

test('peek shows the number after the one that is out, and that one again when it was released', async () => {
  const t = await makeInvoices(database, 'peeked', { series: failing });
  const peek = (): Promise<string> => value(`select number from seqctl.peek('${t}', 'acme', '${on}')`);
  expect(await peek()).toBe('1');
  await checkout(t, 'a');
  expect(await peek()).toBe('2');
  await settle('release', t, 'a');
  expect(await peek()).toBe('1');
  await checkout(t, 'a');
  await settle('finalize', t, 'a');
  expect(await peek()).toBe('2');
});

test('a draft takes a finalized number in the UPDATE that issues it', async () => {
  const t = await makeDocuments(database, 'draft_given', { series: failing });
  await database.execute(`insert into ${t} (id) select n from generate_series(1, 6) n`);
  for (const id of ['a', 'b', 'c']) {
    await checkout(t, id);
    await settle('finalize', t, id);
  }
  await database.execute(`update ${t} set status = 'issued', number = 2 where id = 1`);
  await database.execute(
    `update ${t} set status = 'issued', number = case id when 3 then 3 end where id in (2, 3, 4)`,
  );
  expect(await listNumbers(database, t)).toBe('2 4 3 5 - -');
  for (const number of [2, 4, 7]) {
    await expect(
      database.rows(`update ${t} set status = 'issued', number = ${number} where id = 5`),
    ).rejects.toMatchObject({ code: number === 2 ? '23505' : 'SQ012' });
  }
  await database.execute(`update ${t} set status = 'issued', number = 1 where id = 5`);
  await database.execute(`update ${t} set status = 'issued'`);
  await expectAccounted(database, t);
});

test('chronology: a finalized number is stored while it is the last one', async () => {
  const t = await makeDocuments(database, 'in_time', {
    chronology: 'enforce',
    series: failing,
    issueWhen: null,
  });
  await database.execute(`insert into ${t} default values`);
  await checkout(t, 'a');
  await settle('finalize', t, 'a');
  await expect(
    database.rows(`insert into ${t} (number, issued_on) values (2, '2026-03-08')`),
  ).rejects.toMatchObject({ code: 'SQ021' });
  await database.execute(`insert into ${t} (number, issued_on) values (2, '2026-03-12')`);
  await expect(database.rows(`insert into ${t} (issued_on) values ('2026-03-10')`)).rejects.toMatchObject({
    code: 'SQ021',
  });
  await checkout(t, 'b', 'acme', '2026-03-12');
  await settle('finalize', t, 'b');
  await database.execute(`insert into ${t} (issued_on) values ('2026-04-01')`);
  await expect(
    database.rows(`insert into ${t} (number, issued_on) values (3, '2026-04-02')`),
  ).rejects.toMatchObject({
    code: 'SQ021',
    message: expect.stringContaining('number 3 was finalized, but number 4 was given since') as string,
  });
  await expectAccounted(database, t);
});

test('chronology: a trigger that inserts the next document while a finalized number is stored', async () => {
  const t = await makeDocuments(database, 'in_time_nested', {
    chronology: 'enforce',
    series: failing,
    issueWhen: null,
    columns: ', nested date',
  });
  await database.execute(`
    create function ${t}() returns trigger language plpgsql as $$
    begin
      insert into ${t} (issued_on) values (new.nested);
      return null;
    end $$;
    create trigger a_nested after insert on ${t} for each row when (new.nested is not null) execute function ${t}()`);
  await database.execute(`insert into ${t} default values`);
  await checkout(t, 'a');
  await settle('finalize', t, 'a');
  await database.execute(
    `insert into ${t} (number, issued_on, nested) values (2, '2026-03-10', '2026-03-12')`,
  );
  await checkout(t, 'b', 'acme', '2026-03-12');
  await settle('finalize', t, 'b');
  await expect(
    database.rows(`insert into ${t} (number, issued_on, nested) values (4, '2026-03-14', '2026-03-13')`),
  ).rejects.toMatchObject({
    code: 'SQ021',
    message: `public.${t}.number: a document dated 2026-03-14 cannot precede one dated 2026-03-13`,
    hint: 'Date it 2026-03-13 or earlier.',
  });
  await expect(
    database.rows(`insert into ${t} (number, issued_on, nested) values (4, '2026-03-11', '2026-03-13')`),
  ).rejects.toMatchObject({
    code: 'SQ021',
    message: `public.${t}.number: a document dated 2026-03-11 cannot follow one dated 2026-03-12`,
  });
  await database.execute(
    `insert into ${t} (number, issued_on, nested) values (4, '2026-03-14', '2026-03-14'), (null, '2026-03-14', '2026-03-15')`,
  );
  await expectAccounted(database, t);
});

test.each([
  ['date', '2026-03-09'],
  ['timestamp', '2026-03-09 23:30'],
  // The 9th where the series is, and the 8th in UTC.
  ['timestamptz', '2026-03-08 20:00+00'],
] as const)(
  'chronology, %s: no number is checked out for a day before the last one',
  async (dateType, last) => {
    const t = await makeDocuments(database, `on_time_${dateType}`, {
      chronology: 'enforce',
      dateType,
      series: `${failing}, time_zone => 'Asia/Tokyo'`,
      issueWhen: null,
    });
    await checkout(t, 'first', 'acme', '2026-03-08');
    await settle('release', t, 'first');
    await database.execute(`insert into ${t} (issued_on) values ('${last}')`);
    await expect(checkout(t, 'early', 'acme', '2026-03-08')).rejects.toMatchObject({
      code: 'SQ021',
      message: `number 2 of period 2026 of series '${t}', group 'acme', cannot be checked out for 2026-03-08: the last document is dated 2026-03-09`,
      detail: `Series '${t}' keeps dates in the order of its numbers. No number was used.`,
      hint: 'Check it out for 2026-03-09 or later.',
    });
    expect(await checkout(t, 'same day')).toBe('2');
    await settle('finalize', t, 'same day');
    await database.execute(`insert into ${t} (issued_on, number) values ('2026-03-09 23:45', 2)`);
    // A later document does not change the answer that was given.
    await database.execute(`insert into ${t} (issued_on) values ('2026-03-12')`);
    expect(await checkout(t, 'same day')).toBe('2');
    // Another counter.
    expect(await checkout(t, 'other group', 'b', '2026-03-01')).toBe('1');
    await settle('finalize', t, 'other group');
    await expectAccounted(database, t);
  },
);

test('chronology stamp: the row is dated when it is stored, whatever day it was checked out for', async () => {
  const t = await makeDocuments(database, 'stamped_out', {
    chronology: 'stamp',
    series: failing,
    issueWhen: null,
  });
  await database.execute(`insert into ${t} default values`);
  const [first] = await database.rows<{ day: string }>(
    `select date_trunc('year', max(issued_on))::date::text as day from ${t}`,
  );
  expect(await checkout(t, 'a', 'acme', first?.day)).toBe('2');
  await settle('finalize', t, 'a');
  await database.execute(`insert into ${t} (number) values (2)`);
  await expectAccounted(database, t);
});

test('hints that name a command quote for a shell, those that name a function for SQL', async () => {
  const t = await makeInvoices(database, 'quoted', { series: failing });
  const id = `o'x \\ $HOME`;
  const literal = `E'o''x \\\\ $HOME'`;
  const word = `'o'\\''x \\ $HOME'`;
  await database.rows(`select seqctl.checkout('${t}', ${literal}, 'acme', '${on}')`);
  const hints = [
    `select seqctl.close_period('${t}', '${on}')`,
    `select seqctl.void('${t}', 'acme', '${on}', 1, null, 'spoiled')`,
  ];
  for (const sql of hints) {
    await expect(database.rows(sql), sql).rejects.toMatchObject({
      hint: `Settle it first: seqctl lease finalize, or seqctl lease release, ${t} ${word}.`,
    });
  }
  await database.rows(`update seqctl.checkout set expires_at = opened_at where correlation_id = ${literal}`);
  const refused = await database.rows(`insert into ${t} default values`).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 'SQ035',
    hint: expect.stringContaining(`If one has: seqctl lease finalize ${t} ${word}; else`) as string,
  });
  // A shell reads it as one word, the id.
  const { stdout } = await promisify(execFile)('sh', ['-c', `printf %s ${word}`]);
  expect(stdout).toBe(id);
});

test('a period with a number that is out cannot be closed, and in a closed one none is checked out', async () => {
  const t = await makeInvoices(database, 'closing', { series: failing });
  await database.execute(`insert into ${t} default values`);
  await checkout(t, 'a');
  await expect(database.rows(`select seqctl.close_period('${t}', '${on}')`)).rejects.toMatchObject({
    code: 'SQ039',
    message: `the period cannot be closed: number 2 of period 2026 of series '${t}', group 'acme', is checked out`,
  });
  // Another group, another year.
  await database.rows(`select seqctl.close_period('${t}', '${on}', 'globex')`);
  await database.rows(`select seqctl.close_period('${t}', '2025-01-01')`);
  await expect(checkout(t, 'b', 'globex')).rejects.toMatchObject({ code: 'SQ020' });
  await settle('finalize', t, 'a');
  await database.rows(`select seqctl.close_period('${t}', '${on}')`);
  await expect(checkout(t, 'b')).rejects.toMatchObject({ code: 'SQ020' });
  // What is settled stays settled, the same call gives the same answer, and the document may still be stored.
  expect(await checkout(t, 'a')).toBe('2');
  expect(await settle('finalize', t, 'a')).toBe('2');
  await database.execute(`insert into ${t} (number) values (2)`);
  await database.rows(`select seqctl.reopen_period('${t}', '${on}', 'late')`);
  await database.execute(`insert into ${t} default values`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3' });
  await expectAccounted(database, t);

  // At the same moment: whoever comes second sees the first.
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query(`select seqctl.checkout('${t}', 'c', 'acme', '${on}')`);
  const closing = b.start(`select seqctl.close_period('${t}', '${on}')`);
  await waitUntilBlocked(b, a);
  await a.query('commit');
  await expect(closing.result).rejects.toMatchObject({ code: 'SQ039' });
  await settle('release', t, 'c');
  await b.query('begin');
  await b.query(`select seqctl.close_period('${t}', '${on}')`);
  const late = a.start(`select seqctl.checkout('${t}', 'c', 'acme', '${on}')`);
  await waitUntilBlocked(a, b);
  await b.query('commit');
  await expect(late.result).rejects.toMatchObject({ code: 'SQ020' });
});

test('alter_series: the policy changes while nothing is out, limits stay above what is', async () => {
  const t = await makeInvoices(database, 'altered', { series: failing });
  await database.execute(`insert into ${t} default values`);
  await checkout(t, 'a');
  await expect(
    database.rows(`select seqctl.alter_series('${t}', on_checkout => 'recycle')`),
  ).rejects.toMatchObject({
    code: 'SQ039',
    message: expect.stringContaining('on_checkout cannot be changed') as string,
  });
  await expect(database.rows(`select seqctl.alter_series('${t}', max_number => 1)`)).rejects.toMatchObject({
    code: 'SQ023',
    message: `max_number of series '${t}' cannot be 1: number 2 is checked out`,
  });
  expect(await value(`select seqctl.alter_series('${t}', ttl_action => 'release')`)).toContain(
    'another ttl_action',
  );
  await settle('release', t, 'a');
  for (const bad of [`on_checkout => 'queue'`, `ttl_action => 'finalize'`]) {
    await expect(database.rows(`select seqctl.alter_series('${t}', ${bad})`)).rejects.toMatchObject({
      code: 'SQ002',
    });
    await expect(database.rows(`select seqctl.create_series('bad', ${bad})`)).rejects.toMatchObject({
      code: 'SQ002',
    });
  }
  await database.rows(`select seqctl.alter_series('${t}', on_checkout => 'recycle')`);
  expect([await checkout(t, 'a'), await checkout(t, 'b')]).toEqual(['2', '3']);
  await settle('release', t, 'a');
  await settle('finalize', t, 'b');
  await expect(
    database.rows(`select seqctl.alter_series('${t}', on_checkout => 'wait')`),
  ).rejects.toMatchObject({
    code: 'SQ039',
    message: expect.stringContaining('was released and waits to be given again') as string,
  });
  await database.execute(`insert into ${t} default values`);
  await database.rows(`select seqctl.alter_series('${t}', on_checkout => 'wait')`);
  await expectAccounted(database, t);
});

test('limits: max_number and max_length hold for checkouts, too', async () => {
  await database.rows(`select seqctl.create_series('short', reset => 'never', max_number => 2)`);
  const take = (id: string): Promise<string> => value(`select number from seqctl.checkout('short', '${id}')`);
  expect(await take('a')).toBe('1');
  await settle('finalize', 'short', 'a');
  expect(await take('b')).toBe('2');
  await settle('finalize', 'short', 'b');
  await expect(take('c')).rejects.toMatchObject({ code: 'SQ014' });
  await database.rows(
    `select seqctl.create_series('narrow', reset => 'never', format => 'N{number}', max_length => 2)`,
  );
  for (let n = 1; n <= 9; n += 1) {
    await value(`select number from seqctl.checkout('narrow', '${n}')`);
    await settle('finalize', 'narrow', String(n));
  }
  await expect(value(`select number from seqctl.checkout('narrow', '10')`)).rejects.toMatchObject({
    code: 'SQ015',
  });
});

test('void, drop_series, detach and adopt know numbers that are out', async () => {
  const t = await makeInvoices(database, 'known', { series: failing });
  await database.execute(`insert into ${t} default values`);
  await checkout(t, 'a');
  await expect(
    database.rows(`select seqctl.void('${t}', 'acme', '${on}', 2, null, 'no')`),
  ).rejects.toMatchObject({
    code: 'SQ039',
    message: `number 2 of period 2026 of series '${t}', group 'acme', cannot be void: it is checked out`,
  });
  await database.rows(`select seqctl.void('${t}', 'acme', '${on}', 1, null, 'annulled')`);
  await database.execute(`
    create table older (company text, issued_on date, number bigint);
    insert into older values ('acme', '${on}', 2)`);
  const adopt = `select * from seqctl.adopt('older', series => '${t}', date_column => 'issued_on',
    group_columns => '{company}', apply => true, reason => 'x')`;
  await expect(database.rows(adopt)).rejects.toMatchObject({ code: 'SQ039' });
  await database.rows(`select seqctl.detach('${t}', 'number')`);
  // The series goes on without a table, and the checkout with it.
  await expect(value(`select seqctl.next_number('${t}', 'acme', '${on}')`)).rejects.toMatchObject({
    code: 'SQ034',
  });
  await settle('finalize', t, 'a');
  expect(await value(`select seqctl.next_number('${t}', 'acme', '${on}')`)).toBe('3');
  await database.rows(`select seqctl.create_series('unused')`);
  await checkout('unused', 'a', '');
  await expect(database.rows(`select seqctl.drop_series('unused')`)).rejects.toMatchObject({ code: 'SQ004' });
  await settle('release', 'unused', 'a');
  await expect(database.rows(`select seqctl.drop_series('unused')`)).rejects.toMatchObject({
    code: 'SQ004',
    message: `series 'unused' has had numbers checked out`,
  });
});

test('a void that waits for the transaction of a checkout finds its counter', async () => {
  const t = await makeInvoices(database, 'void_waits', { series: failing });
  await database.execute(`insert into ${t} default values`);
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query(`select seqctl.checkout('${t}', 'a', 'acme', '${on}')`);
  const voided = b.start(`select seqctl.void('${t}', 'acme', '${on}', 1, null, 'annulled')`);
  await waitUntilBlocked(b, a);
  await a.query('commit');
  await voided.result;
  expect(await settle('finalize', t, 'a')).toBe('2');
});

test('a checkout inside a statement that inserts: by a trigger of the table', async () => {
  const t = await makeInvoices(database, 'within', { series: failing });
  await database.execute(`
    create function take() returns trigger language plpgsql as $f$
    begin
      if new.note is not null then
        perform seqctl.checkout('within', new.note, new.company, new.issued_on);
        if new.note like 'finalize%' then perform seqctl.finalize('within', new.note); end if;
        if new.note like 'release%' then perform seqctl.release('within', new.note); end if;
      end if;
      return new;
    end $f$;
    create trigger take before insert on within for each row execute function take();`);
  for (const timing of ['before', 'after']) {
    await database.execute(`drop trigger take on ${t};
      create trigger take ${timing} insert on ${t} for each row execute function take()`);
    await database.execute(`insert into ${t} (note) values (null), ('finalize ${timing}'), (null)`);
    await database.execute(`insert into ${t} (note) values (null), ('release ${timing}'), (null)`);
    // A BEFORE trigger is followed by the number of its own row.
    const open = `insert into ${t} (note) values (null), (null), ('open ${timing}')`;
    if (timing === 'before') await expect(database.rows(open)).rejects.toMatchObject({ code: 'SQ036' });
    else {
      await database.execute(open);
      await expect(database.rows(`insert into ${t} (note) values ('x')`)).rejects.toMatchObject({
        code: 'SQ034',
      });
      await settle('release', t, `open ${timing}`);
    }
    await database.execute(`insert into ${t} default values`);
    await expectAccounted(database, t);
  }
});

test('a number is checked out by a clock that was set back, too: its state is what counts', async () => {
  const t = await makeInvoices(database, 'clock', { series: `${failing}, ttl_action => 'release'` });
  await checkout(t, 'a');
  // As if the clock had been an hour ahead when it was opened.
  await database.execute(`update seqctl.checkout set opened_at = opened_at + interval '1 h', expires_at = expires_at + interval '1 h'
    where correlation_id = 'a' and number = 1 and series_id = (select id from seqctl.series where name = '${t}')`);
  await expect(database.rows(`insert into ${t} default values`)).rejects.toMatchObject({ code: 'SQ034' });
  expect(await settle('release', t, 'a')).toBe('1');
  expect(await checkout(t, 'a')).toBe('1');
  expect(await settle('release', t, 'a')).toBe('1');
  await database.execute(`insert into ${t} default values`);
  await expectAccounted(database, t);
});

test('a transaction that holds the counter does not wait for a checkout that nobody could settle then', async () => {
  const t = await makeInvoices(database, 'holds');
  await database.execute(`insert into ${t} default values`);
  await checkout(t, 'a');
  const a = await database.session('A');
  for (const level of isolationLevels) {
    for (const attempt of [
      `insert into ${t} default values`,
      `insert into ${t} (note) select n from generate_series(1, 3) n`,
      `select seqctl.next_number('${t}', 'acme', '${on}')`,
      `select seqctl.checkout('${t}', 'b', 'acme', '${on}')`,
    ]) {
      await a.query(`begin isolation level ${level}`);
      await a.query('savepoint s');
      await a.query(`select seqctl.void('${t}', 'acme', '${on}', 1, null, 'annulled')`);
      await expect(a.query(attempt), attempt).rejects.toMatchObject({
        code: 'SQ036',
        message: `number 2 of period 2026 of series '${t}', group 'acme', is checked out, and this transaction holds its counter`,
      });
      // Without the void it would have waited.
      await a.query('rollback to s');
      await a.query(`set local lock_timeout = '20ms'`);
      await expect(a.query(attempt), attempt).rejects.toMatchObject({ code: '55P03' });
      await a.query('rollback');
    }
  }
  // One that only voids is in nobody's way for longer than its transaction.
  await a.query(`select seqctl.void('${t}', 'acme', '${on}', 1, null, 'annulled')`);
  await settle('finalize', t, 'a');
  await database.execute(`insert into ${t} (number) values (2), (null)`);
  await expectAccounted(database, t);
});
