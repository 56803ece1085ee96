import type { Lab } from './lab.js';

export interface Tables {
  /** Numbered by seqctl. */
  readonly seqctl: string;
  readonly rival: string;
}

/** How a rival's table gets its numbers. */
export type Rival = 'un-numbered' | 'usual trigger';

/** When seqctl gives the numbers. */
export type Assign = 'insert' | 'commit';

/**
 * Two tables with the same columns and the same indexes, the one that backs seqctl's numbers included: `<name>_seqctl`,
 * attached to a series per company and year, and `<name>_rival`. Un-numbered means that the statement gives the number.
 */
export async function createTables(
  lab: Lab,
  name: string,
  rival: Rival,
  assign: Assign = 'insert',
): Promise<Tables> {
  const tables = { seqctl: `${name}_seqctl`, rival: `${name}_rival` };
  await createNumberedTable(lab, tables.seqctl, assign);
  await lab.withClient(async (client) => {
    await client.query(`create table ${tables.rival} (like ${tables.seqctl} including all)`);
    if (rival === 'usual trigger') await client.query(usualTrigger(tables.rival));
  });
  return tables;
}

export async function createNumberedTable(
  lab: Lab,
  table: string,
  assign: Assign = 'insert',
  chain = false,
): Promise<void> {
  const series = `${lab.sandbox.name}_${table}`;
  await lab.withClient(async (client) => {
    await client.query(tableDefinition(table));
    await client.query(
      `select seqctl.create_series($1, format => '{year}-{number}', reset => 'yearly', chain => $2)`,
      [series, chain],
    );
    await client.query(
      `select seqctl.attach($1::regclass, series => $2, number_column => 'number', date_column => 'issued_on',
           group_columns => '{company}', assign => $3, chain_columns => $4)`,
      [table, series, assign, chain ? ['total'] : []],
    );
  });
}

export function tableDefinition(table: string): string {
  return `
    create table ${table} (
        id bigint generated always as identity primary key,
        company text not null,
        issued_on date not null,
        total numeric(12, 2) not null,
        number bigint
    )`;
}

/** Inserts one row for the company $1; the number of an un-numbered rival is $2. */
export function oneRowInsert(table: string, rival?: Rival): string {
  const [column, value] = rival === 'un-numbered' ? [', number', ', $2'] : ['', ''];
  return `insert into ${table} (company, issued_on, total${column}) values ($1, '2026-03-09', 100${value}) returning number`;
}

/** The parameters of a rival's `oneRowInsert`, row by row. */
export function rivalRows(rival: Rival): (company: string) => readonly string[] {
  let given = 0;
  return (company) => (rival === 'un-numbered' ? [company, String((given += 1))] : [company]);
}

/** What people write, and what every comparable package does: a counter row, updated before each row. */
export function usualTrigger(table: string): string {
  return `
    create table ${table}_counter (
        company text not null,
        year integer not null,
        last_number bigint not null,
        primary key (company, year)
    );
    create function ${table}_number() returns trigger language plpgsql as $$
    begin
        update ${table}_counter c
        set last_number = c.last_number + 1
        where c.company = new.company and c.year = extract(year from new.issued_on)
        returning c.last_number into new.number;
        if not found then
            insert into ${table}_counter as c (company, year, last_number)
            values (new.company, extract(year from new.issued_on), 1)
            on conflict (company, year) do update set last_number = c.last_number + 1
            returning c.last_number into new.number;
        end if;
        return new;
    end
    $$;
    create trigger number before insert on ${table} for each row execute function ${table}_number()`;
}

/** Gaps and duplicates of one table, counted from its rows alone: per company and year, 1 … highest, each once. */
export interface Census {
  readonly rows: number;
  readonly gaps: number;
  readonly duplicates: number;
}

export async function takeCensus(lab: Lab, table: string): Promise<Census> {
  const rows = await lab.withClient((client) =>
    client.query<{ rows: number; gaps: number; duplicates: number }>(`
      select
          coalesce(sum(n.row_count), 0)::float8 as rows,
          coalesce(sum(n.highest - n.distinct_count), 0)::float8 as gaps,
          coalesce(sum(n.row_count - n.distinct_count), 0)::float8 as duplicates
      from (
          select count(*) as row_count, count(distinct number) as distinct_count, coalesce(max(number), 0) as highest
          from ${table}
          group by company, extract(year from issued_on)
      ) n`),
  );
  return rows.rows[0] ?? { rows: 0, gaps: 0, duplicates: 0 };
}
