import type { Client } from 'pg';

import type { Sandbox } from '../sandbox/sandbox.js';
import { companies, years } from './load.js';

/** The two ways that the demo shows side by side. */
export type Numbering = 'seqctl' | 'SEQUENCE';

export const tableOf: Record<Numbering, string> = { seqctl: 'invoices', SEQUENCE: 'sequence_invoices' };

export function seriesOf(sandbox: Sandbox): string {
  return `${sandbox.name}_invoice`;
}

/** What a user of seqctl writes. */
export async function createSeqctlTable(client: Client, sandbox: Sandbox): Promise<void> {
  await client.query(tableDefinition(tableOf.seqctl));
  await client.query(
    `select seqctl.create_series($1, format => 'INV-{year}-{number:5}', reset => 'yearly', time_zone => 'Europe/Rome')`,
    [seriesOf(sandbox)],
  );
  await client.query(
    `select seqctl.attach($1::regclass, series => $2, number_column => 'number', date_column => 'issued_on',
         group_columns => '{company}', document_number_column => 'document_number')`,
    [tableOf.seqctl, seriesOf(sandbox)],
  );
}

/** The same with PostgreSQL's own means: a sequence for each company and year. */
export async function createSequenceTable(client: Client): Promise<void> {
  const table = tableOf.SEQUENCE;
  await client.query(tableDefinition(table));
  for (const company of companies) {
    for (const year of years) await client.query(`create sequence ${company}_${year}`);
  }
  await client.query(`
    create function ${table}_number() returns trigger language plpgsql as $$
    begin
        new.number := nextval(format('%s_%s', new.company, extract(year from new.issued_on)));
        new.document_number := format('INV-%s-%s', extract(year from new.issued_on), to_char(new.number, 'FM00000'));
        return new;
    end
    $$;
    create trigger number before insert on ${table} for each row execute function ${table}_number()`);
}

function tableDefinition(table: string): string {
  return `
    create table ${table} (
        id bigint generated always as identity primary key,
        company text not null,
        issued_on date not null,
        reference text unique,
        total numeric(12, 2) not null check (total >= 0),
        number bigint,
        document_number text
    )`;
}

/** The last number given, by seqctl's counter or the sequence. */
export interface LastNumber {
  readonly company: string;
  readonly year: number;
  readonly last: number;
}

export async function readLastNumbers(
  client: Client,
  sandbox: Sandbox,
  numbering: Numbering,
): Promise<LastNumber[]> {
  const sql =
    numbering === 'seqctl'
      ? `select c.group_key as company, c.period::integer as year, c.last_number::float8 as last
         from seqctl.counters c where c.series = $1 order by 1, 2`
      : `select split_part(s.sequencename, '_', 1) as company, split_part(s.sequencename, '_', 2)::integer as year,
             coalesce(s.last_value, 0)::float8 as last
         from pg_catalog.pg_sequences s
         where s.schemaname = $1 and s.sequencename ~ '_[0-9]{4}$' order by 1, 2`;
  const parameter = numbering === 'seqctl' ? seriesOf(sandbox) : sandbox.name;
  return (await client.query<LastNumber>(sql, [parameter])).rows;
}

/** The numbers of one company and year, counted from the rows of the table and nothing else. */
export interface Census {
  readonly numbering: Numbering;
  readonly company: string;
  readonly year: number;
  readonly rows: number;
  readonly highest: number;
  /** How many of 1 … highest no row has. */
  readonly gaps: number;
  readonly duplicates: number;
  /** Rows without a number, or with another document number than theirs. */
  readonly odd: number;
  /** The first missing numbers. */
  readonly missing: readonly number[];
  /** The last number, as the counter (or the sequence) has it. */
  readonly counter: number | null;
}

export async function takeCensus(
  client: Client,
  sandbox: Sandbox,
  numbering: Numbering,
): Promise<readonly Census[]> {
  const lasts = await readLastNumbers(client, sandbox, numbering);
  const { rows } = await client.query<Omit<Census, 'numbering' | 'counter'>>(`
    with invoice as (
        select company, extract(year from issued_on)::integer as year, number, document_number
        from ${tableOf[numbering]}
    ),
    found as (
        select
            company,
            year,
            count(*) as row_count,
            coalesce(max(number), 0) as highest,
            count(number) - count(distinct number) as duplicates,
            count(*) filter (
                where number is null
                    or number < 1
                    or document_number is distinct from format('INV-%s-%s', year, to_char(number, 'FM00000'))
            ) as odd
        from invoice
        group by 1, 2
    )
    select
        f.company,
        f.year,
        f.row_count::float8 as rows,
        f.highest::float8 as highest,
        m.gaps::float8 as gaps,
        f.duplicates::float8 as duplicates,
        f.odd::float8 as odd,
        m.missing
    from found f
    cross join lateral (
        select count(*) as gaps, coalesce((array_agg(n order by n))[:12], '{}')::float8[] as missing
        from generate_series(1, f.highest) n
        where not exists (
            select from invoice i where i.company = f.company and i.year = f.year and i.number = n
        )
    ) m
    order by 1, 2`);
  return rows.map((row) => ({
    ...row,
    numbering,
    counter: lasts.find(({ company, year }) => company === row.company && year === row.year)?.last ?? null,
  }));
}
