import type { Client } from 'pg';

/** A SELECT over an attached table, in parts: rows group_key, period, number, dated and, where asked for, of the document number. */
export interface NumberSource {
  readonly attachmentId: number;
  readonly target: string;
  readonly columns: string;
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
  const masks = documents ? (await readFormats(client, seriesId)).map(maskRandom) : [];
  const { rows } = await client.query<NumberSource>(sourcesQuery, [
    seriesId,
    masks.map(({ format }) => format),
    masks.map(({ isMasked }) => isMasked),
  ]);
  return rows;
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

// "case" in the columns: rows that are like the format, which is nearly all of them, are not compared with the formats before it.
const sourcesQuery = `
select
    a.id as "attachmentId",
    a.target::text as target,
    format(
        'select (%s) collate "C" as group_key, %s as period, %s as number, %s as dated, %s as attachment_id, %s',
        x.group_key,
        x.period,
        x.number,
        coalesce(x.date, 'null::date'),
        a.id,
        coalesce(document.columns, 'null::text as document_number, null::text as expected, false as is_odd')
    ) as columns,
    format('from %s as i where i.%I is not null', a.target, a.number_column) as "from",
    x.number,
    x.date is not null as "hasDate",
    document.columns is not null as "hasDocumentNumber"
from seqctl.attachment as a
join seqctl.series as s on s.id = a.series_id
join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
left join pg_attribute as d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
cross join lateral (
    select
        seqctl._group_expression('i.', a.target, a.group_columns) as group_key,
        seqctl._date_expression('i.' || quote_ident(a.date_column), seqctl._base_type(d.atttypid), s.time_zone) as date,
        format('i.%I::int8', a.number_column) as number
) as e
cross join lateral (
    select e.*, seqctl._period_expression(s.reset, s.fiscal_year_start, e.date) as period
) as x
left join lateral (
    select format(
        '(i.%1$I::text) collate "C" as document_number, %2$s as expected, case %3$s else true end as is_odd',
        a.document_number_column,
        min(f.made) filter (where f.place = 1),
        string_agg(
            format(
                case
                    when f.is_masked then
                        'when i.%I::text collate "C" like replace(replace(replace(replace(%s, ''!'', ''!!''), ''%%'', ''!%%''), ''_'', ''!_''), chr(1), ''_'') escape ''!'' then false'
                    else 'when i.%I::text collate "C" = %s then false'
                end,
                a.document_number_column,
                f.made
            ),
            ' ' order by f.place
        )
    ) as columns
    from (
        select
            m.is_masked,
            m.place,
            seqctl._document_number_expression(
                m.format, s.fiscal_year_start, 'i.' || quote_ident(a.number_column), coalesce(x.date, 'null::date'), x.group_key
            ) as made
        from rows from (unnest($2::text[]), unnest($3::boolean[])) with ordinality as m (format, is_masked, place)
    ) as f
    where a.document_number_column is not null and cardinality($2::text[]) > 0
    having count(*) > 0
) as document on true
where s.id = $1
order by a.id`;
