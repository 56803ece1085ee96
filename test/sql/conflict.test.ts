import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, expectStored, type Invoice, makeInvoices, numbersOf } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

// x1 … x9 are in the table before; n1 … are new.
const cases: Record<string, string[]> = {
  first: ['x1', 'n1', 'n2', 'n3'],
  middle: ['n1', 'x1', 'n2'],
  'several in the middle': ['n1', 'x1', 'x2', 'x3', 'n2', 'n3', 'x4', 'n4'],
  last: ['n1', 'n2', 'x1'],
  'first, middle and last': ['x1', 'n1', 'x2', 'n2', 'x3'],
  all: ['x1', 'x2', 'x3'],
  'one row': ['x1'],
  none: ['n1', 'n2', 'n3'],
};

for (const [action, isUpdate] of [
  ['do nothing', false],
  ['(external) do nothing', false],
  ['(external) do update set note = excluded.external', true],
  [`(external) do update set note = excluded.external where excluded.external <> 'x2'`, true],
] as const) {
  test.each(Object.entries(cases))(`ON CONFLICT ${action}, conflicts %s`, async (name, values) => {
    const t = await makeInvoices(
      database,
      `c_${name.replaceAll(/\W+/g, '_')}_${action.replaceAll(/\W+/g, '').slice(0, 50)}`.slice(0, 55) +
        (action.length % 10).toString(),
    );
    const a = await database.session('A');
    await a.query(`insert into ${t} (external) select 'x' || n from generate_series(1, 9) n`);
    const insert = `insert into ${t} (external) select * from unnest($1::text[]) on conflict ${action} returning *`;
    const returned = await a.rows<Invoice>(insert, [values]);
    await expectStored(database, t, returned);
    const again = await a.rows<Invoice>(insert, [values]);
    expect(again.length).toBe(
      isUpdate ? values.filter((v) => v !== 'x2' || !action.includes('where')).length : 0,
    );
    await a.query(`insert into ${t} (external) values ('z')`);
    await expectExact(database);
    const count = 10 + values.filter((value) => value.startsWith('n')).length;
    expect(
      (await numbersOf(database, t))['acme 2026']
        ?.split(' ')
        .map(Number)
        .sort((x, y) => x - y),
    ).toEqual(Array.from({ length: count }, (_, n) => n + 1));
  });
}

test('conflicts among several groups and years in one transaction', async () => {
  const t = await makeInvoices(database, 'mixed');
  const a = await database.session('A');
  await a.query('begin');
  for (let n = 0; n < 10; n += 1) {
    const returned = await a.rows<Invoice>(
      `insert into ${t} (external, company, issued_on)
       select (random() * 400)::int, 'c' || (random() * 5)::int, date '2024-06-01' + 365 * (random() * 3)::int
       from generate_series(1, 100)
       on conflict do nothing returning *`,
    );
    for (const row of returned) expect(row.number).toMatch(/^\d+$/);
  }
  await a.query('commit');
  await expectExact(database);
});

test('rows of one statement that conflict with each other', async () => {
  const t = await makeInvoices(database, 'among_themselves');
  const a = await database.session('A');
  await a.query(
    `insert into ${t} (external) values ('a'), ('a'), ('b'), ('a'), ('b'), ('c') on conflict do nothing`,
  );
  await expect(
    a.query(
      `insert into ${t} (external) values ('d'), ('d') on conflict (external) do update set note = 'x'`,
    ),
  ).rejects.toMatchObject({ code: '21000' });
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3' });
});

test('a conflict with a row of another session: committed or rolled back meanwhile', async () => {
  const t = await makeInvoices(database, 'two_sessions');
  for (const end of ['commit', 'rollback']) {
    const a = await database.session('A');
    const b = await database.session('B');
    await a.query('begin');
    // The group is another one, so that B waits for the row and not for the counter.
    await a.query(`insert into ${t} (company, external) values ('globex', '${end}')`);
    const waiting = b.start(
      `insert into ${t} (company, external) values ('acme', '1${end}'), ('acme', '${end}'), ('acme', '2${end}') on conflict do nothing`,
    );
    await waitUntilBlocked(b, a);
    await a.query(end);
    await waiting.result;
  }
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5', 'globex 2026': '1' });
});

test('an ON CONFLICT DO UPDATE that changes the same columns again', async () => {
  const t = await makeInvoices(database, 'upsert');
  const a = await database.session('A');
  for (let n = 0; n < 3; n += 1) {
    await a.query(
      `insert into ${t} (external, note) select 'e' || g, 'n' from generate_series(1, 5 + ${n}) g
       on conflict (external) do update set note = ${t}.note || excluded.note`,
    );
  }
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5 6 7' });
});

test('a BEFORE trigger that deletes the old row with the same key', async () => {
  const t = await makeInvoices(database, 'replacing');
  // The deleted number is gone with its row, so the old one is of another company.
  await database.execute(`
    create function replace_old() returns trigger language plpgsql as $$
    begin delete from drafts where external = new.external; return new; end $$;
    create table drafts (external text);
    create trigger a_replace before insert on ${t} for each row execute function replace_old();
    insert into drafts select 'd' || n from generate_series(1, 5) n`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (external) select 'd' || n from generate_series(1, 7) n`);
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2 3 4 5 6 7' });
});

test('a BEFORE trigger that deletes the highest row of the table itself: no number twice in the statement', async () => {
  const t = await makeInvoices(database, 'replacing_self', { protect: false });
  await database.execute(`
    create function replace_self() returns trigger language plpgsql as $$
    begin delete from ${t} where external = new.external; return new; end $$;
    create trigger a_replace before insert on ${t} for each row execute function replace_self();`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (external) values ('a'), ('b')`);
  const returned = await a.rows<Invoice>(
    `insert into ${t} (external) values ('c'), ('b'), ('d') returning *`,
  );
  // The number 2 was deleted by the user; those given after it are in order, each once.
  expect(returned.map((row) => row.number)).toEqual(['3', '4', '5']);
  await expectStored(database, t, returned);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 3 4 5' });
  // What a user deletes is a hole for the tests that follow.
  await database.execute(`drop table ${t}`);
});

test('a BEFORE trigger that deletes a row of the same statement: its number is not given again', async () => {
  const t = await makeInvoices(database, 'self_delete', { protect: false });
  await database.execute(`
    create function self_delete() returns trigger language plpgsql as $$
    begin delete from ${t} where external = new.external; return new; end $$;
    create trigger a_replace before insert on ${t} for each row execute function self_delete();`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (external) values ('a'), ('b'), ('a'), ('c')`);
  // Number 1 was given and deleted by the user's own trigger, as a DELETE afterwards would have done.
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '2 3 4' });
  expect(await a.value(`select last_number from seqctl.counters where series = '${t}'`)).toBe('4');
  await database.execute(`drop table ${t}`);
});
