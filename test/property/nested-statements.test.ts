/**
 * Random statements on several tables and counters of one series, whose triggers insert more: whatever is settled first, nothing is
 * refused, doubled or missing. SEQCTL_PROPERTY_RUNS, _SEED and _PATH as in programs.test.ts.
 */
import fc from 'fast-check';
import { test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact } from '../support/numbering.js';

const database = useDatabase();

const runs = Number(process.env['SEQCTL_PROPERTY_RUNS'] ?? 150);
const seed = Number(process.env['SEQCTL_PROPERTY_SEED'] ?? Date.now() % 1_000_000_000);
const path = process.env['SEQCTL_PROPERTY_PATH'];

const tables = fc.constantFrom('nest_a', 'nest_b', 'nest_c');
const groups = fc.array(fc.constantFrom('g0', 'g1'), { minLength: 1, maxLength: 2 });

/** What the row's trigger inserts, and whether as one statement; null: nothing. */
const more = fc.option(
  fc.record({
    when: fc.constantFrom('BEFORE', 'AFTER', 'AFTER'),
    table: tables,
    groups,
    asOne: fc.boolean(),
  }),
);
const row = fc.record({ group: fc.constantFrom('g0', 'g1'), more });
const insert = fc
  .record({ table: tables, rows: fc.array(row, { minLength: 1, maxLength: 3 }) })
  .map(
    ({ table, rows }) =>
      `insert into ${table} (company, more) values ` +
      rows
        .map((one) => `('${one.group}', ${one.more === null ? 'null' : `'${JSON.stringify(one.more)}'`})`)
        .join(', '),
  );

/** The order in which a CTE is asked for its rows decides which table's rows are settled first. */
const statement = fc
  .record({ inserts: fc.array(insert, { minLength: 1, maxLength: 3 }), isJoined: fc.boolean() })
  .map(({ inserts, isJoined }) => {
    const names = inserts.map((_, n) => `q${n}`);
    const ctes = inserts.map((text, n) => `q${n} as (${text} returning id)`);
    return `with ${ctes.join(', ')} select from ${isJoined ? names.join(', ') : 'q0'}`;
  });

test(`statements on several tables, whose triggers insert more, ${runs} transactions`, async () => {
  console.log(`SEQCTL_PROPERTY_SEED=${seed}`);
  await database.execute(`
    select seqctl.create_series('nest', reset => 'never', format => '{group}-{number}');
    create table nest_a (id bigserial, company text, more jsonb, number bigint);
    create table nest_b (like nest_a including all);
    create table nest_c (like nest_a including all);
    select seqctl.attach(t, 'nest', group_columns => '{company}') from unnest('{nest_a,nest_b,nest_c}'::regclass[]) t;
    create function nest() returns trigger language plpgsql as $$
      declare
        one text;
      begin
        if new.more ->> 'when' = tg_when and (new.more ->> 'asOne')::boolean then
          execute format('insert into %I (company) select jsonb_array_elements_text($1)', new.more ->> 'table') using new.more -> 'groups';
        elsif new.more ->> 'when' = tg_when then
          for one in select jsonb_array_elements_text(new.more -> 'groups') loop
            execute format('insert into %I (company) values ($1)', new.more ->> 'table') using one;
          end loop;
        end if;
        return new;
      end $$;
    do $$ declare t text; begin
      foreach t in array '{nest_a,nest_b,nest_c}'::text[] loop
        execute format('create trigger before before insert on %I for each row execute function nest()', t);
        execute format('create trigger after after insert on %I for each row execute function nest()', t);
      end loop;
    end $$`);
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 8 }), async (statements) => {
      await database.execute(`begin; ${statements.join('; ')}; commit`);
      await expectExact(database);
    }),
    { seed, numRuns: runs, ...(path === undefined ? {} : { path }), endOnFailure: true },
  );
}, 120_000);
