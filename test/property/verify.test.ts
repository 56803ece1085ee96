/**
 * What verify says of tables that were tampered with at random, compared with a model in memory. SEQCTL_PROPERTY_RUNS, _SEED and _PATH
 * as in programs.test.ts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readSources } from '../../cli/verify/sources.js';
import { withClient } from '../support/connect.js';
import { useDatabase } from '../support/database.js';
import { untriggered, verifyUrl } from '../support/verify.js';

const database = useDatabase();

const runs = Number(process.env['SEQCTL_PROPERTY_RUNS'] ?? 15);
const seed = Number(process.env['SEQCTL_PROPERTY_SEED'] ?? Date.now() % 1_000_000_000);
const path = process.env['SEQCTL_PROPERTY_PATH'];
const parameters = { seed, numRuns: runs, ...(path === undefined ? {} : { path }), endOnFailure: false };

const countries = ['Germany', 'Norway', 'USA'] as const;
const rowsOfCounter = 40;

/** Of one counter: the numbers that are deleted, and those that other rows are given. */
const damage = fc.record({
  country: fc.constantFrom(...countries),
  year: fc.integer({ min: 2021, max: 2023 }),
  holes: fc.array(fc.integer({ min: 1, max: rowsOfCounter }), { maxLength: 8 }),
  doubled: fc.array(fc.integer({ min: 1, max: rowsOfCounter }), { maxLength: 4 }),
});

test(
  `holes and duplicates punched into invoices per country and year, ${runs} times: each is found, none is invented`,
  async () => {
    console.log(`SEQCTL_PROPERTY_SEED=${seed}`);
    await database.execute(`
      select seqctl.create_series('chinook', format => '{group}-{year}-{number:3}');
      create table chinook (id bigserial, country text, dated timestamp, number bigint, doc text);
      select seqctl.attach('chinook', 'chinook', date_column => 'dated', group_columns => '{country}', document_number_column => 'doc');
      insert into chinook (country, dated)
      select c, make_timestamp(y, 1 + n / 4, 1 + n % 28, 0, 0, 0)
      from generate_series(1, ${rowsOfCounter}) n, generate_series(2021, 2023) y, unnest('{${countries.join(',')}}'::text[]) c;
      create table whole as select * from chinook;
      alter table chinook disable trigger user;
      drop index chinook_number_seqctl_key;`);
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { maxLength: 5 }), async (damages) => {
        await database.execute('truncate chinook; insert into chinook select * from whole');
        const expected = new Set<string>();
        const done = new Set<string>();
        for (const { country, year, holes, doubled } of damages) {
          const counter = `${country} ${year}`;
          if (done.has(counter)) continue;
          done.add(counter);
          const missing = new Set(holes);
          const twice = [...new Set(doubled)].filter((number) => !missing.has(number));
          await database.rows(
            `insert into chinook (country, dated, number, doc)
             select country, dated, number, doc from whole where country = $1 and extract(year from dated) = $2 and number = any ($3)`,
            [country, year, twice],
          );
          await database.rows(
            'delete from chinook where country = $1 and extract(year from dated) = $2 and number = any ($3)',
            [country, year, [...missing]],
          );
          for (const number of twice) expected.add(`twice ${counter} ${number}-${number}`);
          for (const range of rangesOf(missing)) expected.add(`missing ${counter} ${range}`);
        }
        const { findings } = await verifyUrl(database.url, 'chinook');
        const found = findings
          .filter(({ area }) => area === 'numbers')
          .map(({ kind, counter }) => {
            const what = kind === 'duplicate_numbers' ? 'twice' : 'missing';
            return `${what} ${counter?.group ?? ''} ${counter?.period ?? ''} ${counter?.from ?? ''}-${counter?.to ?? ''}`;
          });
        expect(found.sort()).toEqual([...expected].sort());
      }),
      parameters,
    );
    await database.execute(`select seqctl.detach('chinook', 'number')`);
  },
  60_000 + runs * 2000,
);

/** '3-5', '9-9' of 3, 4, 5 and 9. */
function rangesOf(numbers: ReadonlySet<number>): string[] {
  return [...numbers]
    .filter((number) => !numbers.has(number - 1))
    .map((first) => {
      let last = first;
      while (numbers.has(last + 1)) last += 1;
      return `${first}-${last}`;
    });
}

const token = fc.oneof(
  fc.constantFrom(
    '{year}',
    '{year:2}',
    '{fiscal_year}',
    '{quarter}',
    '{month}',
    '{day}',
    '{group}',
    '{{',
    '}}',
  ),
  fc.constantFrom('{random:1}', '{random:3}'),
  fc.constantFrom('INV', '-', '/', '%', '_', '\\', `'`, '0', ' ', 'Ä€', '$1'),
);
const numberToken = fc.oneof(
  fc.constant('{number}'),
  fc.integer({ min: 1, max: 18 }).map((width) => `{number:${width}}`),
);
const format = fc
  .tuple(
    fc.array(token, { maxLength: 4 }),
    numberToken,
    fc.array(fc.oneof(token, numberToken), { maxLength: 3 }),
  )
  .map(([head, number, tail]) => [...head, number, ...tail].join(''));

const group = fc.constantFrom('acme', '7', '', 'a_%\\', '{year}', 'Ä ');
const day = fc.constantFrom(
  '2026-03-09',
  '2025-12-31',
  '2024-02-29',
  '1950-07-01',
  '2026-04-01',
  '9999-12-31',
);
const change = fc.record({
  kind: fc.constantFrom(
    'replace' as const,
    'insert' as const,
    'remove' as const,
    'none' as const,
    'null' as const,
  ),
  at: fc.nat({ max: 30 }),
  by: fc.constantFrom('0', '1', '9', '-', '_', '%', '\\', ' ', 'a', 'A', 'F', '!', '€', '\u0001'),
});
const document = fc.record({ group, day, number: fc.integer({ min: 0, max: 12_000 }), change });

test(
  `document numbers of random formats, changed at random, ${runs} times: exactly those unlike the format are odd`,
  async () => {
    console.log(`SEQCTL_PROPERTY_SEED=${seed}`);
    await database.execute(`create table doc (id int, g text, d date, number bigint, doc text)`);
    await fc.assert(
      fc.asyncProperty(format, fc.array(document, { minLength: 1, maxLength: 12 }), async (text, rows) => {
        await database.rows(
          `select seqctl.create_series('doc', format => $1, reset => 'yearly', fiscal_year_start => '04-01')`,
          [text],
        );
        await database.execute(`
          ${untriggered('delete from seqctl.counter')}
          insert into seqctl.counter (series_id, group_key, period, last_number) select id, '', '2024-04-01', 1 from seqctl.series where name = 'doc';
          insert into seqctl.counter (series_id, group_key, period, last_number) select id, '', '2026-04-01', 1 from seqctl.series where name = 'doc';
          truncate doc;
          select seqctl.attach('doc', 'doc', date_column => 'd', group_columns => '{g}', document_number_column => 'doc')`);
        try {
          await withClient(database.url, async (client) => {
            await client.query('set session_replication_role = replica');
            const expected: number[] = [];
            for (const [id, row] of rows.entries()) {
              const made = await client.query<{ doc: string; free: string }>(
                `select seqctl._document_number(s, $1, $2, $3) as doc from seqctl.series s where s.name = 'doc'`,
                [row.number, row.day, row.group],
              );
              const right = made.rows[0]?.doc ?? '';
              const changed = tamper(right, row.change);
              await client.query('insert into doc values ($1, $2, $3, $4, $5)', [
                id,
                row.group,
                row.day,
                row.number,
                changed,
              ]);
              if (changed === null || !patternOf(text, right, row).test(changed)) expected.push(id);
            }
            const [series] = (
              await client.query<{ id: number }>(`select id from seqctl.series where name = 'doc'`)
            ).rows;
            await client.query('set search_path = pg_catalog');
            const [source] = await readSources(client, series?.id ?? 0, { documents: true });
            const { rows: odd } = await client.query<{ id: number }>(
              `select i.id ${source?.from ?? ''} and (${source?.isOdd ?? ''}) order by 1`,
            );
            expect(
              odd.map(({ id }) => id),
              text,
            ).toEqual(expected);
          });
        } finally {
          await database.execute(`
            ${untriggered('truncate doc; delete from seqctl.counter')}
            select seqctl.detach('doc', 'number'); select seqctl.drop_series('doc')`);
        }
      }),
      parameters,
    );
  },
  60_000 + runs * 2000,
);

function tamper(text: string, { kind, at, by }: { kind: string; at: number; by: string }): string | null {
  const characters = Array.from(text);
  if (kind === 'null') return null;
  if (kind === 'replace' && at < characters.length) characters[at] = by;
  if (kind === 'insert') characters.splice(at, 0, by);
  if (kind === 'remove') characters.splice(at, 1);
  return characters.join('');
}

/** What the format allows in the place of a text that it made: random characters can be any. */
function patternOf(
  text: string,
  made: string,
  { group: key, number }: { readonly group: string; readonly number: number },
): RegExp {
  const lengths: Record<string, number> = {
    '{{': 1,
    '}}': 1,
    '{year}': 4,
    '{year:2}': 2,
    '{fiscal_year}': 4,
  };
  Object.assign(lengths, { '{quarter}': 1, '{month}': 2, '{day}': 2, '{group}': Array.from(key).length });
  const free = new Set<number>();
  let at = 0;
  for (const [token] of text.matchAll(/\{\{|\}\}|\{[^{}]*\}|[^{}]/gu)) {
    const [, field, width] = /^\{(number|random):?(\d*)\}$/.exec(token) ?? [];
    const length =
      field === 'random'
        ? Number(width)
        : field === 'number'
          ? Math.max(Number(width), String(number).length)
          : (lengths[token] ?? 1);
    for (let index = 0; index < length && field === 'random'; index += 1) free.add(at + index);
    at += length;
  }
  expect(at).toBe(Array.from(made).length);
  const pattern = Array.from(made).map((character, index) =>
    free.has(index) ? '[^]' : character.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'),
  );
  return new RegExp(`^${pattern.join('')}$`, 'u');
}
