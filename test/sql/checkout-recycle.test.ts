import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectAccounted, makeInvoices, numbersOf } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

const on = '2026-03-09';
const levels = ['read committed', 'repeatable read', 'serializable'];
const recycling = `format => '{group}-{year}-{number:3}', on_checkout => 'recycle'`;

const value = async (sql: string): Promise<string> => {
  const [row] = await database.rows<Record<string, string>>(sql);
  return Object.values(row ?? {})[0] ?? '';
};
const checkout = (t: string, id: string): Promise<string> =>
  value(`select number from seqctl.checkout('${t}', '${id}', 'acme', '${on}')`);
const settle = (how: 'finalize' | 'release', t: string, id: string): Promise<string> =>
  value(`select seqctl.${how}('${t}', '${id}')`);
/** Checks numbers out and releases those of `back`, so that they wait. */
async function release(t: string, count: number, back: readonly number[]): Promise<void> {
  const numbers: string[] = [];
  for (let n = 0; n < count; n += 1) numbers.push(await checkout(t, `${t}-${n}`));
  for (const [n, number] of numbers.entries()) {
    await settle(back.includes(Number(number)) ? 'release' : 'finalize', t, `${t}-${n}`);
  }
}
const waiting = async (t: string): Promise<string> =>
  value(
    `select coalesce(string_agg(number::text, ' ' order by number), '') from seqctl.checkouts where series = '${t}' and waits`,
  );
const stopped = async (t: string): Promise<unknown> =>
  value(
    `select string_agg(c.stopped::text, ' ') from seqctl.counter c join seqctl.series s on s.id = c.series_id where s.name = '${t}'`,
  );

test('several are out at once; a released number is the next one that anybody gets', async () => {
  const t = await makeInvoices(database, 'several', { series: recycling });
  expect(await checkout(t, 'a')).toBe('1');
  expect(await checkout(t, 'b')).toBe('2');
  // Nobody waits.
  await database.execute(`insert into ${t} default values`);
  expect(await checkout(t, 'c')).toBe('4');
  expect(await stopped(t)).toBe('false');
  expect(await value(`select number from seqctl.peek('${t}', 'acme', '${on}')`)).toBe('5');
  await settle('release', t, 'b');
  await settle('release', t, 'a');
  expect(await stopped(t)).toBe('true');
  expect(await value(`select number from seqctl.peek('${t}', 'acme', '${on}')`)).toBe('1');
  expect(await checkout(t, 'd')).toBe('1');
  expect(await checkout(t, 'd')).toBe('1');
  await database.execute(`insert into ${t} default values`);
  expect(await stopped(t)).toBe('false');
  await database.execute(`insert into ${t} default values`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '3 2 5' });
  await settle('finalize', t, 'c');
  await settle('release', t, 'd');
  // An id that was released takes the lowest again.
  expect(await checkout(t, 'a')).toBe('1');
  await settle('finalize', t, 'a');
  await database.execute(`insert into ${t} (number) values (1), (null), (4)`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '3 2 5 1 6 4' });
  await expectAccounted(database, t);
});

test.each(levels)(
  '%s: every form of INSERT, next_number and allocate take waiting numbers first',
  async (level) => {
    const a = await database.session('A');
    const forms: [string, (t: string) => string, string][] = [
      ['one', (t) => `insert into ${t} default values`, '4'],
      ['two', (t) => `insert into ${t} default values; insert into ${t} default values`, ''],
      ['three', (t) => `insert into ${t} (note) select n from generate_series(1, 3) n`, ''],
      [
        'groups',
        (t) => `insert into ${t} (company) values ('b'), ('acme'), ('b'), ('acme'), ('b'), ('acme')`,
        '',
      ],
      [
        'conflict',
        (t) => `insert into ${t} (external) values ('x'), ('x'), ('y'), ('x'), ('z') on conflict do nothing`,
        '',
      ],
      ['given', (t) => `insert into ${t} (number) values (2), (null), (3)`, ''],
      [
        'next',
        (t) => `insert into ${t} (number) select seqctl.next_number('${t}', 'acme', '${on}') where false`,
        '2 4',
      ],
      ['savepoint', (t) => `savepoint s; insert into ${t} default values; rollback to s`, '2 4'],
    ];
    for (const [name, sql, left] of forms) {
      const t = await makeInvoices(database, `forms_${level.slice(0, 4)}_${name}`, { series: recycling });
      await release(t, 5, [2, 4]);
      await a.query(`begin isolation level ${level}`);
      await a.query(sql(t));
      await a.query('commit');
      expect(await waiting(t), name).toBe(left);
      await a.query(`insert into ${t} (note) select n from generate_series(1, 20) n`);
      expect(await waiting(t)).toBe('');
      expect(await stopped(t)).toMatch(/^false( false)*$/);
      await expectAccounted(database, t);
    }
    const t = await makeInvoices(database, `calls_${level.slice(0, 4)}`, { series: recycling });
    await release(t, 6, [1, 3, 6]);
    await a.query(`begin isolation level ${level}`);
    expect(await a.value(`select seqctl.next_number('${t}', 'acme', '${on}')`)).toBe('1');
    expect(
      await a.value(
        `select string_agg(number || ' ' || document_number, ', ') from seqctl.allocate('${t}', 'acme', '${on}', 4)`,
      ),
    ).toBe('3 acme-2026-003, 6 acme-2026-006, 7 acme-2026-007, 8 acme-2026-008');
    expect(await a.value(`select seqctl.next_number('${t}', 'acme', '${on}')`)).toBe('9');
    await a.query('rollback');
    expect(await waiting(t)).toBe('1 3 6');
  },
);

test('a trigger that drops rows, and one that inserts more, among waiting numbers', async () => {
  const t = await makeInvoices(database, 'odd_rows', { series: recycling });
  await database.execute(`
    create function drop_some() returns trigger language plpgsql as $f$
    begin return case when new.note = 'drop' then null else new end; end $f$;
    create trigger zzz_drop before insert on odd_rows for each row execute function drop_some();
    create function add_some() returns trigger language plpgsql as $f$
    begin if new.note = 'more' then insert into odd_rows (note) values ('inner'); end if; return new; end $f$;
    create trigger add_some after insert on odd_rows for each row execute function add_some()`);
  await release(t, 7, [2, 3, 5, 7]);
  await database.execute(
    `insert into ${t} (note) values ('drop'), ('keep'), ('drop'), ('more'), ('drop'), ('more'), ('keep')`,
  );
  expect(await waiting(t)).toBe('');
  await expectAccounted(database, t);
  await database.execute(`insert into ${t} (note) values ('keep'), ('more'), ('keep')`);
  await expectAccounted(database, t);
});

test('two sessions: a waiting number goes to one of them', async () => {
  const t = await makeInvoices(database, 'two_takers', { series: recycling });
  const a = await database.session('A');
  const b = await database.session('B');
  for (const level of levels) {
    await value(`select number from seqctl.checkout('${t}', 'x', 'acme', '${on}')`);
    await settle('release', t, 'x');
    await a.query(`begin isolation level ${level}`);
    await b.query(`begin isolation level ${level}`);
    await b.query('select count(*) from seqctl.counter');
    await a.query(`insert into ${t} default values`);
    const second = b.start(`insert into ${t} default values`);
    await waitUntilBlocked(b, a);
    await a.query('commit');
    if (level === 'read committed') await second.result;
    else await expect(second.result).rejects.toMatchObject({ code: '40001' });
    await b.query('commit');
    await expectAccounted(database, t);
  }
  // An INSERT that waits for the transaction of a release gets what it releases.
  const number = await checkout(t, 'y');
  await a.query('begin');
  await a.query(`select seqctl.release('${t}', 'y')`);
  const second = b.start<{ number: string }>(`insert into ${t} default values returning number`);
  await waitUntilBlocked(b, a);
  await a.query('commit');
  expect((await second.result).rows[0]?.number).toBe(number);
  await expectAccounted(database, t);
});

test.each(['commit', 'manual', 'insert'] as const)(
  'assign %s: rows that are numbered later take waiting numbers, too',
  async (assign) => {
    const t = await makeDocuments(database, `later_${assign}`, {
      assign,
      issueWhen: assign === 'insert' ? `status = 'issued'` : null,
      series: recycling,
    });
    await release(t, 6, [2, 3, 5]);
    const a = await database.session('A');
    const number = async (): Promise<void> => {
      if (assign === 'manual') await a.query(`select seqctl.number_pending('${t}')`);
      if (assign === 'insert') await a.query(`update ${t} set status = 'issued' where status = 'draft'`);
    };
    await a.query('begin');
    await a.query(`insert into ${t} default values`);
    await a.query('commit');
    await number();
    expect(await waiting(t)).toBe('3 5');
    await a.query('begin');
    await a.query(`insert into ${t} (note) select n from generate_series(1, 2) n`);
    await a.query(`insert into ${t} (company) values ('b'), ('acme')`);
    await a.query('commit');
    await number();
    expect(await waiting(t)).toBe('');
    expect(await stopped(t)).toBe('false false');
    await a.query(`insert into ${t} (note) select n from generate_series(1, 30) n`);
    await number();
    expect(await value(`select count(number) from ${t}`)).toBe('35');
    await expectAccounted(database, t);
  },
);

test('an expired one is in nobody’s way; ttl_action release gives its number to the next checkout', async () => {
  const t = await makeInvoices(database, 'expired', { series: `${recycling}, ttl_action => 'release'` });
  expect(await checkout(t, 'a')).toBe('1');
  expect(await checkout(t, 'b')).toBe('2');
  await database.execute(
    `update seqctl.checkout set expires_at = opened_at - interval '1 s' where correlation_id = 'a'`,
  );
  await database.execute(`insert into ${t} default values`);
  expect(await checkout(t, 'c')).toBe('1');
  await expect(settle('finalize', t, 'a')).rejects.toMatchObject({ code: 'SQ038' });
  expect(await settle('finalize', t, 'b')).toBe('2');
  await expectAccounted(database, t);
});

test('a waiting number that is voided is not given any more', async () => {
  const t = await makeInvoices(database, 'voided', { series: recycling });
  await release(t, 3, [2]);
  await checkout(t, 'open');
  await settle('release', t, 'open');
  await expect(checkout(t, 'x')).resolves.toBe('2');
  await expect(
    database.rows(`select seqctl.void('${t}', 'acme', '${on}', 1, 3, 'all')`),
  ).rejects.toMatchObject({ code: 'SQ039', message: expect.stringContaining('number 2 of') as string });
  await settle('release', t, 'x');
  await database.rows(`select seqctl.void('${t}', 'acme', '${on}', 2, null, 'spoiled form')`);
  expect(await stopped(t)).toBe('false');
  await database.execute(`insert into ${t} default values`);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '4' });
});

test('recycle gives order up, and chronology keeps it: they do not go together', async () => {
  await database.rows(`select seqctl.create_series('no_order', on_checkout => 'recycle')`);
  await expect(
    makeDocuments(database, 'ordered', { sharedSeries: 'no_order', chronology: 'enforce' }),
  ).rejects.toMatchObject({ code: 'SQ007', message: expect.stringContaining('recycle') as string });
  const t = await makeDocuments(database, 'in_order', { chronology: 'stamp' });
  await expect(
    database.rows(`select seqctl.alter_series('${t}', on_checkout => 'recycle')`),
  ).rejects.toMatchObject({ code: 'SQ023' });
});

test.each([0, 1, 2])(
  'next_number() in a trigger after seqctl’s, while %i released numbers wait: refused',
  async (count) => {
    const t = await makeInvoices(database, `taker_${count}`, { series: recycling });
    await database.execute(`
    create function ${t}_take() returns trigger language plpgsql as $$
    begin
      if new.note = 'take' then new.external := seqctl.next_number('${t}', new.company, new.issued_on); end if;
      return new;
    end $$;
    create trigger zzz_take before insert on ${t} for each row execute function ${t}_take();
    insert into ${t} default values`);
    await release(t, 3, [2, 3].slice(0, count));
    const before = await waiting(t);
    for (const notes of ['take', 'x take', 'take x', 'x take x take x']) {
      const rows = notes.split(' ').map((note) => `('${note}')`);
      // Row and function have been given the same number.
      await expect(
        database.execute(`insert into ${t} (note) values ${rows.join(', ')}`),
        notes,
      ).rejects.toMatchObject({ code: 'SQ013' });
    }
    expect(await waiting(t)).toBe(before);
    await database.execute(`insert into ${t} (note) values ('x'), ('x'), ('x')`);
    expect(await numbersOf(database, t)).toEqual({
      'acme 2026': ['1 5 6 7', '1 2 5 6', '1 2 3 5'][count],
    });
  },
);
