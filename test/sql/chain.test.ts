import { expect, test } from 'vitest';

import { expectChained, readLinks } from '../support/chain.js';
import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();

interface TableOptions {
  readonly series?: string;
  readonly sharedSeries?: string;
  /** More arguments of attach, each with a comma in front. */
  readonly attach?: string;
  readonly suffix?: string;
  readonly beforeAttach?: string;
}

/** A table `name` (id, company, status, issued_on, external, note, total, number, document_number) whose chain covers total and note. */
async function makeChained(name: string, options: TableOptions = {}): Promise<string> {
  if (options.sharedSeries === undefined) {
    await database.rows(
      `select seqctl.create_series('${name}', ${options.series ?? `format => '{group}-{year}-{number:3}'`}, chain => true)`,
    );
  }
  await database.execute(`
    create table ${name} (
      id bigserial,
      company text not null default 'acme',
      status text default 'draft',
      issued_on date not null default '2026-03-09',
      external text ${options.suffix === undefined ? 'unique' : ''},
      note text,
      total numeric(12, 2) default 100,
      number bigint,
      document_number text,
      primary key (id${options.suffix === undefined ? '' : ', issued_on'})
    ) ${options.suffix ?? ''};
    ${options.beforeAttach ?? ''};
    select seqctl.attach('${name}', '${options.sharedSeries ?? name}', date_column => 'issued_on', group_columns => '{company}',
      document_number_column => 'document_number', chain_columns => '{total,note}' ${options.attach ?? ''})`);
  return name;
}

/** The numbers in the order of the links. */
async function numbersOf(series: string, group = 'acme'): Promise<string> {
  const links = await readLinks(database, series);
  return links
    .filter(({ group_key }) => group_key === group)
    .map(({ number }) => number)
    .join(' ');
}

test('each number gets a link: one row, many rows, groups and periods', async () => {
  const t = await makeChained('plain');
  const a = await database.session('A');
  await a.query(`insert into ${t} (company) values ('acme')`);
  await a.query(
    `insert into ${t} (company, issued_on, note) values ('acme', '2026-01-01', 'x'), ('b', '2026-01-01', null), ('acme', '2025-12-31', '')`,
  );
  await a.query(`insert into ${t} (company) select 'c' || n % 7 from generate_series(1, 300) n`);
  await a.query('begin');
  for (let n = 0; n < 5; n += 1) await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
  await a.query('commit');
  await a.query(
    `merge into ${t} using (values ('acme'), ('new')) v (company) on false when not matched then insert (company) values (v.company)`,
  );
  await a.query(
    `with w as (insert into ${t} (company) values ('acme') returning *) insert into ${t} (company) select company from w`,
  );
  await expectChained(database, t);
  await expectExact(database);
  const [first] = await readLinks(database, t);
  expect(first).toMatchObject({
    group_key: 'acme',
    period: '2025-01-01',
    ordinal: '1',
    number: '1',
    document_number: 'acme-2025-001',
    on_date: '2025-12-31',
    replaces: null,
  });
});

test('rollback, savepoints and ON CONFLICT leave no link behind', async () => {
  const t = await makeChained('rolled_back');
  const a = await database.session('A');
  await a.query('begin');
  await a.query(`insert into ${t} (company) values ('acme')`);
  await a.query('savepoint s');
  await a.query(`insert into ${t} (company, note) values ('acme', 'lost'), ('b', 'lost')`);
  await a.query('rollback to s');
  await a.query(`insert into ${t} (company) values ('acme')`);
  await a.query('commit');
  await a.query('begin');
  await a.query(`insert into ${t} (company) select 'acme' from generate_series(1, 10)`);
  await a.query('rollback');
  await a.query(`insert into ${t} (external) values ('1'), ('2')`);
  await a.query(`insert into ${t} (external) values ('1'), ('3'), ('2'), ('4') on conflict do nothing`);
  await a.query(
    `insert into ${t} (external, status) values ('5', 'x'), ('1', 'x') on conflict (external) do update set status = excluded.status`,
  );
  await expect(
    a.query(
      `insert into ${t} (external, total) values ('6', 1), ('1', 1) on conflict (external) do update set total = excluded.total`,
    ),
  ).rejects.toMatchObject({ code: 'SQ022' });
  expect(await numbersOf(t)).toBe('1 2 3 4 5 6 7');
  await expectChained(database, t);
});

test.each(['insert', 'commit', 'manual'] as const)(
  'drafts and pending rows: assign => %s',
  async (assign) => {
    const t = await makeChained(`later_${assign}`, {
      attach: `, assign => '${assign}', issue_when => $$status = 'issued'$$`,
    });
    const number = async (): Promise<void> => {
      if (assign === 'manual') await database.rows(`select seqctl.number_pending('${t}', 'number')`);
    };
    const a = await database.session('A');
    await a.query(`insert into ${t} (company) select 'c' || n % 3 from generate_series(1, 30) n`);
    await a.query(`update ${t} set total = total + id`);
    await number();
    expect(await readLinks(database, t)).toEqual([]);
    await a.query(`update ${t} set status = 'issued' where id = 7`);
    await number();
    await a.query(`update ${t} set status = 'issued' where id % 2 = 0`);
    await number();
    await a.query(`insert into ${t} (company, status) values ('c1', 'issued')`);
    await a.query(
      `insert into ${t} (company, status) values ('c1', 'issued'), ('c2', 'draft'), ('c2', 'issued')`,
    );
    await number();
    await a.query('begin');
    await a.query(`insert into ${t} (status, note) values ('issued', 'a')`);
    await a.query(`update ${t} set status = 'issued', note = 'b' where status = 'draft'`);
    await a.query('commit');
    await number();
    await expectChained(database);
    await expectExact(database);
    await expect(a.query(`update ${t} set note = 'changed' where id = 7`)).rejects.toMatchObject({
      code: 'SQ022',
    });
  },
);

test.each(['insert', 'commit'] as const)('many rows and many statements: assign => %s', async (assign) => {
  const t = await makeChained(`many_${assign}`, { attach: `, assign => '${assign}'` });
  const a = await database.session('A');
  await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
  await a.query(`insert into ${t} (company) select 'c' || n % 50 from generate_series(1, 5000) n`);
  await a.query('begin');
  for (let n = 0; n < 40; n += 1) await a.query(`insert into ${t} (company) values ('acme')`);
  await a.query('commit');
  await expectChained(database, t);
});

test('dates that are enforced or stamped', async () => {
  for (const chronology of ['enforce', 'stamp']) {
    const t = await makeChained(`dated_${chronology}`, { attach: `, chronology => '${chronology}'` });
    const a = await database.session('A');
    await a.query(`insert into ${t} (company) values ('acme'), ('b'), ('acme')`);
    await a.query(`insert into ${t} (company) values ('acme')`);
  }
  await expectChained(database);
});

test.each([
  ['before', 'a_more'],
  ['after', 'more'],
])('a trigger %s each row that inserts more documents', async (timing, trigger) => {
  const t = await makeChained(`nested_${timing}`);
  await database.execute(`
    create function ${t}_more() returns trigger language plpgsql as $$
    begin
      if new.note::int > 0 then
        insert into ${t} (company, note) values (new.company, new.note::int - 1);
        insert into ${t} (company, note) values ('other', 0), (new.company, 0);
      end if;
      return new;
    end $$;
    create trigger ${trigger} ${timing} insert on ${t} for each row execute function ${t}_more();`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) values (3)`);
  await a.query(
    `insert into ${t} (company, note) values ('acme', 2), ('globex', 1), ('acme', 0), ('other', 1), ('acme', 1)`,
  );
  await a.query('begin');
  await a.query(`insert into ${t} (company, note) select 'c' || n % 3, n % 4 from generate_series(1, 60) n`);
  await a.query('savepoint s');
  await a.query(`insert into ${t} (company, note) select 'c' || n % 3, n % 4 from generate_series(1, 60) n`);
  await a.query('rollback to s');
  await a.query(`insert into ${t} (company, note) values ('c1', 1), ('c2', 0)`);
  await a.query('commit');
  await expectExact(database);
  await expectChained(database, t);
});

test('triggers that take numbers without a row, and that issue drafts, while a statement is running', async () => {
  const t = await makeChained('mixed', { attach: `, issue_when => $$status = 'issued'$$` });
  await database.execute(`
    create table taken (series text, group_key text, period date, number bigint);
    create function mixed_more() returns trigger language plpgsql as $$
    begin
      if new.note = 'take' then insert into taken select 'mixed', new.company, '2026-01-01', seqctl.next_number('mixed', new.company, new.issued_on); end if;
      if new.note = 'issue' then
        update mixed set status = 'issued' where id = (select min(id) from mixed where status = 'draft');
      end if;
      return new;
    end $$;
    create trigger a_more before insert or update on ${t} for each row execute function mixed_more();
    create trigger more after insert or update on ${t} for each row execute function mixed_more();`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select null from generate_series(1, 20)`);
  await a.query(
    `insert into ${t} (note, status) values (null, 'issued'), ('take', 'issued'), (null, 'issued'), ('take', 'issued')`,
  );
  await a.query(
    `insert into ${t} (note, status) values (null, 'issued'), ('issue', 'issued'), (null, 'issued')`,
  );
  await a.query(`update ${t} set status = 'issued' where id between 10 and 14`);
  await a.query(`update ${t} set status = 'issued', note = 'take' where id between 15 and 17`);
  await a.query(`update ${t} set status = 'issued', note = 'issue' where id in (18, 19)`);
  await expectChained(database, t);
});

test('partitions: routed, inserted directly, made later, and moved', async () => {
  for (const assign of ['insert', 'commit']) {
    const t = await makeChained(`parts_${assign}`, {
      suffix: 'partition by range (issued_on)',
      beforeAttach: `create table parts_${assign}_a partition of parts_${assign} for values from ('2026-01-01') to ('2026-07-01')`,
      attach: `, assign => '${assign}'`,
    });
    await database.execute(`
      create table ${t}_b partition of ${t} for values from ('2026-07-01') to ('2027-01-01');
      create table ${t}_rest partition of ${t} default;
      insert into ${t} (company) values ('acme'), ('b');
      insert into ${t} (issued_on, note) select date '2026-05-01' + n * 20, n from generate_series(1, 20) n;
      insert into ${t}_a (issued_on) values ('2026-02-02'), ('2026-02-03');
      insert into ${t}_b (issued_on) values ('2026-08-02'), ('2026-08-03');
      insert into ${t}_b (issued_on) values ('2026-08-04');`);
    await database.execute(`update ${t} set status = 'seen'`);
    // The date is in the chain, so a row cannot move by it.
    await expect(
      database.execute(`update ${t} set issued_on = '2026-08-09' where number = 1`),
    ).rejects.toMatchObject({ code: 'SQ022' });
  }
  await expectExact(database);
  await expectChained(database);
});

test('a row that moves to another partition while it is issued, and later', async () => {
  await database.execute(`
    select seqctl.create_series('moving', chain => true);
    create table moving (id int, status text, day date not null, total int, number bigint, primary key (id, status)) partition by list (status);
    create table moving_draft partition of moving for values in ('draft');
    create table moving_issued partition of moving for values in ('issued');
    select seqctl.attach('moving', 'moving', date_column => 'day', issue_when => $$status <> 'draft'$$, chain_columns => '{total}');
    create table moving_paid partition of moving for values in ('paid');
    insert into moving select n, 'draft', '2026-03-09', n from generate_series(1, 9) n;
    update moving set status = 'issued' where id in (2, 4, 6);
    update moving set status = 'paid' where id in (1, 2);
    update moving set status = 'paid' where id = 4;
    insert into moving values (10, 'paid', '2026-03-09', 1), (11, 'issued', '2026-03-09', 1);
    insert into moving_paid values (12, 'paid', '2026-03-09', 1);
    update moving set status = 'issued' where id > 6;`);
  expect((await readLinks(database, 'moving')).length).toBe(10);
  await expectChained(database, 'moving');
});

test('next_number and allocate: links without a row, with the document numbers that were handed out', async () => {
  await database.rows(
    `select seqctl.create_series('loose', format => '{year}-{number}-{random:8}', chain => true)`,
  );
  await database.rows(`select seqctl.next_number('loose', '', '2026-01-01')`);
  const [one] = await database.rows<{ document_number: string }>(
    `select * from seqctl.allocate('loose', '', '2026-01-02')`,
  );
  const many = await database.rows<{ number: string; document_number: string }>(
    `select * from seqctl.allocate('loose', '', '2026-01-03', 500)`,
  );
  expect(many.map(({ number }) => number)).toEqual(Array.from({ length: 500 }, (_, n) => String(n + 3)));
  const links = await readLinks(database, 'loose');
  expect(links.map(({ number }) => number)).toEqual(Array.from({ length: 502 }, (_, n) => String(n + 1)));
  expect(links.map(({ document_number }) => document_number)).toEqual([
    null,
    one?.document_number,
    ...many.map(({ document_number }) => document_number),
  ]);
  expect(new Set(links.map(({ content, attachment_id }) => `${content} ${attachment_id}`))).toEqual(
    new Set(['null null']),
  );
  await expectChained(database);
});

test('two tables of one series share its chains', async () => {
  const t = await makeChained('shared');
  const u = await makeChained('shared_too', { sharedSeries: t, attach: `, assign => 'commit'` });
  const a = await database.session('A');
  await a.query('begin');
  await a.query(`insert into ${u} (company) values ('acme'), ('acme')`);
  await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
  await a.query('commit');
  await a.query(`insert into ${u} (company) values ('acme')`);
  await a.query(`insert into ${t} (company) values ('acme')`);
  expect(await numbersOf(t)).toBe('1 2 3 4 5');
  await expectExact(database);
  await expectChained(database, t);
});

const types: [type: string, values: string[]][] = [
  ['text', [`''`, 'null', `'a"b\\c,]ä'`]],
  ['varchar(20)', [`'x'`, 'null']],
  ['char(4)', [`'x'`]],
  ['uuid', [`'5a6b0000-0000-4000-8000-00000000000a'`]],
  ['smallint', ['-1']],
  ['integer', ['0']],
  ['bigint', ['9007199254740993']],
  ['numeric', ['1.50', `'NaN'`, '123456789012345678901234567890.10']],
  ['real', ['0.1', `'-Infinity'`]],
  ['double precision', ['0.1', '1e300', `'NaN'`, '-0.0']],
  ['boolean', ['true', 'null']],
  ['date', [`'2026-02-01'`, `'infinity'`, `'0044-03-15 BC'`]],
  ['time', [`'12:34:56.789'`]],
  ['timestamp', [`'2026-02-01 03:04:05.678'`, `'-infinity'`]],
  ['timestamptz', [`'2026-02-01 03:04:05.678+02'`, `'infinity'`]],
  ['interval', [`'1 year 2 mons -3 days 04:05:06.7'`]],
  ['bytea', [`'\\x00ff5c'`]],
  ['json', [`'{"b": 1,  "a": null}'`, `'null'`]],
  ['jsonb', [`'{"b": 1.0, "a": null}'`]],
  ['mood', [`'so "so"'`]],
  ['cents', ['12']],
];

test('a row has one content, whatever the settings of the session that issues or verifies it', async () => {
  await database.execute(
    `create type mood as enum ('so "so"'); create domain cents as integer check (value >= 0)`,
  );
  const settings = [
    '',
    `set datestyle = 'SQL, DMY'; set timezone = 'Asia/Kathmandu'; set intervalstyle = 'iso_8601'; set extra_float_digits = -5; set bytea_output = 'escape'`,
    `set datestyle = 'German'; set timezone = 'America/New_York'; set intervalstyle = 'sql_standard'; set extra_float_digits = 3; set search_path = pg_temp; set lc_numeric = 'C'; set standard_conforming_strings = off`,
  ];
  await database.execute(`
    select seqctl.create_series('typed', time_zone => 'Europe/Rome', chain => true);
    create table typed (at timestamptz not null, ${types.map(([type], n) => `c${n} ${type}`).join(', ')}, number bigint);
    select seqctl.attach('typed', 'typed', date_column => 'at', chain_columns => '{${types.map((_, n) => `c${n}`).join(',')}}')`);
  const longest = Math.max(...types.map(([, values]) => values.length));
  for (let n = 0; n < longest; n += 1) {
    const values = types.map(([type, all]) =>
      `${(all[n % all.length] ?? 'null').replaceAll('\\', '\\\\').replace(/^'/, `e'`)}::public_${type}`
        .replace('public_mood', 'public.mood')
        .replace('public_cents', 'public.cents')
        .replace('public_', ''),
    );
    for (const setting of settings) {
      const a = await database.session('A');
      if (setting !== '') await a.query(setting);
      await a.query(
        `insert into public.typed values ('2026-03-09 01:02:03.456789+00', ${values.join(', ')})`,
      );
      await a.query(
        `insert into public.typed select '2026-03-09 01:02:03.456789+00', ${values.join(', ')} from generate_series(1, 2)`,
      );
    }
  }
  const links = await readLinks(database, 'typed');
  const contents = links.map(({ content }) => content);
  expect(links.length).toBe(longest * settings.length * 3);
  // Nine rows of each set of values, however the session was set.
  expect(new Set(contents).size).toBe(longest);
  expect(contents.every((content, n) => content === contents[n - (n % 9)])).toBe(true);
  await expectChained(database);
  for (const setting of settings.slice(1)) {
    await database.execute(`alter database ${database.name} reset all`);
    for (const one of setting.split('; ').filter((text) => !/search_path|standard/.test(text))) {
      await database.execute(`alter database ${database.name} ${one}`);
    }
    await expectChained(database);
  }
  await database.execute(`alter database ${database.name} reset all`);
});

test('rows that differ have different contents', async () => {
  await database.execute(`
    select seqctl.create_series('distinct_rows', reset => 'never', chain => true);
    create table distinct_rows (a text, b text, c timestamp, number bigint);
    select seqctl.attach('distinct_rows', 'distinct_rows', chain_columns => '{a,b,c}');
    insert into distinct_rows values
      (null, null, null), ('', null, null), (null, '', null), ('', '', null), ('null', null, null), ('a", "b', '', null), ('a', 'b', null), ('a, b', null, null),
      (null, null, '2026-01-01 00:00:00.000001'), (null, null, '2026-01-01'), (null, null, '2026-01-01 BC')`);
  const links = await readLinks(database, 'distinct_rows');
  expect(new Set(links.map(({ content }) => content)).size).toBe(11);
});

test('what the chain covers cannot be changed in an issued row, what it does not cover can', async () => {
  const t = await makeChained('frozen');
  await database.rows(`insert into ${t} (note) values ('a'), (null)`);
  for (const change of [
    'total = 5',
    `note = 'b'`,
    'note = null',
    `issued_on = '2026-03-10'`,
    `document_number = 'x'`,
    `company = 'b'`,
  ]) {
    await expect(database.rows(`update ${t} set ${change} where number = 1`), change).rejects.toMatchObject({
      code: 'SQ022',
      message: `public.${t}.number: number 1 is issued; number, document number, group, date, being issued, and what its hash chain covers (total, note) stay as they are`,
    });
  }
  await database.rows(`update ${t} set status = 'paid', external = 'x' || id, total = 100.0, note = note`);
  await expectChained(database, t);
});

test('the links can be changed by nobody, whatever session_replication_role says', async () => {
  const t = await makeChained('append_only');
  await database.rows(`insert into ${t} (note) values ('a')`);
  const a = await database.session('A');
  for (const role of ['origin', 'replica']) {
    await a.query(`set session_replication_role = ${role}`);
    for (const change of [
      `update seqctl.chain_link set number = 2`,
      'delete from seqctl.chain_link',
      'truncate seqctl.chain_link',
      `update seqctl.chain_scope set chain_columns = '{}'`,
      'delete from seqctl.chain_scope',
    ]) {
      await expect(a.query(change), change).rejects.toMatchObject({ code: 'SQ040' });
    }
  }
  await expectChained(database, t);
});

test('a role with only INSERT extends the chain and cannot touch it', async () => {
  const t = await makeChained('inserted');
  const role = await makeRole('chain_inserter');
  await database.execute(
    `grant insert, update on ${t} to ${role.name}; grant usage on all sequences in schema public to ${role.name}`,
  );
  const a = await database.session('R', database.urlAs(role.name, role.password));
  await a.query(`insert into ${t} (company) values ('acme')`);
  await a.query(`insert into ${t} (company) values ('acme'), ('b')`);
  for (const forbidden of [
    'select * from seqctl.chain_link',
    'select * from seqctl.chain_heads',
    `insert into seqctl.chain_link select * from seqctl.chain_link`,
    `delete from seqctl.chain_link`,
    `select seqctl._extend_chain(1, 'acme', '2026-01-01', 9, null, null)`,
    `select seqctl._chain_attached(1)`,
    `select seqctl._link_hashes(null, 1, 1, null, null, null, null, null, now(), 'x')`,
  ]) {
    await expect(a.query(forbidden), forbidden).rejects.toMatchObject({ code: '42501' });
  }
  const links = await readLinks(database, t);
  expect(links.map(({ issued_by }) => issued_by)).toEqual([role.name, role.name, role.name]);
  const reader = await makeRole('chain_reader');
  await database.rows(`select seqctl.grant_access('${reader.name}', 'read')`);
  const b = await database.session('B', database.urlAs(reader.name, reader.password));
  expect((await b.rows(`select * from seqctl.chain_heads where series = '${t}'`)).length).toBe(2);
  await expect(b.query('delete from seqctl.chain_link')).rejects.toMatchObject({ code: '42501' });
  await expectChained(database, t);
});

test.each(['read committed', 'repeatable read', 'serializable'])(
  '16 sessions on one counter: %s',
  async (level) => {
    const t = await makeChained(`raced_${level.replace(' ', '_')}`);
    const sessions = await Promise.all(Array.from({ length: 16 }, (_, n) => database.session(`client ${n}`)));
    await Promise.all(
      sessions.map(async (session, n) => {
        for (let k = 0; k < 12;) {
          try {
            await session.query(`begin isolation level ${level}`);
            await session.query(`insert into ${t} (note) values ('${n} ${k}')`);
            if (k % 3 === 0)
              await session.query(`insert into ${t} (note) select n from generate_series(1, 3) n`);
            await session.query(k % 4 === 3 ? 'rollback' : 'commit');
            k += 1;
          } catch (error) {
            expect((error as { code: string }).code).toBe('40001');
            await session.query('rollback');
          }
        }
      }),
    );
    await expectExact(database);
    await expectChained(database);
  },
);

test('rows that are there at attach join the chain; attached again, they are not said twice', async () => {
  await database.execute(`
    select seqctl.create_series('older', format => '{year}-{number}');
    create table older (id int primary key, day date, total int, number bigint, document_number text);
    select seqctl.attach('older', 'older', date_column => 'day', document_number_column => 'document_number', protect => false);
    insert into older (id, day, total) select n, '2026-01-01', n from generate_series(1, 50) n;
    insert into older (id, day, total) select n, '2025-01-01', n from generate_series(51, 60) n;`);
  expect(await readLinks(database, 'older')).toEqual([]);
  await database.rows(`select seqctl.alter_series('older', chain => true)`);
  expect((await readLinks(database, 'older')).length).toBe(60);
  const attach = `select seqctl.attach('older', 'older', date_column => 'day', document_number_column => 'document_number', protect => false`;
  await database.execute(`select seqctl.detach('older', 'number'); ${attach})`);
  expect((await readLinks(database, 'older')).length).toBe(60);
  await database.execute(`select seqctl.detach('older', 'number'); ${attach}, chain_columns => '{total}')`);
  const links = await readLinks(database, 'older');
  expect(links.length).toBe(120);
  expect(links.slice(0, 20).map(({ number, replaces }) => `${number} ${replaces}`)).toEqual([
    ...Array.from({ length: 10 }, (_, n) => `${n + 1} null`),
    ...Array.from({ length: 10 }, (_, n) => `${n + 1} ${n + 1}`),
  ]);
  await database.rows(`insert into older (id, day, total) values (100, '2026-01-01', 1)`);
  await expect(database.rows(`select seqctl.alter_series('older', chain => false)`)).rejects.toMatchObject({
    code: 'SQ041',
  });
});

test('adopt: the numbers that are taken over join the chain, gaps before adoption do not', async () => {
  await database.execute(`
    select seqctl.create_series('adopted', format => 'R{number}', reset => 'never', chain => true);
    create table adopted (id int primary key, total int, number bigint, document_number text);
    insert into adopted select n, n, null, 'R' || n from generate_series(1, 40) n where n % 7 <> 0;
    select * from seqctl.adopt('adopted', 'adopted', document_number_column => 'document_number', chain_columns => '{total}', apply => true, reason => 'old shop');
    insert into adopted (id, total) values (100, 1), (101, 2);`);
  const links = await readLinks(database, 'adopted');
  expect(links.map(({ number }) => Number(number))).toEqual([
    ...Array.from({ length: 40 }, (_, n) => n + 1).filter((n) => n % 7 !== 0),
    41,
    42,
  ]);
  await expectChained(database);
});

test('numbers that next_number gave and a table holds that is attached later', async () => {
  await database.execute(`
    select seqctl.create_series('written', reset => 'never', chain => true);
    create table written (id int primary key, number bigint);
    insert into written values (1, seqctl.next_number('written')), (2, seqctl.next_number('written'));
    select seqctl.attach('written', 'written');
    insert into written values (3)`);
  expect(
    (await readLinks(database, 'written')).map(({ number, replaces }) => `${number} ${replaces}`),
  ).toEqual(['1 null', '2 null', '1 1', '2 2', '3 null']);
  await expectChained(database);
});

test('settings that do not fit are refused', async () => {
  await database.execute(`
    select seqctl.create_series('unchained'); select seqctl.create_series('chained', chain => true);
    create table refused (id int primary key, day date, doc text, a text, x xml, g text generated always as (a || 'x') stored, number bigint)`);
  const attach = (series: string, columns: string): Promise<unknown> =>
    database.rows(
      `select seqctl.attach('refused', '${series}', date_column => 'day', document_number_column => 'doc', chain_columns => '${columns}')`,
    );
  await expect(attach('unchained', '{a}')).rejects.toMatchObject({ code: 'SQ042' });
  for (const columns of ['{nope}', '{x}', '{g}', '{a,a}', '{day}', '{doc}', '{number}']) {
    await expect(attach('chained', columns), columns).rejects.toMatchObject({ code: 'SQ006' });
  }
  const alter = (settings: string): Promise<unknown> =>
    database.rows(`select seqctl.alter_series('unchained', ${settings}) as said`);
  expect(await alter('chain => true')).toEqual([{ said: 'series unchained has a hash chain now' }]);
  await attach('unchained', '{a}');
  await expect(
    database.rows(`select seqctl.alter_series('unchained', chain => false)`),
  ).rejects.toMatchObject({ code: 'SQ041' });
  await database.rows(`select seqctl.detach('refused', 'number')`);
  expect(await alter(`chain => false, format => 'U{number}'`)).toEqual([
    { said: 'series unchained has another format and no hash chain now' },
  ]);
});

test('a series without a chain has nothing of it in its functions', async () => {
  await makeDocuments(database, 'bare', { assign: 'commit' });
  const bodies = await database.rows<{ body: string; settings: string }>(
    `select f.body, f.settings from seqctl.attachment a cross join lateral seqctl._attachment_functions(a.id) f where a.target = 'bare'::regclass`,
  );
  expect(bodies.length).toBeGreaterThan(5);
  for (const { body, settings } of bodies) {
    expect(body).not.toMatch(/chain|link/);
    expect(settings).not.toMatch(/nestloop/);
  }
});
