import { describe, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import {
  type DocumentOptions,
  issued,
  isolationLevels,
  listNumbers,
  makeDocuments,
} from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';
import { waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

const make = (name: string, options: DocumentOptions = {}): Promise<string> =>
  makeDocuments(database, name, { issueWhen: null, ...options });

describe('enforce', () => {
  test.each([
    ['date', '2026-03-09', '2026-03-08', '2026-03-08'],
    ['timestamp', '2026-03-09 10:00:00.000001', '2026-03-09 10:00', '2026-03-09 09:59:59.999'],
    ['timestamptz', '2026-03-09 10:00+00', '2026-03-09 10:59:59+01', '2026-03-09 09:59+00'],
  ] as const)(
    '%s: a document dated before the last one is refused, naming the date that would do',
    async (type, last, before, alsoBefore) => {
      const t = await make(`enforce_${type}`, { chronology: 'enforce', dateType: type });
      const a = await database.session('A');
      await a.query(`insert into ${t} (issued_on) values ($1), ($1)`, [last]);
      const error: unknown = await a
        .query(`insert into ${t} (issued_on) values ($1)`, [before])
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'SQ021' });
      const {
        message,
        detail = '',
        hint = '',
      } = error as { message: string; detail?: string; hint?: string };
      expect(`${message} ${detail} ${hint}`).toContain('2026-03-09');
      for (const rows of [`('${last}'), ('${alsoBefore}')`, `('${last}'), ('2026-04-01'), ('2026-03-31')`]) {
        await expect(a.query(`insert into ${t} (issued_on) values ${rows}`), rows).rejects.toMatchObject({
          code: 'SQ021',
        });
      }
      // Equal dates are fine; other groups and periods are not compared with.
      await a.query(`insert into ${t} (issued_on) values ($1)`, [last]);
      await a.query(
        `insert into ${t} (company, issued_on) values ('b', '2026-01-01'), ('acme', '2025-01-01'), ('b', '2026-01-02')`,
      );
      expect(await listNumbers(database, t)).toBe('1 2 3 1 1 2');
      await expectExact(database);
    },
  );

  test.each(isolationLevels)(
    '%s: within a transaction, its savepoints and after a rollback',
    async (level) => {
      const t = await make(`enforce_tx_${level.replaceAll(' ', '_')}`, { chronology: 'enforce' });
      const a = await database.session('A');
      await a.query(`begin isolation level ${level}`);
      await a.query(`insert into ${t} (issued_on) values ('2026-02-01')`);
      await a.query('savepoint s');
      await a.query(`insert into ${t} (issued_on) values ('2026-09-09')`);
      await a.query('rollback to s');
      await a.query(`insert into ${t} (issued_on) values ('2026-02-02'), ('2026-02-03')`);
      await a.query('savepoint s');
      await expect(a.query(`insert into ${t} (issued_on) values ('2026-02-02')`)).rejects.toMatchObject({
        code: 'SQ021',
      });
      await a.query('rollback to s');
      await a.query('commit');
      await a.query('begin');
      await a.query(`insert into ${t} (issued_on) values ('2026-12-12')`);
      await a.query('rollback');
      await a.query(`insert into ${t} (issued_on) values ('2026-02-03')`);
      expect(await listNumbers(database, t)).toBe('1 2 3 4');
      await expectExact(database);
    },
  );

  test('many rows, many groups, in one statement', async () => {
    const t = await make('enforce_bulk', { chronology: 'enforce' });
    const a = await database.session('A');
    await a.query(
      `insert into ${t} (company, issued_on) select 'c' || n % 7, date '2026-01-01' + n / 10 from generate_series(1, 2000) n order by n`,
    );
    await expectExact(database);
    await expect(
      a.query(
        `insert into ${t} (company, issued_on) select 'c' || n % 7, date '2026-12-01' - n from generate_series(1, 20) n order by n`,
      ),
    ).rejects.toMatchObject({ code: 'SQ021' });
    await expectExact(database);
  });

  test('drafts are free; it is the issuing that is checked', async () => {
    const t = await make('enforce_drafts', { chronology: 'enforce', issueWhen: `status = 'issued'` });
    const a = await database.session('A');
    await a.query(
      `insert into ${t} (issued_on, status) values ('2026-01-01', 'draft'), ('2026-05-05', 'issued'), ('2026-02-02', 'draft')`,
    );
    await expect(a.query(`update ${t} set status = 'issued' where id = 1`)).rejects.toMatchObject({
      code: 'SQ021',
    });
    await a.query(`update ${t} set status = 'issued', issued_on = '2026-05-05' where id = 1`);
    await a.query(`update ${t} set issued_on = '2026-06-06' where id = 3`);
    await a.query(`update ${t} set status = 'issued' where id = 3`);
    expect(await listNumbers(database, t)).toBe('2 1 3');
    await expectExact(database);
  });

  test('commit mode: the rows of a transaction against each other and against others’', async () => {
    const t = await make('enforce_commit', { chronology: 'enforce', assign: 'commit' });
    const a = await database.session('A');
    const b = await database.session('B');
    await a.query(`insert into ${t} (issued_on) values ('2026-02-01'), ('2026-02-02')`);
    await a.query('begin');
    await a.query(`insert into ${t} (issued_on) values ('2026-03-01')`);
    await b.query(`insert into ${t} (issued_on) values ('2026-04-01')`);
    await expect(a.query('commit')).rejects.toMatchObject({ code: 'SQ021' });
    await a.query('begin');
    await a.query(`insert into ${t} (issued_on) values ('2026-03-01')`);
    await a.query(`update ${t} set issued_on = '2026-04-02' where number is null`);
    await a.query('commit');
    await expectExact(database);
  });

  test('a date of an issued row cannot be changed at all', async () => {
    const t = await make('enforce_frozen', { chronology: 'enforce' });
    await database.execute(`insert into ${t} (issued_on) values ('2026-02-01'), ('2026-02-05')`);
    await expect(
      database.rows(`update ${t} set issued_on = '2026-02-03' where id = 1`),
    ).rejects.toMatchObject({ code: 'SQ022' });
    await database.rows(`update ${t} set issued_on = issued_on, note = 'x'`);
    await expectExact(database);
  });

  test('a session that waited is compared with what was committed meanwhile', async () => {
    const t = await make('enforce_wait', { chronology: 'enforce' });
    const a = await database.session('A');
    const b = await database.session('B');
    await a.query(`insert into ${t} (issued_on) values ('2026-02-01')`);
    await a.query('begin');
    await a.query(`insert into ${t} (issued_on) values ('2026-02-05')`);
    const waiting = b.start(`insert into ${t} (issued_on) values ('2026-02-04')`);
    await waitUntilBlocked(b, a);
    await a.query('commit');
    await expect(waiting.result).rejects.toMatchObject({ code: 'SQ021' });
    await expectExact(database);
  });

  test('the last date of numbers that were there before attach counts', async () => {
    const t = await make('enforce_later');
    const a = await database.session('A');
    await a.query(`insert into ${t} (issued_on) values ('2026-02-01'), ('2026-05-05')`);
    await a.query(`select seqctl.detach('${t}', 'number')`);
    await a.query(
      `select seqctl.attach('${t}', '${t}', date_column => 'issued_on', group_columns => '{company}', document_number_column => 'document_number', chronology => 'enforce')`,
    );
    await expect(a.query(`insert into ${t} (issued_on) values ('2026-05-04')`)).rejects.toMatchObject({
      code: 'SQ021',
    });
    await a.query(`insert into ${t} (issued_on) values ('2026-05-05')`);
    await expectExact(database);
  });
});

describe('stamp', () => {
  test.each(['date', 'timestamp', 'timestamptz'] as const)(
    '%s: seqctl sets it, whatever was given',
    async (type) => {
      const t = await make(`stamp_${type}`, {
        chronology: 'stamp',
        dateType: type,
        series: `time_zone => 'Pacific/Auckland', format => '{year}-{number}'`,
        groupColumns: '{}',
      });
      const a = await database.session('A');
      await a.query(`set timezone = 'America/New_York'`);
      const given = await a.rows<{ issued_on: string; id: string }>(
        `insert into ${t} (issued_on) values (null), ('1999-01-01'), ('2999-01-01'), (null) returning id, issued_on::text as issued_on`,
      );
      expect(await a.rows(`select id, issued_on::text as issued_on from ${t} order by id`)).toEqual(given);
      const local =
        type === 'timestamptz' ? 'clock_timestamp()' : `timezone('Pacific/Auckland', clock_timestamp())`;
      const near = type === 'date' ? '1 day' : '1 minute';
      expect(
        await a.value(
          `select bool_and(issued_on::${type === 'date' ? 'timestamp' : type} between ${local} - interval '${near}' and ${local}) from ${t}`,
        ),
      ).toBe(true);
      await a.query(`insert into ${t} default values`);
      await expectExact(database);
    },
  );

  test.each(
    (['date', 'timestamp', 'timestamptz'] as const).flatMap((type) =>
      (['insert', 'issue_when', 'commit', 'manual'] as const).map((mode) => [type, mode] as const),
    ),
  )('a clock that steps back, sessions in different time zones: %s, %s', async (type, mode) => {
    const t = await make(`stamp_clock_${type}_${mode}`, {
      chronology: 'stamp',
      dateType: type,
      series: `reset => 'never', format => '{number}', time_zone => 'Pacific/Auckland'`,
      groupColumns: '{}',
      assign: mode === 'issue_when' ? 'insert' : mode,
      issueWhen: mode === 'issue_when' ? issued : null,
    });
    const zones = ['America/New_York', 'Asia/Tokyo', 'UTC', 'Pacific/Kiritimati'];
    const sessions = await Promise.all(zones.map((zone) => database.session(zone)));
    await Promise.all(sessions.map((session, n) => session.query(`set timezone = '${zones[n]}'`)));
    const round = (): Promise<unknown> =>
      Promise.all(
        sessions.map(async (session, n) => {
          await session.query('begin');
          await session.query(`insert into ${t} (note) values ('${n}'), ('${n}')`);
          if (mode === 'issue_when')
            await session.query(`update ${t} set status = 'issued' where note = '${n}'`);
          if (mode === 'manual') await session.query(`select seqctl.number_pending('${t}')`);
          await session.query(n === 3 ? 'rollback' : 'commit');
          await session.query(`insert into ${t} (status, note) values ('issued', '${n}')`);
        }),
      );
    const issue = async (): Promise<void> => {
      await round();
      if (mode === 'manual') await database.rows(`select seqctl.number_pending('${t}')`);
    };
    await issue();
    // As if the clock had been two days ahead when the last document was issued, and was then put right.
    await database.execute(`
      update seqctl.counter set last_at = last_at + interval '2 days'
      where series_id = (select id from seqctl.series where name = '${t}');
      alter table ${t} disable trigger user;
      update ${t} set issued_on = issued_on + interval '2 days' where number = (select max(number) from ${t});
      alter table ${t} enable trigger user`);
    const ahead = `(select issued_on from ${t} where number = 10)`;
    await issue();
    expect(
      await database.rows(
        `select count(*)::int as rows, count(*) filter (where issued_on = ${ahead})::int as held from ${t} where number > 10`,
      ),
    ).toEqual([{ rows: 10, held: 10 }]);
    // When the clock has caught up, it dates them again.
    await database.execute(`
      update seqctl.counter set last_at = last_at - interval '3 days'
      where series_id = (select id from seqctl.series where name = '${t}');
      alter table ${t} disable trigger user;
      update ${t} set issued_on = issued_on - interval '3 days';
      alter table ${t} enable trigger user`);
    await issue();
    expect(
      await database.rows(`select bool_and(issued_on > ${ahead}) as later from ${t} where number > 20`),
    ).toEqual([{ later: true }]);
    await expectExact(database);
  });

  test('a transaction that began earlier and commits later has the later date (insert mode)', async () => {
    const t = await make('stamp_order', { chronology: 'stamp', dateType: 'timestamptz' });
    const a = await database.session('A');
    const b = await database.session('B');
    await a.query('begin');
    await a.query('select now()');
    await b.query(`insert into ${t} (note) values ('b')`);
    await a.query(`insert into ${t} (note) values ('a')`);
    await a.query('commit');
    expect(await a.rows(`select note from ${t} order by issued_on`)).toEqual([{ note: 'b' }, { note: 'a' }]);
    await expectExact(database);
  });

  test.each(['insert', 'commit', 'manual'] as const)(
    'a draft gets its date when it is issued: %s',
    async (assign) => {
      const t = await make(`stamp_draft_${assign}`, {
        chronology: 'stamp',
        assign,
        issueWhen: `status = 'issued'`,
        dateType: 'timestamptz',
      });
      const a = await database.session('A');
      await a.query(`insert into ${t} (issued_on) values (null), ('1999-01-01')`);
      await a.query(`insert into ${t} (status) values ('issued'), ('issued')`);
      if (assign === 'manual') await a.query(`select seqctl.number_pending('${t}')`);
      await a.query(`update ${t} set status = 'issued'`);
      if (assign === 'manual') await a.query(`select seqctl.number_pending('${t}')`);
      await expectExact(database);
      expect(
        await a.value(
          `select bool_and(issued_on between now() - interval '5 minutes' and now() + interval '1 second') from ${t}`,
        ),
      ).toBe(true);
    },
  );

  test('16 clients: dates never invert against numbers', async () => {
    const t = await make('stamp_race', { chronology: 'stamp', dateType: 'timestamp' });
    const sessions = await Promise.all(Array.from({ length: 16 }, (_, n) => database.session(`c${n}`)));
    await Promise.all(
      sessions.map(async (session, n) => {
        for (let k = 0; k < 10; k += 1) {
          await session.query('begin');
          await session.query(`insert into ${t} (company) values ('c${(n + k) % 2}'), ('c${(n + k) % 2}')`);
          await session.query(k % 4 === 3 ? 'rollback' : 'commit');
        }
      }),
    );
    await expectExact(database);
  });
});

describe('documents that a trigger inserts while a statement is running', () => {
  type Mode = 'insert' | 'issue_when';
  type Timing = 'before' | 'after';
  type Place = 'the same table' | 'another table';
  const types = ['date', 'timestamp', 'timestamptz'] as const;
  const cases = types.flatMap((type) =>
    (['before', 'after'] as const).flatMap((timing) =>
      (['the same table', 'another table'] as const).flatMap((place) =>
        (['insert', 'issue_when'] as const).map((mode) => [type, timing, place, mode] as const),
      ),
    ),
  );

  /**
   * A row with a `shift` inserts another document, dated so much later, when it is numbered: before its own number is given, or after
   * those of the whole statement.
   */
  const makeNested = async (
    chronology: 'enforce' | 'stamp',
    [dateType, timing, place, mode]: readonly [(typeof types)[number], Timing, Place, Mode],
  ): Promise<{ readonly t: string; readonly other: string }> => {
    const name = `nested_${chronology}_${dateType}_${timing}_${place === 'the same table' ? 'same' : 'other'}_${mode}`;
    const options = { chronology, dateType };
    const t = await make(name, {
      ...options,
      columns: ', shift interval',
      issueWhen: mode === 'issue_when' ? issued : null,
    });
    const other = place === 'the same table' ? t : `${name}_2`;
    if (other !== t) await make(other, { ...options, sharedSeries: t });
    const event = mode === 'insert' ? 'insert' : 'update';
    const when = {
      insert: 'true',
      issue_when: `old.status = 'draft' and new.status = 'issued'`,
    }[mode];
    await database.execute(`
      create function ${name}() returns trigger language plpgsql as $$
      begin
        insert into ${other} (issued_on, status) values (new.issued_on + new.shift, 'issued');
        return new;
      end $$;
      create trigger a_nested ${timing} ${event} on ${t} for each row
        when (new.shift is not null and ${when}) execute function ${name}()`);
    return { t, other };
  };

  /** Inserts rows, or issues them, as one statement; times are SQL. */
  const store = async (
    t: string,
    mode: Mode,
    rows: readonly (readonly [string, string])[],
  ): Promise<void> => {
    const values = rows.map(([at, shift]) => `(${at}, ${shift})`).join(', ');
    await database.execute(`insert into ${t} (issued_on, shift) values ${values}`);
    if (mode === 'issue_when')
      await database.execute(`update ${t} set status = 'issued' where number is null`);
  };

  test.each(cases)('enforce: %s, %s, %s, %s', async (...options) => {
    const [type, timing, , mode] = options;
    const { t, other } = await makeNested('enforce', options);
    const unit = type === 'date' ? 'day' : 'microsecond';
    const base = type === 'date' ? `date '2026-03-09'` : `${type} '2026-03-09 10:00'`;
    // Units after the last date that is there, and of the document that the row's trigger inserts after the row's own.
    const statements: readonly (readonly (readonly [number, number | null])[])[] = [
      [[0, null]],
      [[1, -1]],
      [[2, -3]],
      [[1, 0]],
      [[0, 2]],
      [[1, -1]],
      [
        [1, null],
        [3, -1],
        [3, null],
      ],
      [
        [1, null],
        [3, -3],
      ],
      [
        [1, null],
        [3, 2],
        [4, 1],
      ],
      [
        [1, null],
        [3, 0],
        [4, 1],
      ],
      [
        [-1, null],
        [2, 0],
      ],
      [
        [2, null],
        [1, 5],
      ],
      [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
      [
        [1, -1],
        [2, 0],
        [3, -1],
      ],
      [
        [1, 3],
        [2, null],
        [4, 0],
      ],
      [[0, 0]],
      [[-1, null]],
    ];
    let last = 0;
    const outcomes: boolean[] = [];
    for (const rows of statements) {
      const dated = rows.map(([at, shift]) => ({ own: at, more: shift === null ? [] : [at + shift] }));
      const order =
        timing === 'before'
          ? dated.flatMap(({ own, more }) => [...more, own])
          : [...dated.map(({ own }) => own), ...dated.flatMap(({ more }) => more)];
      const isRight = order.every((at, n) => at >= (order[n - 1] ?? 0));
      outcomes.push(isRight);
      const interval = (count: number | null): string =>
        count === null ? 'null' : `interval '${count} ${unit}'`;
      const run = store(
        t,
        mode,
        rows.map(([at, shift]) => [`${base} + ${interval(last + at)}`, interval(shift)] as const),
      );
      if (isRight) {
        await run;
        last += Math.max(...order);
      } else {
        await expect(run, JSON.stringify(rows)).rejects.toMatchObject({ code: 'SQ021' });
        await database.execute(`delete from ${t} where number is null`);
      }
      expect(
        await database.rows(
          `select c.last_at = ${type === 'timestamptz' ? `timezone('UTC', ${base})` : base} + interval '${last} ${unit}' as is_right
           from seqctl.counter c where c.series_id = (select id from seqctl.series where name = '${t}')`,
        ),
        JSON.stringify(rows),
      ).toEqual(outcomes.includes(true) ? [{ is_right: true }] : []);
    }
    await expectExact(database);
    expect(new Set(outcomes).size).toBe(2);
    // What comes after them without a trigger is compared with the latest of them all.
    await expect(
      database.rows(
        `insert into ${other} (issued_on, status) values (${base} + interval '${last - 1} ${unit}', 'issued')`,
      ),
    ).rejects.toMatchObject({ code: 'SQ021' });
  });

  test.each(cases)('stamp: %s, %s, %s, %s', async (...options) => {
    const [, , , mode] = options;
    const { t, other } = await makeNested('stamp', options);
    for (const rows of [1, 3, 2]) {
      await store(
        t,
        mode,
        Array.from({ length: rows }, () => ['null', `interval '0'`] as const),
      );
      await expectExact(database);
    }
    await database.execute(`insert into ${other} (status) values ('issued')`);
    const numbers = await database.rows(
      `select number from ${t} union all select number from ${other} where '${other}' <> '${t}'`,
    );
    expect(numbers.length).toBe(13);
    await expectExact(database);
  });

  test.each(isolationLevels)('%s: the date that would do, and the statement after it', async (level) => {
    const t = await make(`nested_tx_${level.replaceAll(' ', '_')}`, {
      chronology: 'enforce',
      columns: ', nested date',
    });
    await database.execute(`
      create function ${t}() returns trigger language plpgsql as $$
      begin
        insert into ${t} (issued_on) values (new.nested);
        return new;
      end $$;
      create trigger a_nested after insert on ${t} for each row when (new.nested is not null) execute function ${t}()`);
    const a = await database.session('A');
    await a.query(`begin isolation level ${level}`);
    await a.query(`insert into ${t} (issued_on, nested) values ('2026-03-10', '2026-03-12')`);
    await a.query('savepoint s');
    await expect(
      a.query(`insert into ${t} (issued_on, nested) values ('2026-03-14', '2026-03-13')`),
    ).rejects.toMatchObject({
      code: 'SQ021',
      message: `public.${t}.number: a document dated 2026-03-13 cannot follow one dated 2026-03-14`,
      hint: 'Date it 2026-03-14 or later.',
    });
    await a.query('rollback to s');
    await expect(a.query(`insert into ${t} (issued_on) values ('2026-03-11')`)).rejects.toMatchObject({
      code: 'SQ021',
      hint: 'Date it 2026-03-12 or later.',
    });
    await a.query('rollback to s');
    await a.query(
      `insert into ${t} (issued_on, nested) values ('2026-03-12', '2026-03-14'), ('2026-03-13', '2026-03-14')`,
    );
    await a.query('commit');
    expect(await listNumbers(database, t)).toBe('1 2 3 4 5 6');
    await expectExact(database);
  });

  test('drafts that a trigger numbers with number_pending() come after the rows that landed', async () => {
    const t = await make('nested_pending', { chronology: 'enforce' });
    const drafts = await make('nested_pending_drafts', {
      chronology: 'enforce',
      assign: 'manual',
      sharedSeries: t,
    });
    await database.execute(`
      create function ${t}() returns trigger language plpgsql as $$
      begin
        perform seqctl.number_pending('${drafts}');
        return null;
      end $$;
      create trigger a_nested after insert on ${t} for each row execute function ${t}()`);
    await database.execute(`insert into ${drafts} (issued_on) values ('2026-03-10')`);
    await expect(
      database.rows(`insert into ${t} (issued_on) values ('2026-03-11'), ('2026-03-12')`),
    ).rejects.toMatchObject({ code: 'SQ021' });
    await database.execute(`insert into ${t} (issued_on) values ('2026-03-09'), ('2026-03-10')`);
    expect(await listNumbers(database, drafts)).toBe('3');
    await database.execute(`update ${drafts} set note = 'issued'`);
    await database.execute(`insert into ${drafts} (issued_on) values ('2026-03-12')`);
    await database.execute(`insert into ${t} (issued_on) values ('2026-03-11')`);
    expect(await listNumbers(database, drafts)).toBe('3 5');
    await expect(database.rows(`insert into ${t} (issued_on) values ('2026-03-11')`)).rejects.toMatchObject({
      code: 'SQ021',
      hint: 'Date it 2026-03-12 or later.',
    });
    await expectExact(database);
  });

  test('commit mode: what is numbered at once comes before what waits', async () => {
    const t = await make('nested_commit', {
      chronology: 'enforce',
      assign: 'commit',
      columns: ', nested date, again date',
    });
    const other = await make('nested_commit_2', { chronology: 'enforce', sharedSeries: t });
    await database.execute(`
      create function ${t}() returns trigger language plpgsql as $$
      begin
        insert into ${other} (issued_on) select new.nested where new.nested is not null;
        insert into ${t} (issued_on) select new.again where new.again is not null;
        return null;
      end $$;
      create trigger a_nested after insert on ${t} for each row execute function ${t}()`);
    await database.execute(
      `insert into ${t} (issued_on, nested, again) values ('2026-03-10', '2026-03-08', '2026-03-09'), ('2026-03-10', '2026-03-08', null)`,
    );
    expect(await listNumbers(database, other)).toBe('1 2');
    await expectExact(database);
    await expect(
      database.rows(`insert into ${t} (issued_on, nested) values ('2026-03-11', '2026-03-12')`),
    ).rejects.toMatchObject({ code: 'SQ021', hint: 'Date it 2026-03-12 or later.' });
    await expectExact(database);
  });

  test('rows of a partition that has no triggers yet', async () => {
    const t = await make('nested_late', {
      chronology: 'enforce',
      key: 'id, issued_on',
      suffix: 'partition by range (issued_on)',
      columns: ', nested date',
      beforeAttach: `create table nested_late_q1 partition of nested_late for values from ('2026-01-01') to ('2026-04-01')`,
    });
    await database.execute(`
      create table nested_late_q2 partition of nested_late for values from ('2026-04-01') to ('2026-07-01');
      create function ${t}() returns trigger language plpgsql as $$
      begin
        insert into ${t} (issued_on) values (new.nested);
        return new;
      end $$;
      create trigger a_nested after insert on ${t} for each row when (new.nested is not null) execute function ${t}()`);
    for (const rows of [
      `('2026-03-30', '2026-04-02'), ('2026-04-01', '2026-04-02')`,
      `('2026-04-02', null), ('2026-04-02', null)`,
    ]) {
      await database.execute(`insert into ${t} (issued_on, nested) values ${rows}`);
    }
    await database.execute(
      `insert into nested_late_q2 (id, issued_on, nested) values (1000, '2026-04-03', '2026-04-04')`,
    );
    for (const rows of [
      `('2026-04-05', '2026-03-31')`,
      `('2026-04-05', '2026-04-04')`,
      `('2026-04-05', null), ('2026-04-04', null)`,
      `('2026-03-31', '2026-04-05')`,
    ]) {
      await expect(
        database.rows(`insert into ${t} (issued_on, nested) values ${rows}`),
        rows,
      ).rejects.toMatchObject({ code: 'SQ021' });
    }
    expect(await listNumbers(database, t)).toBe('1 2 3 4 5 6 8 7');
    await expectExact(database);
  });
});

describe('refused by attach', () => {
  test.each([
    ['an unknown chronology', `chronology => 'sometimes'`, /^SQ0/],
    ['chronology NULL', `chronology => null`, /^SQ0/],
    ['an unknown assign', `assign => 'later'`, /^SQ0/],
    ['assign NULL', `assign => null`, /^SQ0/],
  ])('%s', async (_what, argument, code) => {
    await database.execute(`create table if not exists refused (id int primary key, d date, number bigint)`);
    await database.rows(
      `select seqctl.create_series('refused') where not exists (select from seqctl.series where name = 'refused')`,
    );
    await expect(
      database.rows(`select seqctl.attach('refused', 'refused', date_column => 'd', ${argument})`),
    ).rejects.toMatchObject({
      code: expect.stringMatching(code) as string,
    });
  });

  test.each(['enforce', 'stamp'])('%s without a date column', async (chronology) => {
    await database.execute(`create table if not exists dateless (id int primary key, number bigint)`);
    await database.rows(
      `select seqctl.create_series('dateless', reset => 'never') where not exists (select from seqctl.series where name = 'dateless')`,
    );
    await expect(
      database.rows(`select seqctl.attach('dateless', 'dateless', chronology => '${chronology}')`),
    ).rejects.toMatchObject({ code: 'SQ006' });
  });

  test('attachments of one series that differ in chronology or type of date', async () => {
    const t = await make('one_chronology', { chronology: 'enforce' });
    for (const [name, options] of Object.entries<DocumentOptions>({
      off: {},
      stamp: { chronology: 'stamp' },
      type: { chronology: 'enforce', dateType: 'timestamptz' },
    })) {
      await expect(
        make(`one_chronology_${name}`, { ...options, sharedSeries: t }),
        name,
      ).rejects.toMatchObject({ code: 'SQ007' });
    }
    const other = await make('one_chronology_same', { chronology: 'enforce', sharedSeries: t });
    const a = await database.session('A');
    await a.query(`insert into ${t} (issued_on) values ('2026-05-05')`);
    await expect(a.query(`insert into ${other} (issued_on) values ('2026-05-04')`)).rejects.toMatchObject({
      code: 'SQ021',
    });
    await a.query(`insert into ${other} (issued_on) values ('2026-05-05')`);
    await expectExact(database);
  });
});
