import { afterEach, describe, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { type DocumentOptions, issued, listNumbers, makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import type { Session } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

// What one test leaves behind is not the next one's.
afterEach(() =>
  database.rows(
    'select seqctl.detach(a.target, a.number_column) from seqctl.attachment a join pg_class c on c.oid = a.target',
  ),
);

/** Numbered at commit; every row, unless there is a condition. */
const make = (name: string, options: DocumentOptions = {}): Promise<string> =>
  makeDocuments(database, name, { assign: 'commit', issueWhen: null, ...options });

const inTransaction = async (session: Session, ...statements: string[]): Promise<void> => {
  await session.query('begin');
  for (const statement of statements) await session.query(statement);
  await session.query('commit');
};

/** A trigger of the user's. */
const addTrigger = (table: string, when: string, body: string): Promise<void> =>
  database.execute(`
    create function ${table}_user() returns trigger language plpgsql as $$ begin ${body} end $$;
    create trigger a_user ${when} on ${table} for each row execute function ${table}_user()`);

describe('rows that change in the statement that inserts them', () => {
  test.each([
    ['touches them', `update %t set note = 'touched' where id = new.id; return null;`],
    [
      'moves them to another group',
      `update %t set company = 'moved' where id = new.id and company = 'a'; return null;`,
    ],
    ['changes their key', `update %t set id = id + 1000 where id = new.id and id < 1000; return null;`],
    ['deletes one', `delete from %t where id = new.id and note = 'gone'; return null;`],
    [
      'deletes one and inserts it again',
      `if new.note = 'gone' then delete from %t where id = new.id; insert into %t (id, company) values (new.id, 'b'); end if; return null;`,
    ],
  ])('an AFTER trigger that %s', async (what, body) => {
    const t = await make(`after_${what.replaceAll(' ', '_').slice(0, 24)}`);
    await addTrigger(t, 'after insert', body.replaceAll('%t', t));
    const a = await database.session('A');
    await a.query(`insert into ${t} (company) values ('a')`);
    await a.query(
      `insert into ${t} (company, note) values ('a', 'x'), ('b', 'gone'), ('a', 'gone'), ('b', 'y')`,
    );
    await inTransaction(
      a,
      `insert into ${t} (company) values ('c'), ('a')`,
      'savepoint s',
      `insert into ${t} (company, note) values ('a', 'gone'), ('c', 'x')`,
      'rollback to s',
      `insert into ${t} (company, note) values ('c', 'gone'), ('b', 'x')`,
    );
    await inTransaction(
      a,
      'set constraints all immediate',
      `insert into ${t} (company, note) values ('a', 'x'), ('b', 'gone'), ('a', 'y')`,
    );
    await expectExact(database);
  });

  test.each([
    ['moves', `update %t set company = 'z' where number is null and company = 'a'; return new;`],
    ['deletes', `delete from %t where number is null and company = 'a'; return new;`],
  ])('a BEFORE trigger of a row that %s the row before it', async (what, body) => {
    const t = await make(`before_${what}`);
    await addTrigger(t, 'before insert', body.replaceAll('%t', t));
    const a = await database.session('A');
    await a.query(`insert into ${t} (company) values ('a'), ('b'), ('a'), ('b')`);
    await inTransaction(
      a,
      `insert into ${t} (company) values ('a')`,
      `insert into ${t} (company) values ('b'), ('a'), ('c')`,
    );
    await expectExact(database);
  });

  test('TRUNCATE in between: what was written down before it is gone', async () => {
    const t = await make('truncated');
    const a = await database.session('A');
    await inTransaction(
      a,
      `insert into ${t} (company) values ('b')`,
      `truncate ${t}`,
      `insert into ${t} (company) values ('a')`,
    );
    const next = await make('truncated_again');
    await inTransaction(
      a,
      `insert into ${next} (id, company) values (1, 'b'), (2, 'c')`,
      `truncate ${next}`,
      `insert into ${next} (id, company) values (2, 'b'), (1, 'a')`,
    );
    await expectExact(database);
    expect(await listNumbers(database, next)).toBe('1 1');
  });
});

describe('a trigger of the user’s that changes what seqctl writes', () => {
  // It raises after so many rounds: COMMIT would not end, and no timeout ends it.
  const rounds = `perform set_config('test.rounds', (coalesce(nullif(current_setting('test.rounds', true), ''), '0')::int + 1)::text, true);
    if current_setting('test.rounds')::int > 20 then raise exception 'it goes round and round'; end if;`;

  test.each(['commit', 'manual'] as const)('%s: it keeps the number as it was', async (assign) => {
    const t = await make(`kept_${assign}`, { assign });
    await addTrigger(t, 'before update', `${rounds} new.number := old.number; return new;`);
    const a = await database.session('A');
    const numbered = (async (): Promise<void> => {
      await a.query(`insert into ${t} default values`);
      await a.query(`select seqctl.number_pending('${t}')`);
    })();
    await expect(numbered).rejects.toMatchObject({ code: 'SQ013' });
    await expectExact(database);
  });

  test.each([
    ['the group', `if new.number is not null then new.company := 'b'; end if; return new;`],
    [
      'the document number',
      `if new.number is not null then new.document_number := 'mine'; end if; return new;`,
    ],
    ['the document number to NULL', `new.document_number := null; return new;`],
  ])('it changes %s', async (what, body) => {
    const t = await make(`changed_${what.replaceAll(' ', '_')}`);
    await addTrigger(t, 'before update', body);
    const a = await database.session('A');
    for (const after of ['', `update ${t} set note = 'x'`]) {
      await a.query('begin');
      await a.query(`insert into ${t} (company) values ('a')`);
      if (after !== '') await a.query(after);
      await a.query('commit').catch((error: unknown) => {
        expect(error).toMatchObject({ code: expect.stringMatching(/^SQ01[23]$/) as string });
      });
    }
    await expectExact(database);
  });
});

describe('DDL while rows wait', () => {
  test('DROP TABLE', async () => {
    const t = await make('dropped');
    const other = await make('dropped_other', { sharedSeries: t });
    const a = await database.session('A');
    await inTransaction(
      a,
      `insert into ${t} default values`,
      `insert into ${other} default values`,
      `drop table ${t}`,
    );
    expect(await listNumbers(database, other)).toBe('1');
    await expectExact(database);
    await inTransaction(a, `insert into ${other} default values`, `drop table ${other}`);
  });

  test('detach, and attach again', async () => {
    const t = await make('detached');
    const a = await database.session('A');
    await a.query('begin');
    await a.query(`insert into ${t} default values`);
    await expect(a.query(`select seqctl.detach('${t}', 'number')`)).rejects.toMatchObject({
      code: expect.stringMatching(/^SQ/) as string,
    });
    await a.query('rollback');
    await inTransaction(
      a,
      `insert into ${t} default values`,
      'set constraints all immediate',
      `select seqctl.detach('${t}', 'number')`,
    );
    await a.query('begin');
    await a.query(
      `select seqctl.attach('${t}', 'detached', date_column => 'issued_on', group_columns => '{company}', document_number_column => 'document_number', assign => 'commit')`,
    );
    await a.query(`insert into ${t} default values`);
    await a.query('set constraints all immediate');
    await a.query(`select seqctl.detach('${t}', 'number')`);
    await a.query(
      `select seqctl.attach('${t}', 'detached', date_column => 'issued_on', group_columns => '{company}', document_number_column => 'document_number', assign => 'commit')`,
    );
    await a.query(`insert into ${t} default values`);
    await a.query('commit');
    await a.query(`select seqctl.number_pending('${t}')`);
    await expectExact(database);
  });

  test('another format, and a limit', async () => {
    const t = await make('altered');
    const a = await database.session('A');
    await inTransaction(
      a,
      `insert into ${t} default values`,
      `select seqctl.alter_series('altered', format => '{group}/{year}/{number:5}', max_number => 2)`,
      `insert into ${t} default values`,
    );
    expect(await a.rows(`select document_number as doc from ${t} order by id`)).toEqual(
      ['acme/2026/00001', 'acme/2026/00002'].map((doc) => ({ doc })),
    );
    await expect(a.query(`insert into ${t} default values`)).rejects.toMatchObject({ code: 'SQ014' });
    await expectExact(database);
  });
});

test('a table of insert mode and one of commit mode in one series, numbered at once', async () => {
  const t = await make('outer_commit');
  const now = await makeDocuments(database, 'outer_now', { sharedSeries: t });
  await addTrigger(
    now,
    'after insert or update',
    `if new.number is not null then insert into ${t} (company) values (new.company); end if; return null;`,
  );
  const a = await database.session('A');
  for (const mode of ['deferred', 'immediate', 'deferred']) {
    for (const statement of [
      `insert into ${now} (company, status) values ('a', 'issued'), ('b', 'draft'), ('a', 'issued')`,
      `update ${now} set status = 'issued' where number is null`,
    ]) {
      await a.query('begin');
      await a.query(`set constraints all ${mode}`);
      await a.query(statement);
      await a.query('commit');
      await expectExact(database);
    }
  }
});

test.each(['before', 'after'])(
  'constraints immediate: a trigger %s the row that inserts into tables of the other modes',
  async (when) => {
    const t = await make(`inner_${when}`);
    const sharedSeries = t;
    const outer = await makeDocuments(database, `outer_${when}`, { sharedSeries, issueWhen: null });
    const manual = await makeDocuments(database, `manual_${when}`, {
      sharedSeries,
      issueWhen: null,
      assign: 'manual',
    });
    await database.execute(`
      create function inner_${when}() returns trigger language plpgsql as $$
      begin
        case new.note
          when 'commit' then insert into ${t} (company, note) values (new.company, 'x');
          when 'many' then insert into ${t} (company, note) values (new.company, 'outer'), ('b', 'x'), (new.company, 'x');
          when 'outer' then insert into ${outer} (company, note) values (new.company, 'commit'), ('b', 'x');
          when 'manual' then
            insert into ${manual} (company) values (new.company);
            perform seqctl.number_pending('${manual}');
          else null;
        end case;
        return new;
      end $$;
      create trigger a_inner ${when} insert on ${t} for each row execute function inner_${when}();
      create trigger a_inner ${when} insert on ${outer} for each row execute function inner_${when}()`);
    const a = await database.session('A');
    for (const table of [outer, t]) {
      for (const notes of [
        'x commit x',
        'commit x',
        'x many',
        'x many manual x',
        'outer x manual outer',
        'many many x',
      ]) {
        await a.query('begin');
        await a.query('set constraints all immediate');
        const rows = notes.split(' ').map((note) => `('a', '${note}')`);
        await a.query(`insert into ${table} (company, note) values ${rows.join(', ')}`);
        await a.query(`insert into ${outer} (company) values ('b'), ('a')`);
        await a.query('commit');
        await expectExact(database);
      }
    }
  },
);

test.each(['{number}', '{number:3}', '{number}/{number}'])(
  'renamed while it is attached, with a format of %s',
  async (number) => {
    const t = await make(`renamed_${number.replaceAll(/\W/g, '_')}`, {
      series: `format => '{group}-{year}-${number}'`,
    });
    await database.execute(`insert into ${t} (note) values ('1')`);
    await database.execute(`alter table ${t} rename to ${t}_again`);
    await database.execute(`insert into ${t}_again (note) values ('2'), ('3')`);
    expect(await listNumbers(database, `${t}_again`)).toBe('1 2 3');
    await expectExact(database);
  },
);

test('what a transaction remembers of a counter is what the last of several tables made of it', async () => {
  const t = await make('remembers');
  const sharedSeries = t;
  const other = await make('remembers_other', { sharedSeries });
  const drafts = await makeDocuments(database, 'remembers_drafts', { sharedSeries });
  await database.execute(`insert into ${drafts} (note) values ('1'), ('2')`);
  const a = await database.session('A');
  for (const [n, next] of [
    ['1', `update ${drafts} set status = 'issued' where note = '1'`],
    ['2', `insert into ${drafts} (status) values ('issued'), ('draft'), ('issued')`],
  ]) {
    await a.query('begin');
    await a.query(`insert into ${t} (note) values ('several'), ('rows')`);
    await a.query(`insert into ${other} (note) values ('one row')`);
    await a.query('set constraints all immediate');
    await a.query('set constraints all deferred');
    await a.query(next ?? '');
    await a.query(`select seqctl.next_number('${t}', 'x', '2026-03-09')`);
    await a.query('rollback');
    await a.query('begin');
    await a.query(`insert into ${t} (note) values ('${n}'), ('rows')`);
    await a.query(`insert into ${other} (note) values ('one row')`);
    await a.query('set constraints all immediate');
    await a.query('set constraints all deferred');
    await a.query(next ?? '');
    await a.query('commit');
    await expectExact(database);
  }
});

describe('what a role with INSERT, UPDATE and DELETE can do', () => {
  /** A session that can run a statement one trigger deep, by way of a temporary table. */
  async function clerkOn(...tables: string[]): Promise<Session> {
    const role = await makeRole(`waiting_clerk_${tables[0] ?? ''}`);
    for (const table of tables)
      await database.execute(`grant select, insert, update, delete on ${table} to ${role.name}`);
    const session = await database.session('clerk', database.urlAs(role.name, role.password));
    await session.query('create temporary table run (statement text)');
    await session.query(
      `create function pg_temp.run_it() returns trigger language plpgsql as $$ begin execute new.statement; return null; end $$`,
    );
    await session.query(
      'create trigger run_it after insert on run for each row execute function pg_temp.run_it()',
    );
    return session;
  }

  test.each([
    ['insert', `status = 'issued'`],
    ['commit', `status = 'issued'`],
    ['commit', null],
    ['manual', `status = 'issued'`],
    ['manual', null],
  ] as const)('%s, %s: no document number of its own, no number for a draft', async (assign, issueWhen) => {
    const t = await make(`forged_${assign}_${issueWhen === null ? 'all' : 'some'}`, { assign, issueWhen });
    const clerk = await clerkOn(t);
    for (const writing of ['', '1']) {
      for (const set of [
        `status = 'issued', number = 1, document_number = 'FORGED'`,
        `status = 'issued', number = 1`,
        `status = 'issued', document_number = 'FORGED'`,
        `number = 1, document_number = 'acme-2026-001'`,
        `number = 1, document_number = 'FORGED'`,
      ]) {
        await clerk.query('begin');
        await clerk.query(`select set_config('seqctl.writing', '${writing}', true)`);
        await clerk.query(`insert into ${t} default values`);
        await clerk
          .query(`insert into run values ($$update ${t} set ${set} where number is null$$)`)
          .then(() => clerk.query('set constraints all immediate'))
          .catch(() => undefined);
        await clerk.query('commit').catch(() => undefined);
        await expectExact(database);
        const drafts = await database.rows(
          `select from ${t} where number is not null and ${issueWhen === null ? 'false' : `status <> 'issued'`}`,
        );
        expect(drafts, set).toEqual([]);
        await database.execute(`
          set session_replication_role = replica;
          delete from ${t};
          delete from seqctl.counter c using seqctl.series s where s.id = c.series_id and s.name = '${t}';
          reset session_replication_role;`);
      }
    }
  });

  test.each([
    ['insert', issued],
    ['commit', issued],
    ['commit', null],
    ['manual', issued],
    ['manual', null],
  ] as const)('%s, %s: no number above max_number', async (assign, issueWhen) => {
    const t = await make(`above_${assign}_${issueWhen === null ? 'all' : 'some'}`, {
      assign,
      issueWhen,
      series: `format => '{group}-{number}', max_number => 2`,
    });
    await database.execute(`insert into ${t} (status) values ('issued'), ('issued')`);
    if (assign === 'manual') await database.rows(`select seqctl.number_pending('${t}')`);
    expect(await listNumbers(database, t)).toBe('1 2');
    const clerk = await clerkOn(t);
    for (const drafts of [`('1')`, `('1'), ('2')`]) {
      await clerk.query('begin');
      await clerk.query(`set local seqctl.writing = '1'`);
      await clerk.query(`insert into ${t} (note) values ${drafts}`);
      const forged = clerk.query(`insert into run values ($$
        update ${t} set status = 'issued', number = 2 + n, document_number = 'acme-' || 2 + n
        from (select d.id, row_number() over () as n from ${t} d where d.number is null) d
        where d.id = ${t}.id$$)`);
      await expect(forged).rejects.toMatchObject({ code: 'SQ014' });
      await clerk.query('rollback');
    }
    await expectExact(database);
  });

  test.each([
    ['insert', issued],
    ['commit', null],
    ['manual', issued],
  ] as const)(
    '%s, %s: no document number above max_length, no date that is not the clock',
    async (assign, issueWhen) => {
      const t = await make(`beyond_${assign}`, {
        assign,
        issueWhen,
        chronology: 'stamp',
        series: `format => '{group}-{year}-{number}', max_length => 11`,
      });
      await database.execute(`insert into ${t} (status) select 'issued' from generate_series(1, 9)`);
      if (assign === 'manual') await database.rows(`select seqctl.number_pending('${t}')`);
      const clerk = await clerkOn(t);
      for (const [drafts, number, days, code] of [
        [`('1')`, 10, 0, 'SQ012'],
        [`('1'), ('2')`, 10, 0, 'SQ012'],
        [`('1')`, 9, 3, 'SQ021'],
        [`('1'), ('2')`, 8, 3, 'SQ021'],
      ] as const) {
        await database.execute(`
          begin;
          set local session_replication_role = replica;
          delete from ${t} where number >= ${number} or number is null;
          update seqctl.counter c set last_number = ${number - 1} from seqctl.series s where s.id = c.series_id and s.name = '${t}';
          commit`);
        await clerk.query('begin');
        await clerk.query(`set local seqctl.writing = '1'`);
        await clerk.query(`insert into ${t} (note) values ${drafts}`);
        const forged = clerk.query(`insert into run values ($$
          update ${t} set status = 'issued', number = ${number - 1} + n, issued_on = current_date + ${days},
            document_number = 'acme-' || extract(year from current_date + ${days}) || '-' || ${number - 1} + n
          from (select d.id, row_number() over () as n from ${t} d where d.number is null) d
          where d.id = ${t}.id$$)`);
        await expect(forged).rejects.toMatchObject({ code });
        await clerk.query('rollback');
      }
      await expectExact(database);
    },
  );

  test.each(['insert', 'commit', 'manual'] as const)(
    '%s, partitioned: a row does not pass for one that moves',
    async (assign) => {
      const t = await make(`moving_${assign}`, {
        assign,
        issueWhen: assign === 'insert' ? `status = 'issued'` : null,
        suffix: 'partition by list (company)',
        key: 'id, company',
        beforeAttach: `create table moving_${assign}_x partition of moving_${assign} for values in ('x')`,
      });
      await database.execute(`create table ${t}_y partition of ${t} for values in ('y')`);
      const [attachment] = await database.rows<{ id: number }>(
        `select id from seqctl.attachment where target = '${t}'::regclass`,
      );
      const clerk = await clerkOn(t, `${t}_x`, `${t}_y`);
      for (const number of [77, 1]) {
        for (const into of [t, `${t}_x`, `${t}_y`]) {
          await clerk.query('begin');
          await clerk.query(`insert into ${t} (id, company, status) values (-1, 'x', 'draft')`);
          await clerk.query(`delete from ${t} where id = -1`);
          await clerk.query(
            `select set_config('seqctl.moving_${attachment?.id ?? 0}', $1 || ' ' || '${t}_x'::regclass::oid || ' ' || (pg_stat_get_xact_tuples_deleted('${t}_x'::regclass) - 1), true)`,
            [String(number)],
          );
          await clerk
            .query(
              `insert into ${into} (id, company, status, number, document_number) values (7, '${into.endsWith('y') ? 'y' : 'x'}', 'issued', ${number}, 'FORGED')`,
            )
            .catch(() => undefined);
          await clerk.query('commit').catch(() => undefined);
          await expectExact(database);
        }
      }
    },
  );
});

test('a role with INSERT and DELETE: a number of another table of the series, in a partition made later', async () => {
  const t = await make('late_twice', {
    assign: 'insert',
    issueWhen: `status = 'issued'`,
    groupColumns: '{}',
    suffix: 'partition by list (company)',
    key: 'id, company',
    beforeAttach: `create table late_twice_x partition of late_twice for values in ('x')`,
  });
  const other = await make('late_twice_other', { assign: 'insert', sharedSeries: t, groupColumns: '{}' });
  await database.execute(`
    create table ${t}_y partition of ${t} for values in ('y');
    insert into ${other} select from generate_series(1, 5);`);
  const [attachment] = await database.rows<{ id: number }>(
    `select id from seqctl.attachment where target = '${t}'::regclass`,
  );
  const role = await makeRole('late_twice');
  await database.execute(`grant select, insert, delete on ${t}, ${t}_y to ${role.name}`);
  const clerk = await database.session('clerk', database.urlAs(role.name, role.password));
  for (const number of [3, 5, 6]) {
    await clerk.query('begin');
    await clerk.query(`insert into ${t} (id, company, status) values (-1, 'x', 'draft')`);
    await clerk.query(`delete from ${t} where id = -1`);
    await clerk.query(
      `select set_config('seqctl.moving_${attachment?.id ?? 0}', $1 || ' ' || '${t}_x'::regclass::oid || ' ' || (pg_stat_get_xact_tuples_deleted('${t}_x'::regclass) - 1), true)`,
      [String(number)],
    );
    await clerk
      .query(
        `insert into ${t}_y (id, company, status, number, document_number) values (${number}, 'y', 'issued', ${number}, '-2026-00${number}')`,
      )
      .catch(() => undefined);
    await clerk.query('commit').catch(() => undefined);
    await expectExact(database);
  }
});

test('protect => false: an UPDATE that takes a number away and gives another', async () => {
  const t = await make('taken_away', { assign: 'insert', issueWhen: `status = 'issued'`, protect: false });
  const a = await database.session('A');
  await a.query(`insert into ${t} (status) values ('issued'), ('draft')`);
  await a
    .query(`update ${t} set number = null, document_number = null, status = 'issued'`)
    .catch(() => undefined);
  // Whatever became of them: the counter knows the highest number, and the series goes on.
  expect(
    await a.rows(
      `select c.last_number >= (select max(number) from ${t}) as knows from seqctl.counter c join seqctl.series s on s.id = c.series_id where s.name = '${t}'`,
    ),
  ).toEqual([{ knows: true }]);
  await a.query(`insert into ${t} (status) values ('issued')`);
});

test('names with <<…>>, percent signs, quotes, backslashes and 63 bytes', async () => {
  const a = await database.session('A');
  const names = ['<<rows>>', '100% \\x', `q"u'o%s`, '$f$ $$', `${'😀'.repeat(10)}äöüßéñ`];
  for (const [n, name] of names.entries()) {
    const quote = (part: string): string => `"${`${part}${name}`.replaceAll('"', '""')}"`;
    await a.query(
      `select seqctl.create_series('named_${n}', format => '{group}/{number}', reset => 'never')`,
    );
    await a.query(
      `create table ${quote('t')} (${quote('k')} bigint generated by default as identity primary key, ${quote('g')} text default 'x', note text, ${quote('n')} bigint, ${quote('d')} text)`,
    );
    for (const assign of ['commit', 'manual']) {
      await a.query(
        'select seqctl.attach($1, $2, $3, group_columns => array[$4]::name[], document_number_column => $5, assign => $6)',
        [quote('t'), `named_${n}`, `n${name}`, `g${name}`, `d${name}`, assign],
      );
      await inTransaction(a, `insert into ${quote('t')} (note) values ('a'), ('b')`);
      await inTransaction(
        a,
        `insert into ${quote('t')} (note) values ('a'), ('b')`,
        `update ${quote('t')} set note = 'c'`,
      );
      await a.query('select seqctl.number_pending($1, $2)', [quote('t'), `n${name}`]);
      await expectExact(database);
      await a.query('select seqctl.detach($1, $2)', [quote('t'), `n${name}`]);
    }
    expect(await a.rows(`select from pg_proc where obj_description(oid) ~ 'series named_${n}[ .]'`)).toEqual(
      [],
    );
  }
});

test('a primary key with an array is refused, or works', async () => {
  await database.execute(`
    select seqctl.create_series('array_key', reset => 'never');
    create table array_key (k int[] primary key, number bigint)`);
  const attached = await database
    .rows(`select seqctl.attach('array_key', 'array_key', assign => 'commit')`)
    .then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'SQ006' });
        return false;
      },
    );
  if (attached) await database.execute(`insert into array_key values ('{1,2}'), ('{3,4}'), ('{5}')`);
  await expectExact(database);
});

test.each([
  ['a new table', false],
  ['a table with statistics', true],
])('2000 one-row statements in one transaction look at few rows: %s', async (what, filled) => {
  const t = await make(`many_${what.replaceAll(' ', '_')}`);
  const a = await database.session('A');
  if (filled) {
    await a.query(`insert into ${t} (company) select 'acme' from generate_series(1, 5000)`);
    await a.query(`vacuum analyze ${t}`);
  }
  for (const company of [`'acme'`, `'c' || n % 200`]) {
    await a.query('begin');
    await a.query(
      `do $$ begin for n in 1 .. 2000 loop insert into ${t} (company) values (${company}); end loop; end $$`,
    );
    await a.query('set constraints all immediate');
    const read = await a.rows<{ name: string; rows: number }>(
      `select relid::regclass::text as name, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows
       from pg_stat_xact_all_tables where relid in ('${t}'::regclass, 'seqctl.counter'::regclass, 'seqctl.pending'::regclass)`,
    );
    await a.query('commit');
    // Not one by one over all that came before: that would be millions.
    for (const { name, rows } of read) expect(rows, name).toBeLessThan(100_000);
  }
  await expectExact(database);
});

test('a session that began when the table was empty reads few rows of it when it has grown', async () => {
  const t = await make('grown');
  const a = await database.session('A');
  const read = async (): Promise<number> => {
    const [found] = await a.rows<{ rows: number }>(
      `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_all_tables where relid = '${t}'::regclass`,
    );
    return found?.rows ?? NaN;
  };
  for (const rows of [1, 2, 20]) {
    // Plans are kept from the sixth time on.
    for (let n = 0; n < 20; n += 1) {
      await a.query(`insert into ${t} (company) select 'acme' from generate_series(1, ${rows})`);
    }
  }
  await database.execute(`insert into ${t} (company) select 'acme' from generate_series(1, 20000)`);
  await a.query('select pg_stat_force_next_flush()').catch(() => undefined);
  const before = await read();
  for (const rows of [1, 2, 20]) {
    for (let n = 0; n < 20; n += 1) {
      await a.query(`insert into ${t} (company) select 'acme' from generate_series(1, ${rows})`);
    }
  }
  await expect.poll(read, { timeout: 10_000 }).toBeGreaterThan(before);
  expect((await read()) - before).toBeLessThan(60 * 1000);
  await expectExact(database);
});
