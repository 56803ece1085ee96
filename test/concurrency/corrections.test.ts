import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

const levels = ['read committed', 'repeatable read', 'serializable'];
const nameFor = (prefix: string, level: string): string => `${prefix}_${level.replace(' ', '_')}`;

const march = `'acme', '2026-03-09'`;
const lower = (t: string, to: number): string =>
  `select * from seqctl.lower_counter('${t}', ${march}, ${to}, 'a test import')`;
const remove = (t: string): string =>
  `select * from seqctl.remove_counter('${t}', ${march}, 'a test import')`;

/** An unprotected table with rows 1 … `rows`, and its counter at `last`. */
async function makeAhead(name: string, rows: number, last: number): Promise<string> {
  const t = await makeInvoices(database, name, { protect: false });
  await database.rows(`insert into ${t} select from generate_series(1, $1)`, [last]);
  await database.rows(`delete from ${t} where number > $1`, [rows]);
  return t;
}

test.each(levels)('an uncommitted INSERT is waited for, and its row seen; %s', async (level) => {
  const t = await makeAhead(nameFor('held', level), 2, 4);
  const a = await database.session('A');
  const c = await database.session('C');
  await a.query(`begin isolation level ${level}`);
  await a.query(`insert into ${t} default values`);
  const refused = c.start(lower(t, 2));
  await waitUntilBlocked(c, a);
  // The holder goes on in the counter that it holds.
  await a.query(`insert into ${t} select from generate_series(1, 2)`);
  await a.query('commit');
  await expect(refused.result).rejects.toMatchObject({
    code: 'SQ043',
    message: expect.stringMatching(/number 7 is in use$/) as string,
  });
  await database.rows(`delete from ${t} where number > 2`);

  await a.query(`begin isolation level ${level}`);
  await a.query(`insert into ${t} default values`);
  const lowered = c.start<{ previous_number: string }>(lower(t, 2));
  await waitUntilBlocked(c, a);
  await a.query('rollback');
  expect((await lowered.result).rows).toMatchObject([{ previous_number: '7' }]);
  await a.query(`insert into ${t} default values`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3' });
  await expectExact(database);
});

test.each(levels)('who waits for the lowered counter gets its next number, or 40001; %s', async (level) => {
  for (const count of [1, 3]) {
    const t = await makeAhead(nameFor(`waits_${count}`, level), 2, 4);
    const insert = `insert into ${t} select from generate_series(1, ${count})`;
    const a = await database.session('A');
    const c = await database.session('C');
    await a.query(`begin isolation level ${level}`);
    // Its snapshot is older than the correction.
    await a.query(`select count(*) from ${t}`);
    await c.query('begin');
    await c.query(lower(t, 2));
    const inserting = a.start(insert);
    await waitUntilBlocked(a, c);
    await c.query('commit');
    if (level === 'read committed') {
      await inserting.result;
      await a.query('commit');
    } else {
      await expect(inserting.result).rejects.toMatchObject({ code: '40001' });
      await a.query('rollback');
      await a.query(insert);
    }
    expect(await numbersOf(database, t)).toEqual({ 'acme 2026': count === 1 ? '1 2 3' : '1 2 3 4 5' });
    await expectExact(database);
  }
});

test.each(levels)('who waits for the removed counter makes it anew, or gets 40001; %s', async (level) => {
  const t = await makeAhead(nameFor('gone', level), 0, 4);
  const a = await database.session('A');
  const c = await database.session('C');
  await a.query(`begin isolation level ${level}`);
  await a.query(`select count(*) from ${t}`);
  await c.query('begin');
  await c.query(remove(t));
  const insert = a.start(`insert into ${t} select from generate_series(1, 2)`);
  await waitUntilBlocked(a, c);
  await c.query('commit');
  if (level === 'read committed') {
    await insert.result;
    await a.query('commit');
  } else {
    await expect(insert.result).rejects.toMatchObject({ code: '40001' });
    await a.query('rollback');
    await a.query(`insert into ${t} select from generate_series(1, 2)`);
  }
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2' });
  await expectExact(database);
});

test('a correction that rolls back: who waited goes on from the old number', async () => {
  const t = await makeAhead('undone', 2, 2);
  await database.rows(`delete from ${t} where number = 2`);
  const a = await database.session('A');
  const c = await database.session('C');
  for (const call of [lower(t, 1), `delete from ${t}`]) {
    await c.query('begin');
    await c.query(call);
    if (call.startsWith('delete')) await c.query(remove(t));
    const insert = a.start(`insert into ${t} default values`);
    await waitUntilBlocked(a, c);
    await c.query('rollback');
    await insert.result;
  }
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 3 4' });
  await database.execute(`drop table ${t}`);
});

test('a checkout that is being made is waited for, and a checkout waits for the correction', async () => {
  const t = await makeAhead('checked', 2, 4);
  const a = await database.session('A');
  const c = await database.session('C');
  const checkout = `select number from seqctl.checkout('${t}', 'order', ${march}, '1 hour')`;
  await a.query('begin');
  await a.query(checkout);
  const refused = c.start(lower(t, 2));
  await waitUntilBlocked(c, a);
  await a.query('commit');
  await expect(refused.result).rejects.toMatchObject({
    code: 'SQ043',
    detail: expect.stringMatching(/^It is checked out/) as string,
  });
  await a.query(`select seqctl.release('${t}', 'order')`);

  await c.query('begin');
  await c.query(lower(t, 2));
  const next = a.start<{ number: string }>(checkout);
  await waitUntilBlocked(a, c);
  await c.query('commit');
  expect((await next.result).rows).toEqual([{ number: '3' }]);
  await a.query(`select seqctl.release('${t}', 'order')`);
});

test('a table that is being attached is waited for, and its rows count', async () => {
  const t = await makeAhead('attaching', 2, 4);
  await database.execute(`
    create table ${t}_more (company text, issued_on date, number bigint, document_number text);
    insert into ${t}_more values ('acme', '2026-01-01', 4, 'acme-2026-004')`);
  const a = await database.session('A');
  const c = await database.session('C');
  await a.query('begin');
  await a.query(
    `select seqctl.attach('${t}_more', '${t}', 'number', 'issued_on', '{company}', 'document_number')`,
  );
  const refused = c.start(lower(t, 2));
  await waitUntilBlocked(c, a);
  await a.query('commit');
  await expect(refused.result).rejects.toMatchObject({
    code: 'SQ043',
    detail: expect.stringMatching(/^A row of /) as string,
  });
  await database.execute(`drop table ${t}, ${t}_more`);
});

test('two corrections at once: the second sees the first', async () => {
  const t = await makeAhead('twice', 2, 6);
  const a = await database.session('A');
  const c = await database.session('C');
  await a.query('begin');
  await a.query(lower(t, 3));
  const second = c.start(lower(t, 4));
  await waitUntilBlocked(c, a);
  await a.query('commit');
  await expect(second.result).rejects.toMatchObject({
    code: 'SQ043',
    message: expect.stringMatching(/is at 3: 4 is not lower$/) as string,
  });
  expect(
    await database.rows(
      `select from_number, to_number from seqctl.counter_corrections where series = '${t}'`,
    ),
  ).toEqual([{ from_number: '6', to_number: '3' }]);
  await database.execute(`drop table ${t}`);
});

test('while a counter goes up and down, no number is there twice and none is lost', async () => {
  const t = await makeAhead('churn', 1, 1);
  const writers = await Promise.all(['W1', 'W2', 'W3'].map((name) => database.session(name)));
  const owner = await database.session('owner');
  const stop = new AbortController();
  let lowered = 0;
  const correct = `select seqctl.lower_counter('${t}', ${march}, (select max(number) from ${t}), 'churn')`;
  const deleteLast = `delete from ${t} where number = (select max(number) from ${t})`;
  const correcting = (async () => {
    while (!stop.signal.aborted) {
      // It holds the counter, so nobody comes in between.
      await owner.query('begin');
      await owner.query(`insert into ${t} default values`);
      await owner.query(deleteLast);
      await owner.query(correct);
      await owner.query('commit');
      lowered += 1;
      // Others may have come by the time it has the lock, and are seen.
      await owner.query('begin');
      try {
        await owner.query(deleteLast);
        await owner.query(correct);
        await owner.query('commit');
      } catch (error) {
        expect((error as { code?: string }).code).toBe('SQ043');
        await owner.query('rollback');
      }
    }
  })();
  await Promise.all(
    writers.map(async (writer, index) => {
      for (let round = 0; round < 60; round += 1) {
        await writer.query(`insert into ${t} select from generate_series(1, ${1 + ((round + index) % 3)})`);
      }
    }),
  );
  stop.abort();
  await correcting;
  expect(lowered).toBeGreaterThan(0);
  await expectExact(database);
});
