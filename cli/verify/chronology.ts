import type { Client } from 'pg';

import { describeCounter, describeRecord, type Finding } from './finding.js';
import type { SeriesToCheck } from './numbers.js';

/**
 * Numbers that are dated before an earlier number of the same counter, where an attachment of the series keeps the chronology. One
 * pass in the order of the numbers; each date that was gone behind is one finding, at most `limit` of them. What was there when a table was
 * adopted is no error: it has the reason of the adoption, as long as it is as much as it was then.
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
  const errors = rows.filter(({ kind }) => kind !== 'accepted');
  const shown = errors.slice(0, limit);
  const accepted = rows.filter(({ kind }) => kind === 'accepted');
  return {
    findings: [
      ...shown.map((row) => describe(series, row)),
      ...accepted.map((row) => describeAccepted(series, row)),
    ],
    omitted: Number(errors[0]?.total ?? 0) - shown.length,
  };
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
accepted as (
    select distinct on (group_key, period) group_key collate "C" as group_key, period, to_number, row_count, reason, recorded_by, recorded_at
    from seqctl.accepted_inversion
    where series_id = ${series.id}
    order by group_key, period, id desc
),
inverted as materialized (
    select o.*, coalesce(o.number <= a.to_number, false) as is_old
    from ordered as o
    left join accepted as a on a.group_key = o.group_key and a.period = o.period
    where o.dated < o.latest
),
compared as (
    select a.*, coalesce(i.row_count, 0) as row_count_now
    from accepted as a
    left join (
        select group_key, period, count(*) as row_count
        from inverted
        where is_old
        group by group_key, period
    ) as i on i.group_key = a.group_key and i.period = a.period
),
found as (
    select 'inverted' as kind, group_key, period, min(number) as low, max(number) as high, count(*) as row_count,
        to_char(latest, 'YYYY-MM-DD HH24:MI:SS.US') as latest, to_char(min(dated), 'YYYY-MM-DD HH24:MI:SS.US') as earliest,
        null::int8 as accepted_count, null::text as reason, null::text as recorded_by, null::timestamptz as recorded_at
    from inverted
    where not is_old
    group by group_key, period, latest
    union all
    select 'changed', group_key, period, to_number, to_number, row_count_now, null, null, row_count, null, null, null
    from compared
    where row_count_now <> row_count
    union all
    select 'accepted', null, null, 0, 0, sum(row_count_now), null, null, count(*), reason, min(recorded_by), min(recorded_at)
    from compared
    where row_count_now = row_count
    group by reason
),
ranked as (
    select
        f.*,
        row_number() over (partition by f.kind = 'accepted' order by f.group_key, f.period, f.low) as place,
        count(*) over (partition by f.kind = 'accepted') as total
    from found as f
)
select
    r.kind,
    r.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, r.period) as period,
    r.low,
    r.high,
    r.row_count,
    r.latest,
    r.earliest,
    r.accepted_count,
    r.reason,
    r.recorded_by,
    r.recorded_at,
    r.total
from ranked as r
cross join seqctl.series as s
where s.id = ${series.id} and (r.place <= greatest($1::bigint, 1) or r.kind = 'accepted')
order by r.kind = 'accepted', r.place`;
}

/** A row of the query; bigint comes as text. */
interface InversionRow {
  readonly kind: 'inverted' | 'changed' | 'accepted';
  readonly group_key: string;
  readonly period: string;
  readonly low: string;
  readonly high: string;
  readonly row_count: string;
  readonly latest: string;
  readonly earliest: string;
  /** changed: how many rows were accepted; accepted: in how many counters. */
  readonly accepted_count: string;
  readonly reason: string;
  readonly recorded_by: string;
  readonly recorded_at: Date;
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
  const about = { severity: 'error', area: 'numbers', object: describeCounter(counter), counter } as const;
  if (row.kind === 'changed') {
    return {
      ...about,
      kind: 'adopted_dates_changed',
      what: `of the numbers up to ${row.low}, ${row.row_count} are dated before an earlier one; when they were adopted it was ${row.accepted_count}`,
      hint: `Look who changed dates in ${tables}, or removed rows.`,
    };
  }
  const earliest = shorten(row.earliest);
  const latest = shorten(row.latest);
  return {
    ...about,
    kind: 'inverted_dates',
    what:
      row.row_count === '1'
        ? `number ${row.low} is dated ${earliest}, an earlier number ${latest}`
        : `${row.row_count} of the numbers ${row.low} to ${row.high} are dated from ${earliest} on, an earlier number ${latest}`,
    hint: `Look who changed dates in ${tables}; rows that were numbered before the table was attached with this chronology show up here, too.`,
  };
}

function describeAccepted(series: SeriesToCheck, row: InversionRow): Finding {
  const isOne = row.row_count === '1';
  const where = row.accepted_count === '1' ? '1 counter' : `${row.accepted_count} counters`;
  return {
    severity: 'info',
    area: 'numbers',
    kind: 'inverted_before_adoption',
    object: `series ${series.name}`,
    what: `${row.row_count} row${isOne ? ' is' : 's are'} dated before an earlier number in ${where} since before adoption: ${row.reason}`,
    hint: describeRecord(row.recorded_by, row.recorded_at),
  };
}

/** Midnight is a date; whole seconds have no fraction. */
function shorten(moment: string): string {
  return moment.replace(/( 00:00:00)?\.000000$/, '');
}
