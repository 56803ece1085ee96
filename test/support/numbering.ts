import type { Client } from 'pg';
import { expect } from 'vitest';

import { withClient } from './connect.js';
import type { TestDatabase } from './database.js';

/** What a test table is made of; everything has a default. */
export interface InvoiceOptions {
  /** Arguments of create_series, as SQL: `reset => 'never', format => …`. */
  readonly series?: string;
  /** Name of an existing series to share, instead of one with the table's name. */
  readonly sharedSeries?: string;
  /** What stands after the column list: `partition by range (issued_on)`. */
  readonly suffix?: string;
  readonly groupColumns?: string;
  /** SQL that runs between CREATE TABLE and attach, such as partitions. */
  readonly beforeAttach?: string;
  readonly external?: string;
  /** false: issued rows may be deleted and changed. */
  readonly protect?: boolean;
}

/** One row of a test table, as RETURNING gives it. */
export interface Invoice {
  id: string;
  company: string;
  number: string;
  document_number: string;
  [column: string]: unknown;
}

/**
 * Makes an attached table `name` (id, company, issued_on, external unique, note, number, document_number), numbered per company
 * and year from a series of its own.
 */
export async function makeInvoices(
  database: TestDatabase,
  name: string,
  options: InvoiceOptions = {},
): Promise<string> {
  const series = options.series ?? `format => '{group}-{year}-{number:3}'`;
  if (options.sharedSeries === undefined) {
    await database.rows(`select seqctl.create_series('${name}', ${series})`);
  }
  await database.execute(`
    create table ${name} (
      id bigserial,
      company text not null default 'acme',
      issued_on date not null default '2026-03-09',
      external text ${options.external ?? (options.suffix === undefined ? 'unique' : '')},
      note text,
      number bigint,
      document_number text
    ) ${options.suffix ?? ''};
    ${options.beforeAttach ?? ''}`);
  await database.rows(
    `select seqctl.attach('${name}', '${options.sharedSeries ?? name}', date_column => 'issued_on',
       group_columns => '${options.groupColumns ?? '{company}'}', document_number_column => 'document_number'
       ${options.protect === false ? ', protect => false' : ''})`,
  );
  return name;
}

/** '1 2 3' of each company and year, in the order the rows were stored: `{ 'acme 2026': '1 2 3' }`. */
export async function numbersOf(database: TestDatabase, table: string): Promise<Record<string, string>> {
  const rows = await database.rows<{ key: string; numbers: string }>(
    `select company || to_char(issued_on, ' YYYY') as key, string_agg(number::text, ' ' order by id) as numbers
     from ${table} group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map((row) => [row.key, row.numbers]));
}

interface AttachmentRow extends Record<string, unknown> {
  series: string;
  first_number: string;
  rows_sql: string;
}

/**
 * The promise: per (series, group, period) the numbers in the attached tables, with those in table `taken` if there is one
 * (numbers that the application wrote itself), are first … last, each once; the counter says so; document numbers are right;
 * no row that is due has no number; where the chronology is kept, no later number has an earlier date.
 */
export async function expectExact(database: TestDatabase): Promise<void> {
  await withClient(database.url, expectExactOn);
}

/** The same on a connection that is there already. */
export async function expectExactOn(client: Client): Promise<void> {
  // Numbers that application code took with next_number() or allocate(): it notes them in this table.
  const hasTaken =
    (await client.query(`select from pg_class where oid = to_regclass('taken')`)).rowCount === 1;
  const { rows: attachments } = await client.query<AttachmentRow>(`
      select s.name as series, s.first_number,
        format(
          'select %s as group_key, %s as period, i.%I::int8 as number, %s as is_right, %s as dated from %s i where %s',
          seqctl._group_expression('i.', a.target, a.group_columns),
          seqctl._period_expression(s.reset, s.fiscal_year_start, x.date),
          a.number_column,
          case when a.document_number_column is null then 'true'
            else format(
              'coalesce(i.%I = %s, false)', a.document_number_column,
              seqctl._document_number_expression(
                s.format, s.fiscal_year_start, format('i.%I', a.number_column), x.date,
                seqctl._group_expression('i.', a.target, a.group_columns)
              )
            )
          end,
          case when a.chronology = 'off' then 'null::timestamp' else x.moment end,
          a.target,
          -- A row without a number is a draft, or one that was forgotten.
          format('(i.%I is not null or %s)', a.number_column, case when a.assign = 'manual' then 'false' else coalesce(a.issue_when, 'true') end)
        ) as rows_sql
      from seqctl.attachment a
      join seqctl.series s on s.id = a.series_id
      cross join lateral (
        select coalesce(
          (
            select seqctl._date_expression(format('i.%I', a.date_column), seqctl._base_type(t.atttypid), s.time_zone)
            from pg_attribute t where t.attrelid = a.target and t.attname = a.date_column
          ),
          'null::date'
        ) as date,
        (
          select format(case when seqctl._base_type(t.atttypid) = 'timestamptz'::regtype then 'timezone(''UTC'', i.%I)' else 'i.%I::timestamp' end, a.date_column)
          from pg_attribute t where t.attrelid = a.target and t.attname = a.date_column
        ) as moment
      ) x
      where exists (select from pg_class c where c.oid = a.target)
      order by a.id`);

  const bySeries = new Map<string, AttachmentRow[]>();
  for (const attachment of attachments) {
    bySeries.set(attachment.series, [...(bySeries.get(attachment.series) ?? []), attachment]);
  }
  for (const [series, parts] of bySeries) {
    const union = parts.map((part) => part.rows_sql);
    if (hasTaken) {
      union.push(
        `select t.group_key, t.period, t.number, true, null::timestamp from taken t where t.series = '${series.replaceAll("'", "''")}'`,
      );
    }
    const { rows: odd } = await client.query(
      `with numbered as (
          select n.*, max(n.dated) over (
            partition by n.group_key, n.period order by n.number rows between unbounded preceding and 1 preceding
          ) > n.dated as is_inverted
          from (${union.join(' union all ')}) n
        ),
        landed as (
          select n.group_key, n.period, count(*) as row_count, count(distinct n.number) as distinct_count,
            min(n.number) as low, max(n.number) as high, count(*) filter (where not n.is_right) as wrong_documents,
            count(*) filter (where n.is_inverted) as inversions
          from numbered n
          group by 1, 2
        ),
        counter as (
          select c.group_key, c.period, c.last_number
          from seqctl.counter c join seqctl.series s on s.id = c.series_id
          where s.name = $1
        )
        select $1 as series, *
        from landed l
        full join counter c using (group_key, period)
        where case
          when l.low is null then coalesce(l.row_count, 0) > 0 or c.last_number <> $2::int8 - 1
          else (l.low = $2::int8 and l.high = c.last_number and l.row_count = l.distinct_count
            and l.row_count = l.high - l.low + 1 and l.wrong_documents = 0 and l.inversions = 0) is not true
        end`,
      [series, parts[0]?.first_number ?? '1'],
    );
    expect(odd, `counters of series ${series} that are not exact`).toEqual([]);
  }
}

/**
 * Checkouts leave numbers without a row: per counter, each number from 1 to the last is in exactly one row of the table, or was
 * finalized and waits for its row, or was checked out or released under on_checkout recycle and is not given yet; and the counter is
 * stopped exactly when it has to be.
 */
export async function expectAccounted(database: TestDatabase, table: string, series = table): Promise<void> {
  const odd = await database.rows(
    `with counter as (
       select c.*, s.on_checkout from seqctl.counter c join seqctl.series s on s.id = c.series_id where s.name = $1
     ),
     wrong as (
       select c.group_key, n as number,
         (select count(*) from ${table} i
          where i.company = c.group_key and date_trunc('year', i.issued_on)::date = c.period and i.number = n) as rows,
         (select string_agg(k.state || case when k.stops then ' stops' when k.awaited then ' awaited' else '' end, ', ') from seqctl.checkout k
          where k.series_id = c.series_id and k.group_key = c.group_key and k.period = c.period and k.number = n
            and (k.state <> 'released' or k.stops)) as checkout
       from counter c, generate_series(1, c.last_number) n
     )
     select w.group_key, w.number::text, w.rows::text, w.checkout from wrong w
     where not (w.rows = 1 and coalesce(w.checkout, 'finalized') = 'finalized' or w.rows = 0 and w.checkout <> 'finalized')
     union all
     select i.company, i.number::text, 'above the counter', null from ${table} i
     join counter c on c.group_key = i.company and c.period = date_trunc('year', i.issued_on)::date
     where i.number > c.last_number
     union all
     select c.group_key, c.last_number::text, 'stopped ' || c.stopped, null from counter c
     where c.stopped <> (c.closed or exists (
       select from seqctl.checkout k
       where k.series_id = c.series_id and k.group_key = c.group_key and k.period = c.period and k.stops))`,
    [series],
  );
  expect(odd, `numbers of series ${series} that are not accounted for`).toEqual([]);
}

/** RETURNING gave what is stored. */
export async function expectStored(
  database: TestDatabase,
  table: string,
  returned: Invoice[],
): Promise<void> {
  const stored = await database.rows<Invoice>(
    `select id, company, number, document_number from ${table} where id = any ($1::bigint[]) order by id`,
    [returned.map((row) => row.id)],
  );
  const sorted = returned
    .map(({ id, company, number, document_number }) => ({ id, company, number, document_number }))
    .sort((a, b) => Number(a.id) - Number(b.id));
  expect(stored).toEqual(sorted);
}
