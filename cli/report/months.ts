import type { Client } from 'pg';

import { readSources } from '../verify/sources.js';

/** Rows that have a number, by the month of their date. */
export interface MonthlyNumbers {
  /** The latest first. */
  readonly years: readonly YearOfNumbers[];
  /** Rows of tables without a date column, or whose date is empty. */
  readonly undated: bigint;
}

/** A calendar year or, in a series that starts again every year, a period. */
export interface YearOfNumbers {
  /** e.g. `2026`, `FY2026` */
  readonly label: string;
  /** In order; months before the first number and after the last of the year have 0. 13 in a fiscal year that starts within a month. */
  readonly months: readonly MonthOfNumbers[];
}

export interface MonthOfNumbers {
  /** e.g. `2026-03` */
  readonly month: string;
  readonly numbers: bigint;
}

interface Row {
  /** First day of the year or period; null: no date. */
  readonly start: string | null;
  readonly label: string;
  /** First day of the month. */
  readonly month: string;
  readonly numbers: string;
}

/** One pass over the dates of the attached tables. */
export async function readMonths(client: Client, seriesId: number): Promise<MonthlyNumbers> {
  const sources = await readSources(client, seriesId, { documents: false });
  if (sources.length === 0) return { years: [], undated: 0n };
  const parts = sources.map(({ columns, from }) => `${columns} ${from}`);
  const { rows } = await client.query<Row>(
    `with numbered as not materialized (
${parts.join('\nunion all\n')}
    ),
    dated as (
        select period, date_trunc('month', case when isfinite(dated) then dated::timestamp end)::date as month, count(*) as numbers
        from numbered
        group by 1, 2
    ),
    counted as (
        select
            -- date_trunc of a date depends on the session's time zone.
            case s.reset when 'yearly' then d.period else date_trunc('year', d.month::timestamp)::date end as start,
            d.month,
            case s.reset when 'yearly' then s.fiscal_year_start else '01-01' end as year_start,
            d.numbers
        from dated as d
        cross join seqctl.series as s
        where s.id = ${seriesId}
    )
    select
        to_char(start, 'YYYY-MM-DD') as start,
        seqctl._period_label('yearly', year_start, start) as label,
        to_char(month, 'YYYY-MM-DD') as month,
        sum(numbers) as numbers
    from counted
    group by start, year_start, month
    order by start desc, month`,
  );
  const dated = rows.filter(isDated);
  const byStart = new Map(dated.map(({ start }): [string, DatedRow[]] => [start, []]));
  for (const row of dated) byStart.get(row.start)?.push(row);
  return {
    years: [...byStart].map(([start, months]) => ({
      label: months[0]?.label ?? '',
      months: fillYear(start, months),
    })),
    undated: rows.filter((row) => !isDated(row)).reduce((sum, { numbers }) => sum + BigInt(numbers), 0n),
  };
}

type DatedRow = Row & { readonly start: string };

function isDated(row: Row): row is DatedRow {
  return row.start !== null;
}

function fillYear(start: string, rows: readonly DatedRow[]): MonthOfNumbers[] {
  const numbers = new Map(rows.map((row) => [row.month.slice(0, 7), BigInt(row.numbers)]));
  const [year = 1, month = 1, day = 1] = start.split('-').map(Number);
  // A fiscal year from 6 April has days of two Aprils.
  return Array.from({ length: day === 1 ? 12 : 13 }, (_, index) => {
    const name = monthName(year, month - 1 + index);
    return { month: name, numbers: numbers.get(name) ?? 0n };
  });
}

/** `monthIndex` counts from January of `year`, past its end. */
function monthName(year: number, monthIndex: number): string {
  const months = String((monthIndex % 12) + 1).padStart(2, '0');
  return `${String(year + Math.floor(monthIndex / 12)).padStart(4, '0')}-${months}`;
}
