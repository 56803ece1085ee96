import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { type Session, waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

const forms = (t: string): string[] => [
  `insert into ${t} default values`,
  `insert into ${t} (company) values ('acme'), ('globex'), ('acme')`,
  `insert into ${t} (external) select n::text from generate_series(1, 3) n on conflict do nothing`,
];

test.each(['read committed', 'repeatable read', 'serializable'])('every form in %s', async (level) => {
  const t = await makeInvoices(database, `level_${level.replace(' ', '_')}`);
  const a = await database.session('A');
  for (let n = 0; n < 3; n += 1) {
    await a.query(`begin isolation level ${level}`);
    for (const form of forms(t)) await a.query(form);
    await a.query('savepoint s');
    for (const form of forms(t)) await a.query(form);
    await a.query('rollback to s');
    for (const form of forms(t)) await a.query(form);
    await a.query('commit');
    await expectExact(database);
  }
});

test.each([
  ['repeatable read', 'a known counter', true],
  ['serializable', 'a known counter', true],
  ['repeatable read', 'the first number', false],
  ['serializable', 'the first number', false],
])('%s, %s: the loser of a race gets 40001, and its retry works', async (level, _which, isKnown) => {
  const t = await makeInvoices(database, `race_${level.replace(' ', '_')}_${isKnown ? 'known' : 'first'}`);
  if (isKnown) await database.execute(`insert into ${t} default values`);
  const a = await database.session('A');
  const b = await database.session('B');
  for (const insert of [
    `insert into ${t} default values`,
    `insert into ${t} (note) select n from generate_series(1, 3) n`,
  ]) {
    await a.query(`begin isolation level ${level}`);
    await b.query(`begin isolation level ${level}`);
    await b.query('select count(*) from seqctl.counter');
    await a.query(insert);
    const waiting = b.start(insert);
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await expect(waiting.result).rejects.toMatchObject({ code: '40001' });
    await b.query('rollback');
    await b.query(`begin isolation level ${level}`);
    await b.query(insert);
    await b.query('commit');
    await expectExact(database);
  }
  // Not waiting: the other one has committed since the snapshot.
  await b.query(`begin isolation level ${level}`);
  await b.query(`select count(*) from ${t}`);
  await a.query(`insert into ${t} default values`);
  await expect(b.query(`insert into ${t} default values`)).rejects.toMatchObject({ code: '40001' });
  await b.query('rollback');
  await expectExact(database);
});

test('repeatable read: a holder that rolls back costs nothing', async () => {
  const t = await makeInvoices(database, 'rr_rollback');
  await database.execute(`insert into ${t} default values`);
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  await a.query(`insert into ${t} default values`);
  await b.query('begin isolation level repeatable read');
  const waiting = b.start(`insert into ${t} default values`);
  await waitUntilBlocked(b, a);
  await a.query('rollback');
  await waiting.result;
  await b.query('commit');
  await expectExact(database);
  expect(await numbersOf(database, t)).toEqual({ 'acme 2026': '1 2' });
});

test.each(['commit prepared', 'rollback prepared'])('PREPARE TRANSACTION, %s', async (end) => {
  const t = await makeInvoices(database, `two_phase_${end.slice(0, 3)}`);
  await database.execute(`insert into ${t} default values`);
  const a = await database.session('A');
  const b = await database.session('B');
  const id = `${database.name}_${end.slice(0, 3)}`;
  await a.query('begin');
  await a.query(`insert into ${t} (company) values ('acme'), ('globex')`);
  await a.query('savepoint s');
  await a.query(`insert into ${t} default values`);
  await a.query('rollback to s');
  await a.query(`insert into ${t} default values`);
  await a.query(`prepare transaction '${id}'`);
  const waiting = b.start(`insert into ${t} default values`);
  // The prepared transaction has no backend of its own.
  await waitUntilBlocked(b);
  // The session that prepared it goes on with another counter, and remembers nothing of the first.
  await a.query(`insert into ${t} (company) values ('third')`);
  await a.query(`${end} '${id}'`);
  await waiting.result;
  await a.query(`insert into ${t} (company) values ('acme'), ('globex')`);
  await expectExact(database);
  expect((await numbersOf(database, t))['acme 2026']).toBe(end.startsWith('commit') ? '1 2 3 4 5' : '1 2 3');
});

test('repeatable read: a table of the series that was attached after the snapshot', async () => {
  await database.execute(`
    select seqctl.create_series('later', reset => 'never');
    create table later_1 (company text, number bigint);
    create table later_2 (company text, number bigint);
    select seqctl.attach('later_1', 'later', group_columns => '{company}');
    insert into later_1 values ('a'), ('b')`);
  const a = await database.session('A');
  await a.query('begin isolation level repeatable read');
  await a.query('select count(*) from later_1');
  await database.execute(`select seqctl.attach('later_2', 'later', group_columns => '{company}')`);
  const insert = `insert into later_2 values ('a'), ('b'), ('a'), ('a')`;
  await expect(a.query(insert)).rejects.toMatchObject({ code: '40001', hint: 'Run the transaction again.' });
  await a.query('rollback');
  await a.query(insert);
  await expectExact(database);
});

test('SET CONSTRAINTS ALL IMMEDIATE and DEFERRED', async () => {
  const t = await makeInvoices(database, 'constraints');
  await database.execute(`
    create table constraints_parent (x text primary key);
    alter table ${t} add foreign key (note) references constraints_parent deferrable initially deferred;
    alter table ${t} add unique (company, id) deferrable initially deferred`);
  const a = await database.session('A');
  await a.query('begin');
  await a.query('set constraints all immediate');
  await a.query(`insert into ${t} default values`);
  await a.query('set constraints all deferred');
  await a.query('savepoint s');
  await a.query(`insert into ${t} (note) values ('missing'), ('x')`);
  await expect(a.query('set constraints all immediate')).rejects.toMatchObject({ code: '23503' });
  await a.query('rollback to s');
  await a.query(`insert into ${t} (company) values ('acme'), ('globex')`);
  await a.query('set constraints all immediate');
  await a.query(`insert into ${t} (company) values ('acme'), ('globex')`);
  await a.query('commit');
  await a.query('begin');
  await a.query(`insert into ${t} (note) values ('missing')`);
  await expect(a.query('commit')).rejects.toMatchObject({ code: '23503' });
  await a.query(`insert into ${t} default values`);
  await expectExact(database);
});

test('a procedure with COMMIT and ROLLBACK in a loop over a cursor', async () => {
  const t = await makeInvoices(database, 'procedure');
  await database.execute(`
    create procedure fill_procedure() language plpgsql as $$
    declare r record;
    begin
      for r in select n from generate_series(1, 20) n loop
        insert into ${t} (company) select 'c' || r.n % 3 from generate_series(1, r.n % 4);
        insert into ${t} (company) values ('c' || r.n % 2);
        if r.n % 5 = 0 then rollback; else commit; end if;
      end loop;
    end $$`);
  const a = await database.session('A');
  await a.query('call fill_procedure()');
  await a.query(`do $$ begin
    for n in 1 .. 6 loop
      insert into ${t} (company) values ('c1');
      if n % 2 = 0 then rollback; else commit; end if;
    end loop; end $$`);
  await expectExact(database);
});

test('a cursor with hold and inserts while it is read', async () => {
  const t = await makeInvoices(database, 'cursor');
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 5) n`);
  await a.query('begin');
  await a.query(`declare c cursor with hold for select * from ${t}`);
  for (let n = 0; n < 3; n += 1) {
    await a.query('fetch 1 from c');
    await a.query(`insert into ${t} (note) values ('x'), ('y')`);
  }
  await a.query('commit');
  await a.query('fetch 1 from c');
  await a.query(`insert into ${t} (note) values ('x')`);
  await expectExact(database);
});

test('several statements in one message', async () => {
  const t = await makeInvoices(database, 'one_message');
  const a = await database.session('A');
  await a.query(forms(t).join(';'));
  await expect(a.query(`${forms(t).join(';')}; select 1 / 0`)).rejects.toThrow();
  await a.query(`begin; ${forms(t).join(';')}; commit; ${forms(t).join(';')}`);
  await expectExact(database);
});

async function everyForm(session: Session, t: string): Promise<void> {
  for (const form of forms(t)) await session.query(form);
  await session.query('begin');
  for (const form of forms(t)) await session.query(form);
  await session.query('commit');
  await session.query(
    `insert into ${t} (company, issued_on) select 'c' || n % 3, date '2026-01-01' + 200 * (n % 4) from generate_series(1, 20) n`,
  );
}

test.each(['auto', 'force_custom_plan', 'force_generic_plan'])(
  'prepared statements, plan_cache_mode = %s',
  async (mode) => {
    const t = await makeInvoices(database, `plans_${mode}`);
    const a = await database.session('A');
    await a.query(`set plan_cache_mode = ${mode}`);
    await a.query(
      `prepare one (text, date) as insert into ${t} (company, issued_on) values ($1, $2) returning number`,
    );
    await a.query(
      `prepare many (text, int) as insert into ${t} (company) select $1 || n % 2 from generate_series(1, $2) n returning number`,
    );
    for (let n = 0; n < 8; n += 1) {
      await a.query(`execute one ('c${n % 3}', '202${n % 4}-01-01')`);
      await a.query(`execute many ('c', ${n})`);
      if (n === 4) await a.query('begin');
      if (n === 5) await a.query('discard plans');
    }
    await a.query('commit');
    await everyForm(a, t);
    await expectExact(database);
  },
);

// Settings that a session may have, and none of which may change a number.
test.each([
  `datestyle = 'German'`,
  `datestyle = 'SQL, DMY'`,
  `intervalstyle = 'sql_standard'`,
  `timezone = 'Pacific/Kiritimati'`,
  `timezone = 'Etc/GMT+12'`,
  `extra_float_digits = 0`,
  `array_nulls = off`,
  `transform_null_equals = on`,
  `quote_all_identifiers = on`,
  `standard_conforming_strings = off`,
  `escape_string_warning = off`,
  `backslash_quote = on`,
  `plpgsql.extra_errors = 'all'`,
  `plpgsql.extra_warnings = 'all'`,
  `plpgsql.print_strict_params = on`,
  `check_function_bodies = off`,
  `enable_indexscan = off`,
  `enable_seqscan = off`,
  `enable_tidscan = off`,
  `enable_material = off`,
  `jit_above_cost = 0`,
  `search_path = ''`,
  `search_path = pg_temp, public`,
  `client_encoding = 'LATIN1'`,
  `default_transaction_isolation = 'serializable'`,
  `xmloption = document`,
  `bytea_output = escape`,
  `track_counts = off`,
  `row_security = off`,
  `lock_timeout = '5s'`,
  `work_mem = '64kB'`,
])('set %s', async (setting) => {
  const t = await makeInvoices(database, `with_${setting.replaceAll(/\W+/g, '_')}`);
  const qualified = `public.${t}`;
  // After a warm-up without it, and from the session's first statement on.
  for (const isFirst of [false, true]) {
    const a = await database.session('A');
    if (!isFirst) await everyForm(a, qualified);
    await a.query(`set ${setting}`);
    await everyForm(a, qualified);
    await a.query('begin');
    await everyForm(a, qualified).catch(() => undefined);
    await a.query('rollback');
    await expectExact(database);
  }
});

test('track_counts turned off and on within a transaction', async () => {
  const t = await makeInvoices(database, 'counts_in_between');
  const a = await database.session('A');
  await a.query('begin');
  for (const value of ['off', 'on', 'off', 'on']) {
    for (const form of forms(t)) await a.query(form);
    await a.query(`set track_counts = ${value}`);
    for (const form of forms(t)) await a.query(form);
  }
  await a.query('commit');
  await expectExact(database);
});

test('DateStyle and TimeZone changed in mid-transaction and in mid-statement', async () => {
  await database.execute(`
    create table styles (id bigint generated always as identity, company text, at timestamptz, number bigint, doc text);
    create function set_style(company text, style text, zone text) returns text language plpgsql as $$
    begin
      perform set_config('datestyle', style, false), set_config('timezone', zone, false);
      return company;
    end $$;
    select seqctl.create_series('styles', reset => 'daily', format => '{group}.{year}{month}{day}.{number}', time_zone => 'Europe/Rome');
    select seqctl.attach('styles', 'styles', date_column => 'at', group_columns => '{company}', document_number_column => 'doc')`);
  const a = await database.session('A');
  const styles = ['ISO, MDY', 'SQL, DMY', 'SQL, MDY', 'German', 'Postgres, DMY', 'Postgres, MDY', 'ISO, YMD'];
  const zones = ['UTC', 'America/New_York', 'Pacific/Auckland'];
  await a.query('begin');
  for (const [n, style] of styles.entries()) {
    await a.query(`set datestyle = '${style}'`);
    await a.query(`set timezone = '${zones[n % zones.length] ?? 'UTC'}'`);
    // 03/09 and 09/03 are each other in some of the styles.
    await a.query(
      `insert into styles (company, at) select 'c' || n % 2, timestamptz '2026-03-09 12:00 UTC' from generate_series(1, 3) n`,
    );
    await a.query(
      `insert into styles (company, at) select 'c' || n % 2, timestamptz '2026-09-03 12:00 UTC' from generate_series(1, 4) n`,
    );
  }
  await a.query('commit');
  await expectExact(database);
  await a.query(
    `insert into styles (company, at)
     select set_style('c' || n % 2, ($1::text[])[1 + n % 7], ($2::text[])[1 + n % 3]), timestamptz '2026-03-08 22:30 UTC' + n % 3 * interval '1 h'
     from generate_series(1, 60) n`,
    [styles, zones],
  );
  await expectExact(database);
  expect(
    await a.rows(
      `select group_key, period_start::text as day, last_number::int as n from seqctl.counters where series = 'styles' order by period_start, group_key limit 2`,
    ),
  ).toBeTruthy();
});

test('a long transaction never reads the table of counters from end to end', async () => {
  const t = await makeInvoices(database, 'long_transaction');
  await database.execute(`insert into ${t} default values`);
  // As autovacuum leaves it: with statistics, and as small as it gets.
  await database.execute('vacuum full seqctl.counter');
  await database.execute('vacuum analyze seqctl.counter');
  const a = await database.session('A');
  await a.query('begin');
  // The backend may not have told yet what it did before.
  const read = `select seq_scan from pg_stat_xact_all_tables where relid = 'seqctl.counter'::regclass`;
  const before = await a.value(read);
  for (let n = 0; n < 20; n += 1) {
    await a.query(`insert into ${t} default values`);
    await a.query(`insert into ${t} (company) values ('acme'), ('globex')`);
  }
  expect(await a.value(read)).toBe(before);
  await a.query('commit');
  await expectExact(database);
});

test('the first rows of a group that contains the separator of what is remembered', async () => {
  const t = await makeInvoices(database, 'separator');
  const sql = `insert into ${t} (company) values ('a' || chr(1) || 'b'), ('a' || chr(1) || 'b'), ('acme'), ('a' || chr(1) || 'b') returning number`;
  expect((await database.rows(sql)).map(({ number }) => number)).toEqual(['1', '2', '1', '3']);
  expect((await database.rows(sql)).map(({ number }) => number)).toEqual(['4', '5', '2', '6']);
  await expectExact(database);
});

test.each([
  ['plain', ''],
  ['enforce', `, chronology => 'enforce'`],
  ['stamp', `, chronology => 'stamp'`],
  ['drafts', `, issue_when => 'issued'`],
  ['drafts_enforce', `, issue_when => 'issued', chronology => 'enforce'`],
])('a long transaction of one-row statements finds its counter by its place: %s', async (name, options) => {
  const t = `place_${name}`;
  await database.execute(`
    create table ${t} (id bigserial primary key, issued_on date not null default current_date, issued boolean not null default true, number bigint);
    select seqctl.create_series('${t}');
    select seqctl.attach('${t}', '${t}', date_column => 'issued_on'${options});
    insert into ${t} default values`);
  const a = await database.session('A');
  await a.query('begin');
  const read = `select idx_scan + seq_scan from pg_stat_xact_all_tables where relid = 'seqctl.counter'::regclass`;
  const before = Number(await a.value(read));
  for (let n = 0; n < 30; n += 1) {
    if (name.startsWith('drafts')) {
      await a.query(`insert into ${t} (issued) values (false)`);
      await a.query(`update ${t} set issued = true where number is null`);
    } else await a.query(`insert into ${t} default values`);
    // Rows of one counter, as one: where neither dates nor drafts are looked after.
    if (name === 'plain') await a.query(`insert into ${t} (issued) values (true), (true)`);
  }
  // By its key, each statement would walk the versions of the ones before.
  expect(Number(await a.value(read)) - before).toBeLessThan(10);
  expect(
    await a.value(`select min(number) || ' ' || max(number) || ' ' || count(distinct number) from ${t}`),
  ).toBe(name === 'plain' ? '1 91 91' : '1 31 31');
  await a.query('commit');
  expect(await a.value(`select last_number from seqctl.counters where series = '${t}'`)).toBe(
    name === 'plain' ? '91' : '31',
  );
});

test('after a statement of many counters, one of a few reads only those', async () => {
  const t = await makeInvoices(database, 'many_counters');
  const many = `insert into ${t} (company) select 'c' || n from generate_series(1, 3000) n`;
  await database.execute(many);
  await database.execute('vacuum analyze seqctl.counter');
  const a = await database.session('A');
  await a.query(many);
  await a.query('begin');
  const read = `select coalesce(idx_tup_fetch, 0) + seq_tup_read from pg_stat_xact_all_tables where relid = 'seqctl.counter'::regclass`;
  const before = Number(await a.value(read));
  await a.query(`insert into ${t} (company) values ('c7'), ('c8'), ('c9')`);
  expect(Number(await a.value(read)) - before).toBeLessThan(30);
  await a.query('commit');
  await expectExact(database);
});
