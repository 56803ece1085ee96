import type { Client } from 'pg';

import { datedFormats, type DocumentText, quickComparison, readFormat } from './document-text.js';

/** A SELECT over an attached table, in parts: rows group_key, period, number, dated and, where asked for, of the document number. */
export interface NumberSource {
  readonly attachmentId: number;
  readonly target: string;
  readonly columns: string;
  /** The columns group_key and period. */
  readonly counter: string;
  /** Whether the document number is of no format that the series has or had, as SQL. */
  readonly isOdd: string;
  /** From FROM on, with a WHERE that more conditions can follow. */
  readonly from: string;
  /** The number column as SQL. */
  readonly number: string;
  readonly hasDate: boolean;
  readonly hasDocumentNumber: boolean;
}

/**
 * The attached tables of a series that are still there. With `documents`, rows also have document_number, expected (what it should
 * be by the series' format) and is_odd: it is of no format that the series has or had.
 */
export async function readSources(
  client: Client,
  seriesId: number,
  { documents }: { readonly documents: boolean },
): Promise<NumberSource[]> {
  const formats = documents ? await readFormats(client, seriesId) : [];
  const [format] = formats;
  const quick = format === undefined ? undefined : readFormat(format);
  const masks = formats.map(maskRandom);
  const { rows } = await client.query<SourceRow>(sourcesQuery, [
    seriesId,
    masks.map((mask) => mask.format),
    quick === undefined ? [] : datedFormats(quick),
  ]);
  return rows.map((row) => {
    const made = row.made.map((text, place) => ({ text, isMasked: masks[place]?.isMasked === true }));
    const quote = (text: string): string => client.escapeLiteral(text);
    return describeSource(row, made, quick, quote);
  });
}

/** SQL, but for the first two. */
interface SourceRow {
  readonly attachmentId: number;
  readonly target: string;
  readonly groupKey: string;
  readonly period: string;
  readonly number: string;
  readonly numberColumn: string;
  /** null: rows have no date. */
  readonly date: string | null;
  /** As text; null: no column takes document numbers. */
  readonly documentNumber: string | null;
  /** What the document number is by each format; \x01 for what was random. */
  readonly made: readonly string[];
  /** Rows c (on_date): the days of the series' periods. */
  readonly days: string;
  readonly periodOfDay: string;
  /** The dated parts of a document number of that day. */
  readonly datedOfDay: readonly string[];
}

function describeSource(
  row: SourceRow,
  made: readonly { readonly text: string; readonly isMasked: boolean }[],
  quick: DocumentText | undefined,
  quote: (text: string) => string,
): NumberSource {
  const { attachmentId, target, number, date, documentNumber } = row;
  const hasDocumentNumber = documentNumber !== null && made.length > 0;
  const is = `(${documentNumber ?? 'null'}) collate "C"`;
  const isDated = row.datedOfDay.length > 0;
  const hasCalendar = hasDocumentNumber && isDated && date !== null;
  const isQuick =
    quick === undefined || (isDated && !hasCalendar)
      ? null
      : quickComparison(is, quick, {
          number: row.numberColumn,
          group: row.groupKey,
          dated: row.datedOfDay.map((_, place) => `d.part_${place}`),
          quote,
        });
  // Rows that are like the format, which is nearly all of them, are not compared in any other way.
  const tests = [
    ...(isQuick === null ? [] : [isQuick]),
    ...made.map(({ text, isMasked }) =>
      isMasked ? `${is} like ${patternOf(text)} escape '!'` : `${is} = ${text}`,
    ),
  ];
  const isOdd = hasDocumentNumber
    ? `case ${tests.map((test) => `when ${test} then false`).join(' ')} else true end`
    : 'false';
  const document = hasDocumentNumber
    ? `${is} as document_number, ${made[0]?.text ?? 'null'} as expected`
    : 'null::text as document_number, null::text as expected';
  const period = hasCalendar ? `coalesce(d.period, ${row.period})` : row.period;
  const counter = `(${row.groupKey}) collate "C" as group_key, ${period} as period`;
  // Grouped, because then the planner knows that there is one row a day, and hashes this side of the join.
  const ofDay = [
    `${row.periodOfDay} as period`,
    ...row.datedOfDay.map((text, place) => `${text} as part_${place}`),
  ];
  const calendar = `
left join (
    select c.on_date, ${ofDay.join(', ')}
    from (${row.days}) as c
    group by c.on_date
) as d on d.on_date = ${date ?? ''}
`;
  const from = `from ${target} as i ${hasCalendar ? calendar : ''}where ${row.numberColumn} is not null`;
  return {
    attachmentId,
    target,
    columns: `select ${counter}, ${number} as number, ${date ?? 'null::date'} as dated, ${attachmentId} as attachment_id, ${document}, ${isOdd} as is_odd`,
    counter,
    isOdd,
    from,
    number,
    hasDate: date !== null,
    hasDocumentNumber,
  };
}

/** A pattern for what \x01 stands in for any character. */
function patternOf(made: string): string {
  return `replace(replace(replace(replace(${made}, '!', '!!'), '%', '!%'), '_', '!_'), chr(1), '_')`;
}

/** The format of a series, then those that it had before. */
async function readFormats(client: Client, seriesId: number): Promise<string[]> {
  const { rows } = await client.query<{ format: string }>(
    `select format
     from (
        select s.format, null::timestamptz as replaced_at
        from seqctl.series as s
        where s.id = $1
        union all
        select f.format, f.replaced_at
        from seqctl.former_format as f
        join seqctl.series as s on s.id = f.series_id
        where f.series_id = $1 and f.format <> s.format
     ) as f
     order by f.replaced_at desc nulls first`,
    [seriesId],
  );
  return rows.map(({ format }) => format);
}

/** What {random:8} made cannot be made again: a character of it is \x01, which the query takes for any. */
export function maskRandom(format: string): { readonly format: string; readonly isMasked: boolean } {
  let isMasked = false;
  const masked = format.replaceAll(/\{\{|\}\}|\{random:(\d+)\}/g, (token: string, length?: string) => {
    if (length === undefined) return token;
    isMasked = true;
    return '\u0001'.repeat(Number(length));
  });
  return { format: masked, isMasked };
}

// Documents are mostly of the last years: days further away than 40 years are not prepared.
const sourcesQuery = `
select
    a.id as "attachmentId",
    a.target::text as target,
    x.group_key as "groupKey",
    seqctl._period_expression(s.reset, s.fiscal_year_start, coalesce(x.date, 'null::date')) as period,
    x.number_column || '::int8' as number,
    x.number_column as "numberColumn",
    x.date,
    'i.' || quote_ident(a.document_number_column) || '::text' as "documentNumber",
    array(
        select seqctl._document_number_expression(
            f.format, s.fiscal_year_start, x.number_column, coalesce(x.date, 'null::date'), x.group_key
        )
        from unnest($2::text[]) with ordinality as f (format, place)
        order by f.place
    ) as made,
    format(
        'select t::date as on_date from generate_series(%L::timestamp, %L::timestamp, interval ''1 day'') as t', r.first_day, r.last_day
    ) as days,
    seqctl._period_expression(s.reset, s.fiscal_year_start, 'c.on_date') as "periodOfDay",
    array(
        select seqctl._document_number_expression(p.format || '{number}', s.fiscal_year_start, '''''', 'c.on_date', 'null')
        from unnest($3::text[]) with ordinality as p (format, place)
        order by p.place
    ) as "datedOfDay"
from seqctl.attachment as a
join seqctl.series as s on s.id = a.series_id
join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
left join pg_attribute as d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
cross join lateral (
    select
        seqctl._group_expression('i.', a.target, a.group_columns) as group_key,
        seqctl._date_expression('i.' || quote_ident(a.date_column), seqctl._base_type(d.atttypid), s.time_zone) as date,
        format('i.%I', a.number_column) as number_column
) as x
cross join (
    select
        greatest(min(n.period), current_date - 14610) as first_day,
        least(nullif(max(n.period), '-infinity') + 366, current_date + 732) as last_day
    from seqctl.counter as n
    where n.series_id = $1
) as r
where s.id = $1
order by a.id`;
