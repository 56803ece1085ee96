import { describe, expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { copyIn } from '../support/copy.js';
import { expectExact, expectStored, type Invoice, makeInvoices } from '../support/numbering.js';

const database = useDatabase();

interface Scheme {
  readonly suffix: string;
  readonly partitions: string;
  /** A partition that rows of company c1 or date 2026-03-09 go to. */
  readonly one: string;
  /** Columns and values of rows that fit into `one`. */
  readonly fit: string;
  readonly late: string;
  readonly lateName: string;
  readonly lateFit: string;
}

const schemes: Record<string, Scheme> = {
  range: {
    suffix: 'partition by range (issued_on)',
    partitions: `create table %t_h1 partition of %t for values from ('2026-01-01') to ('2026-07-01');
      create table %t_h2 partition of %t for values from ('2026-07-01') to ('2027-01-01')`,
    one: '%t_h1',
    fit: `'acme', date '2026-02-02'`,
    late: `create table %t_late partition of %t for values from ('2027-01-01') to ('2028-01-01')`,
    lateName: '%t_late',
    lateFit: `'acme', date '2027-02-02'`,
  },
  list: {
    suffix: 'partition by list (company)',
    partitions: `create table %t_acme partition of %t for values in ('acme', 'globex', 'c0', 'c1', 'c2');
      create table %t_c partition of %t for values in ('c3', 'c4', 'c5')`,
    one: '%t_acme',
    fit: `'acme', date '2026-02-02'`,
    late: `create table %t_late partition of %t for values in ('late')`,
    lateName: '%t_late',
    lateFit: `'late', date '2027-02-02'`,
  },
  hash: {
    suffix: 'partition by hash (id)',
    partitions: Array.from(
      { length: 3 },
      (_, n) => `create table %t_${n} partition of %t for values with (modulus 4, remainder ${n})`,
    ).join(';'),
    one: '%t',
    fit: `'acme', date '2026-02-02'`,
    late: `create table %t_late partition of %t for values with (modulus 4, remainder 3)`,
    lateName: '%t',
    lateFit: `'late', date '2027-02-02'`,
  },
  'list, its partitions by range': {
    suffix: 'partition by list (company)',
    partitions: `create table %t_acme partition of %t for values in ('acme', 'globex', 'c0', 'c1', 'c2') partition by range (issued_on);
      create table %t_acme_26 partition of %t_acme for values from ('2026-01-01') to ('2026-07-01');
      create table %t_acme_rest partition of %t_acme default;
      create table %t_c partition of %t for values in ('c3', 'c4', 'c5')`,
    one: '%t_acme',
    fit: `'acme', date '2026-02-02'`,
    late: `create table %t_late partition of %t for values in ('late') partition by range (issued_on);
      create table %t_late_1 partition of %t_late for values from ('2027-01-01') to ('2028-01-01')`,
    lateName: '%t_late_1',
    lateFit: `'late', date '2027-02-02'`,
  },
};

test.each(Object.entries(schemes))(
  'partitioned by %s: every form, also into late partitions',
  async (name, scheme) => {
    const t = `p_${name.replaceAll(/\W+/g, '_')}`;
    const fill = (text: string): string => text.replaceAll('%t', t);
    await makeInvoices(database, t, { suffix: scheme.suffix, beforeAttach: fill(scheme.partitions) });
    const isHash = name === 'hash';
    const a = await database.session('A');

    async function everyForm(target: string, fit: string): Promise<void> {
      const rows = (n: number): string => `select ${fit} from generate_series(1, ${n})`;
      const into = `insert into ${target} (company, issued_on)`;
      await expectStored(database, t, await a.rows<Invoice>(`${into} ${rows(1)} returning *`));
      await expectStored(database, t, await a.rows<Invoice>(`${into} ${rows(7)} returning *`));
      await expectExact(database);
      await a.query('begin');
      await a.query(`${into} ${rows(2)}`);
      await a.query('savepoint s');
      await a.query(`${into} ${rows(3)}`);
      await a.query('rollback to s');
      await a.query(`${into} ${rows(1)}`);
      await a.query('rollback');
      await a.query('begin');
      await a.query(`${into} ${rows(1)}`);
      await a.query('savepoint s');
      await a.query(`${into} ${rows(3)}`);
      await a.query('rollback to s');
      await a.query(`${into} ${rows(2)}`);
      await a.query('commit');
      await expectExact(database);
    }

    // Routed
    const many = (companies: number): string =>
      `insert into ${t} (company, issued_on) select 'c' || n % ${companies}, date '2026-01-01' + n % 365 from generate_series(1, 200) n returning *`;
    if (isHash) await a.query(fill(scheme.late));
    await everyForm(t, scheme.fit);
    await expectStored(database, t, await a.rows<Invoice>(many(6)));
    await expectExact(database);
    await copyIn(
      a,
      `copy ${t} (company, issued_on) from stdin`,
      Array.from({ length: 60 }, (_, n) => `c${n % 6}\t2026-0${(n % 9) + 1}-01`),
    );
    await expectExact(database);
    // Directly into a partition
    await everyForm(fill(scheme.one), scheme.fit);
    // Into a partition made after attach
    if (!isHash) await a.query(fill(scheme.late));
    await everyForm(t, scheme.lateFit);
    await everyForm(fill(scheme.lateName), scheme.lateFit);
    await a.query('begin');
    await a.query(
      `insert into ${t} (company, issued_on) select ${scheme.lateFit} from generate_series(1, 3)`,
    );
    await a.query(`insert into ${t} (company, issued_on) select ${scheme.fit} from generate_series(1, 3)`);
    await a.query(
      `insert into ${t} (company, issued_on) select ${scheme.lateFit} union all select ${scheme.fit} union all select ${scheme.lateFit}`,
    );
    await a.query('commit');
    await expectExact(database);
  },
);

test('a row moved between partitions by UPDATE keeps its number', async () => {
  const t = await makeInvoices(database, 'moved', {
    suffix: 'partition by range (issued_on)',
    beforeAttach: `
      create table moved_h1 partition of moved for values from ('2026-01-01') to ('2026-07-01');
      create table moved_h2 partition of moved for values from ('2026-07-01') to ('2026-10-01')`,
  });
  await database.execute(
    `create table moved_late partition of ${t} for values from ('2026-10-01') to ('2027-01-01')`,
  );
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 6) n`);
  const before = await a.rows(`select id, number, document_number from ${t} order by id`);
  await a.query(`update ${t} set issued_on = '2026-08-08' where number in (2, 3)`);
  await a.query(`update ${t} set issued_on = '2026-11-11' where number in (3, 4)`);
  await a.query(`update moved_h1 set note = note || '!'`);
  await a.query(`insert into ${t} (issued_on) values ('2026-08-01'), ('2026-12-01')`);
  await a.query('begin');
  await a.query(
    `update ${t} set issued_on = case when issued_on > '2026-07-01' then date '2026-01-01' else '2026-12-12' end`,
  );
  await a.query(`insert into ${t} (issued_on) values ('2026-08-01'), ('2026-12-01'), ('2026-03-03')`);
  await a.query('savepoint s');
  await a.query(`update ${t} set issued_on = '2026-09-09'`);
  await a.query('rollback to s');
  await a.query(`insert into ${t} (issued_on) values ('2026-08-01')`);
  await a.query('commit');
  await expectExact(database);
  expect(await a.rows(`select id, number, document_number from ${t} where id <= 6 order by id`)).toEqual(
    before,
  );
});

describe.each(['', ', document_number_column => $$document_number$$'])(
  'a row from before attach that has no number%s',
  (documents) => {
    const makeOld = async (t: string): Promise<void> =>
      database.execute(`
      select seqctl.create_series('${t}', format => 'P-{number:4}', reset => 'never');
      create table ${t} (id bigint generated always as identity, region text not null, note text, number bigint, document_number text,
          primary key (id, region)) partition by list (region);
      create table ${t}_a partition of ${t} for values in ('a');
      create table ${t}_b partition of ${t} for values in ('b');
      create table ${t}_c partition of ${t} for values in ('c', 'd') partition by list (region);
      create table ${t}_c1 partition of ${t}_c for values in ('c');
      insert into ${t} (region, note) values ('a', 'old 1'), ('a', 'old 2'), ('b', 'old 3'), ('c', 'old 4'), ('a', 'old 5');
      select seqctl.attach('${t}', '${t}', group_columns => '{}'${documents});
      create table ${t}_late partition of ${t} for values in ('late')`);
    const suffix = documents === '' ? 'plain' : 'documented';

    test('is numbered when it moves to another partition', async () => {
      const t = `moved_old_${suffix}`;
      await makeOld(t);
      const a = await database.session('A');
      await a.query('begin');
      await a.query(`insert into ${t} (region) values ('a'), ('b')`);
      await a.query(`update ${t} set note = note || '!' where number is null`);
      await a.query(
        `update ${t} set region = case note when 'old 1!' then 'b' when 'old 4!' then 'late' else region end`,
      );
      await a.query(`insert into ${t} (region) values ('a'), ('late'), ('c')`);
      await a.query('savepoint s');
      await a.query(`update ${t} set region = 'c' where note = 'old 2!'`);
      await a.query('rollback to s');
      await a.query(`insert into ${t} (region) values ('b')`);
      await a.query('commit');
      await a.query(`insert into ${t} (region) values ('b')`);
      // Brings the next number itself.
      await a.query(`update ${t} set region = 'b', number = 10 where note = 'old 2!'`);
      await expect(
        a.query(`update ${t} set region = 'a', number = 12 where note = 'old 3!'`),
      ).rejects.toMatchObject({
        code: 'SQ012',
      });
      await a.query(`delete from ${t} where number is null`);
      await a.query(`insert into ${t} (region) values ('a')`);
      await expectExact(database);
      expect(await a.rows(`select count(*)::int as rows, max(number) as highest from ${t}`)).toEqual([
        { rows: 11, highest: '11' },
      ]);
    });

    test('whatever other triggers and settings are in between', async () => {
      const t = `moved_amid_${suffix}`;
      await makeOld(t);
      await database.execute(`
      create function ${t}() returns trigger language plpgsql as $$begin
          update ${t} set note = note where note = 'old 3';
          if tg_op = 'DELETE' then
              return old;
          end if;
          return new;
      end $$;
      create trigger bi before insert or delete on ${t} for each row execute function ${t}();
      update ${t} set region = 'b' where note = 'old 1';
      insert into ${t} (region) values ('a'), ('b');
      begin;
      set local track_counts = off;
      update ${t} set region = 'b' where note = 'old 2';
      insert into ${t} (region) values ('a');
      commit;
      insert into ${t} (region) values ('a');
      drop trigger bi on ${t};
      delete from ${t} where number is null`);
      await expectExact(database);
      expect(await database.rows(`select max(number) as highest from ${t}`)).toEqual([{ highest: '6' }]);
    });
  },
);

test('a row moved and a row inserted by one statement', async () => {
  const t = await makeInvoices(database, 'moved_cte', {
    suffix: 'partition by range (issued_on)',
    beforeAttach: `
      create table moved_cte_h1 partition of moved_cte for values from ('2026-01-01') to ('2026-07-01');
      create table moved_cte_h2 partition of moved_cte default`,
  });
  const a = await database.session('A');
  await a.query(`insert into ${t} (note) select n from generate_series(1, 4) n`);
  await a.query(`with u as (update ${t} set issued_on = '2026-08-08' where number in (1, 3) returning *)
    insert into ${t} (issued_on) select issued_on from u union all select '2026-01-01'`);
  await expectExact(database);
});

test('a forged move of a row gives no wrong number and no wrong document number', async () => {
  const t = await makeInvoices(database, 'forged_move', {
    series: `reset => 'never', format => 'F-{number}', max_number => 4`,
    suffix: 'partition by list (company)',
    groupColumns: '{}',
    beforeAttach: `create table forged_move_a partition of forged_move for values in ('acme');
      create table forged_move_b partition of forged_move default`,
  });
  const a = await database.session('A');
  await a.query(`insert into ${t} (company) values ('acme'), ('b'), ('acme')`);
  const id = await a.value<number>(`select id from seqctl.attachment where target = '${t}'::regclass`);
  await database.execute(`create table forged_move_late partition of ${t} for values in ('late')`);
  for (const company of ['acme', 'b', 'late']) {
    for (const number of [0, 1, 3, 4, 5, 99]) {
      await a.query('begin');
      await a.query(`select set_config('seqctl.moving_' || $1::int, $2::int::text, true)`, [id, number]);
      await a
        .query(`insert into ${t} (company, number, document_number) values ($1, $2, 'forged')`, [
          company,
          number,
        ])
        .catch(() => undefined);
      await a.query('commit');
      await expectExact(database);
    }
  }
  await a.query(`insert into ${t} (company) values ('acme')`);
  await expect(a.query(`insert into ${t} (company) values ('acme')`)).rejects.toMatchObject({
    code: 'SQ014',
  });
  await expectExact(database);
});

test('a partition that was detached or dropped', async () => {
  const t = await makeInvoices(database, 'shrinking', {
    suffix: 'partition by list (company)',
    beforeAttach: `create table shrinking_a partition of shrinking for values in ('acme');
      create table shrinking_b partition of shrinking for values in ('b');
      create table shrinking_c partition of shrinking for values in ('c')`,
  });
  await database.execute(`create table shrinking_d partition of ${t} for values in ('d')`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (company) values ('acme'), ('c'), ('acme')`);
  await a.query(`alter table ${t} detach partition shrinking_b`);
  await a.query(`alter table ${t} detach partition shrinking_d`);
  await a.query(`drop table shrinking_c`);
  await a.query(`insert into ${t} (company) values ('acme'), ('acme')`);
  // On its own it is a table like any other: no number, and no counter moves.
  const counters = await a.rows(`select * from seqctl.counter order by 1, 2, 3`);
  await a.query(
    `insert into shrinking_b (id, company, issued_on, number) values (1, 'b', '2026-01-01', 1), (2, 'acme', '2026-01-01', 5)`,
  );
  await a.query(`insert into shrinking_b (id, company, issued_on) values (3, 'b', '2026-01-01')`);
  await a.query(`insert into shrinking_d (id, company, issued_on) values (3, 'd', '2026-01-01')`);
  expect(await a.rows(`select * from seqctl.counter order by 1, 2, 3`)).toEqual(counters);
  // Its counter is that of a dropped table now.
  expect(await a.rows(`select company, number::int from ${t} order by number`)).toEqual(
    [1, 2, 3, 4].map((number) => ({ company: 'acme', number })),
  );
  await a.query(`select seqctl.detach('${t}', 'number')`);
  expect(
    await a.rows(
      `select tgname, tgrelid::regclass from pg_trigger where tgname like 'zz_seqctl%' and tgrelid::regclass::text like 'shrinking%'`,
    ),
  ).toEqual([]);
  await a.query(`insert into ${t} (company) values ('acme')`);
  await a.query(`drop table ${t} cascade`);
});

test('a partitioned table in a shared series, with triggers that insert more', async () => {
  const t = await makeInvoices(database, 'shared_parts', {
    suffix: 'partition by list (company)',
    beforeAttach: `create table shared_parts_a partition of shared_parts for values in ('acme');
      create table shared_parts_b partition of shared_parts default`,
  });
  const other = await makeInvoices(database, 'shared_plain', { sharedSeries: t });
  await database.execute(`
    create table shared_parts_late partition of ${t} for values in ('late');
    create function shared_parts_more() returns trigger language plpgsql as $$
    begin
      if new.note::int > 0 then
        insert into ${t} (company, note) values (new.company, new.note::int - 1);
        insert into ${other} (company) values (new.company), ('acme');
      end if;
      return new;
    end $$;
    create trigger more after insert on ${t} for each row execute function shared_parts_more()`);
  const a = await database.session('A');
  for (const company of ['acme', 'c', 'late']) {
    await a.query(`insert into ${t} (company, note) values ($1, 2)`, [company]);
    await expectExact(database);
    await a.query(`insert into ${t} (company, note) values ($1, 1), ('c', 1), ($1, 0), ('late', 2)`, [
      company,
    ]);
    await expectExact(database);
  }
  await a.query(
    `insert into shared_parts_late (company, note) select 'late', n % 3 from generate_series(1, 9) n`,
  );
  await expectExact(database);
});

test('a child that becomes a partition later', async () => {
  const t = await makeInvoices(database, 'growing', {
    suffix: 'partition by list (company)',
    beforeAttach: `create table growing_a partition of growing for values in ('acme')`,
  });
  await database.execute(`
    create table growing_b (like ${t} including defaults);
    alter table ${t} attach partition growing_b for values in ('b')`);
  const a = await database.session('A');
  await a.query(`insert into ${t} (company) values ('b'), ('acme'), ('b')`);
  await a.query(`insert into growing_b (company) values ('b'), ('b')`);
  await a.query(`insert into ${t} (company) values ('b')`);
  await expectExact(database);
});
