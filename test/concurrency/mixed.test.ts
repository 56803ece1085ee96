import { expect, test } from 'vitest';

import { runClients, type Work } from '../support/clients.js';
import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

/** One series for tables of every mode, with triggers that write to each other, at every isolation level. */
async function makeTables(n: number): Promise<Record<string, string>> {
  const commit = await makeDocuments(database, `commit_${n}`, { assign: 'commit', issueWhen: null });
  const sharedSeries = commit;
  const drafts = await makeDocuments(database, `drafts_${n}`, { assign: 'commit', sharedSeries });
  const now = await makeDocuments(database, `now_${n}`, { sharedSeries });
  const manual = await makeDocuments(database, `manual_${n}`, { assign: 'manual', sharedSeries });
  const parts = await makeDocuments(database, `parts_${n}`, {
    assign: 'commit',
    issueWhen: null,
    sharedSeries,
    suffix: 'partition by list (company)',
    key: 'id, company',
    beforeAttach: `create table parts_${n}_a partition of parts_${n} for values in ('c0', 'c1');
      create table parts_${n}_b partition of parts_${n} for values in ('c2')`,
  });
  // Two numbers a row: one at once, one at commit.
  const twice = await makeDocuments(database, `twice_${n}`, {
    assign: 'commit',
    issueWhen: null,
    sharedSeries,
    columns: ', second bigint',
  });
  await database.execute(`
    create table parts_${n}_late partition of parts_${n} default;
    select seqctl.create_series('second_${n}', reset => 'never');
    select seqctl.attach('${twice}', 'second_${n}', number_column => 'second', group_columns => '{company}');
    create function nest_${n}() returns trigger language plpgsql as $$
    begin
      if new.note = 'nest' then
        insert into ${commit} (company, note) values (new.company, 'inner'), ('c3', 'inner');
        insert into ${now} (company, status) values (new.company, 'issued');
      elsif new.note = 'drop' then
        return null;
      end if;
      return new;
    end $$;
    create trigger a_nest before insert on ${commit} for each row execute function nest_${n}();
    create trigger a_nest before insert on ${drafts} for each row execute function nest_${n}();
    create trigger a_nest before insert on ${twice} for each row execute function nest_${n}();
    create function at_commit_${n}() returns trigger language plpgsql as $$
    begin
      if new.note = 'defer' then
        insert into ${commit} (company) values (new.company);
        update ${drafts} set status = 'issued' where id = (
          select id from ${drafts} where number is null and status = 'draft' order by id for update skip locked limit 1);
      end if;
      return null;
    end $$;
    create constraint trigger at_commit after insert on ${drafts} deferrable initially deferred
      for each row execute function at_commit_${n}();
    create function issued_${n}() returns trigger language plpgsql as $$
    begin
      insert into ${parts} (company) values (new.company);
      return null;
    end $$;
    create trigger a_issued after update on ${now} for each row when (old.number is null and new.number is not null)
      execute function issued_${n}();`);
  return { commit, drafts, now, manual, parts, twice };
}

async function step({ random, query }: Work, t: Record<string, string>): Promise<void> {
  const names = ['commit', 'drafts', 'now', 'manual', 'parts', 'twice'];
  const name = names[random(names.length)] ?? 'commit';
  const table = t[name] ?? '';
  const company = `c${random(4)}`;
  const note = ['nest', 'drop', 'defer', 'x'][random(4)];
  const status = random(2) === 0 ? 'issued' : 'draft';
  const mine = `number is null and id in (select id from ${table} where number is null order by id desc for update skip locked limit ${1 + random(3)})`;
  switch (random(11)) {
    case 0:
    case 1:
      await query(
        `insert into ${table} (company, status, note) values ('${company}', '${status}', '${note}')`,
      );
      break;
    case 2:
      await query(
        `insert into ${table} (company, status, issued_on) select 'c' || n % 4, case n % 3 when 0 then 'draft' else 'issued' end, '${2025 + random(2)}-01-01' from generate_series(${random(5)}, ${random(12)}) n`,
      );
      break;
    case 3:
      await query(`update ${table} set company = '${company}', status = '${status}' where ${mine}`);
      break;
    case 4:
      await query(`delete from ${table} where ${mine}`);
      break;
    case 5:
      await query(
        `with gone as (delete from ${table} where ${mine} returning id) insert into ${table} (id, company, status) select id, '${company}', 'issued' from gone where false`,
      );
      break;
    case 6:
      await query(`update ${table} set id = id + 1000000 where id < 1000000 and ${mine}`);
      break;
    case 7:
      if (name !== 'parts') {
        await query(
          `insert into ${table} (external, company, status) select 'e' || n, '${company}', 'draft' from generate_series(${random(20)}, ${random(30)}) n
           on conflict (external) do update set status = 'issued', note = 'again' where ${table}.number is null`,
        );
      }
      break;
    case 8:
      // What is pending gets its number; at once only between statements (see waiting-rows.test.ts).
      await query('set constraints all immediate');
      await query('set constraints all deferred');
      break;
    case 9:
      await query(`select seqctl.number_pending('${table}', max_rows => ${1 + random(20)})`);
      break;
    default:
      await query(
        `merge into ${table} m using (select id from ${table} where ${mine}) s on m.id = s.id
         when matched and m.id % 3 = 0 then delete when matched then update set status = 'issued', note = '${note}'`,
      );
  }
}

let prepared = 0;

test.each([
  [16, 40],
  [64, 8],
])('%i clients: tables of every mode in one series, triggers between them', async (clients, transactions) => {
  const t = await makeTables(clients);
  const errors = await runClients(
    database,
    clients,
    transactions,
    ['22012', '40001', '40P01', '23505', 'SQ022'],
    async (work) => {
      const { random, query, session } = work;
      await query(
        `begin isolation level ${['read committed', 'read committed', 'repeatable read', 'serializable'][random(4)]}`,
      );
      for (let k = 1 + random(6); k > 0; k -= 1) {
        if (random(3) === 0) {
          await query('savepoint s');
          await step(work, t);
          if (random(2) === 0) await query('rollback to s');
        } else {
          await step(work, t);
        }
      }
      switch (random(10)) {
        case 0:
          if (random(2) === 0) await session.kill();
          await query('select pg_terminate_backend(pg_backend_pid())');
          break;
        case 1:
          await query('select 1 / 0');
          break;
        case 2:
          await query('rollback');
          break;
        case 3: {
          prepared += 1;
          const id = `${database.name}_${prepared}`;
          await query(`prepare transaction '${id}'`);
          await query(`${random(3) === 0 ? 'rollback' : 'commit'} prepared '${id}'`);
          break;
        }
        default:
          await query('commit');
      }
    },
  );
  expect(errors.get('57P01') ?? errors.get('terminated') ?? 0).toBeGreaterThan(0);
  // By chance nobody may have numbered it and committed.
  await database.execute(`select seqctl.number_pending('${t.manual}')`);
  await expectExact(database);
  expect(await database.rows('select from seqctl.pending')).toEqual([]);
  for (const table of Object.values(t)) {
    expect(await database.rows(`select count(number) > 0 as used from ${table}`)).toEqual([{ used: true }]);
  }
});
