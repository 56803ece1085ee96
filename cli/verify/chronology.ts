import type { Client } from 'pg';

import { describeCounter, type Finding } from './finding.js';
import type { SeriesToCheck } from './numbers.js';

/**
 * Numbers that are dated before an earlier number of the same counter, where an attachment of the series keeps the chronology. One
 * pass in the order of the numbers; each date that was gone behind is one finding, at most `limit` of them.
 */
export async function checkChronology(
  client: Client,
  series: SeriesToCheck,
  limit: number,
): Promise<{ readonly findings: readonly Finding[]; readonly omitted: number }> {
  if (!series.attachments.some(({ exists, chronology }) => exists && chronology !== 'off')) {
    return { findings: [], omitted: 0 };
  }
  const sources = await readSources(client, series.id);
  const { rows } = await client.query<InversionRow>(inversionsQuery(series, sources), [limit]);
  const total = Number(rows[0]?.total ?? 0);
  const findings = rows.slice(0, limit).map((row) => describe(series, row));
  return { findings, omitted: total - findings.length };
}

/** One SELECT for each attached table that is still there: group_key, period, number, dated (a timestamptz in UTC). */
async function readSources(client: Client, seriesId: number): Promise<string[]> {
  const { rows } = await client.query<{ source: string }>(
    `select format(
        'select (%s) collate "C" as group_key, %s as period, i.%I::int8 as number, %s as dated from %s as i where i.%I is not null',
        seqctl._group_expression('i.', a.target, a.group_columns),
        seqctl._period_expression(
            s.reset,
            s.fiscal_year_start,
            seqctl._date_expression('i.' || quote_ident(a.date_column), seqctl._base_type(d.atttypid), s.time_zone)
        ),
        a.number_column,
        format(
            case when seqctl._base_type(d.atttypid) = 'timestamptz'::regtype then 'timezone(''UTC'', i.%I)' else 'i.%I::timestamp' end,
            a.date_column
        ),
        a.target,
        a.number_column
    ) as source
    from seqctl.attachment as a
    join seqctl.series as s on s.id = a.series_id
    join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
    join pg_attribute as d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
    where s.id = $1 and a.chronology <> 'off'
    order by a.id`,
    [seriesId],
  );
  return rows.map(({ source }) => source);
}

function inversionsQuery(series: SeriesToCheck, sources: readonly string[]): string {
  return `
with numbered as not materialized (
${sources.join('\nunion all\n')}
),
ordered as (
    select *, max(dated) over (
        partition by group_key, period order by number rows between unbounded preceding and 1 preceding
    ) as latest
    from numbered
    where group_key is not null and period is not null
),
inverted as (
    select group_key, period, latest, min(number) as low, max(number) as high, count(*) as row_count, min(dated) as earliest
    from ordered
    where dated < latest
    group by group_key, period, latest
)
select
    o.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, o.period) as period,
    o.low,
    o.high,
    o.row_count,
    to_char(o.latest, 'YYYY-MM-DD HH24:MI:SS.US') as latest,
    to_char(o.earliest, 'YYYY-MM-DD HH24:MI:SS.US') as earliest,
    count(*) over () as total
from inverted as o
cross join seqctl.series as s
where s.id = ${series.id}
order by o.group_key, o.period, o.low
limit greatest($1::bigint, 1)`;
}

interface InversionRow {
  readonly group_key: string;
  readonly period: string;
  readonly low: string;
  readonly high: string;
  readonly row_count: string;
  readonly latest: string;
  readonly earliest: string;
  readonly total: string;
}

function describe(series: SeriesToCheck, row: InversionRow): Finding {
  const tables = series.attachments.map(({ target }) => target).join(', ');
  const counter = {
    series: series.name,
    group: row.group_key,
    period: row.period,
    from: BigInt(row.low),
    to: BigInt(row.high),
  };
  const earliest = shorten(row.earliest);
  const latest = shorten(row.latest);
  const what =
    row.row_count === '1'
      ? `number ${row.low} is dated ${earliest}, an earlier number ${latest}`
      : `${row.row_count} of the numbers ${row.low} to ${row.high} are dated from ${earliest} on, an earlier number ${latest}`;
  return {
    severity: 'error',
    area: 'numbers',
    kind: 'inverted_dates',
    object: describeCounter(counter),
    what,
    hint: `Look who changed dates in ${tables}; rows that were there before the chronology was kept show up here, too.`,
    counter,
  };
}

/** Midnight is a date; whole seconds have no fraction. */
function shorten(moment: string): string {
  return moment.replace(/( 00:00:00)?\.000000$/, '');
}
