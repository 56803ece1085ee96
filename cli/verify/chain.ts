import type { Client } from 'pg';

import type { NotedHead } from '../operations/chain.js';
import { describeCounter, type Finding } from './finding.js';
import type { SeriesToCheck } from './numbers.js';

interface Result {
  readonly findings: readonly Finding[];
  /** Errors beyond the limit. */
  readonly omitted: number;
}

/**
 * The hash chains of one series: that each is whole, and (with `rows`) that each row is as its link says, that each link's row is there, and that no
 * row is without a link. One pass over the links, and one over links and rows together, which spill to disk. At most `limit` errors of either.
 */
export async function checkChain(
  client: Client,
  series: SeriesToCheck,
  { rows, limit }: { readonly rows: boolean; readonly limit: number },
): Promise<Result> {
  const { rows: kept } = await client.query<{ chain: boolean }>(
    'select s.chain from seqctl.series as s where s.id = $1',
    [series.id],
  );
  if (kept[0]?.chain !== true) return { findings: [], omitted: 0 };
  // The primary key's order would be used to compare each link of a counter with each of it.
  await client.query('set local enable_mergejoin = off');
  const links = await checkLinks(client, series, limit);
  const compared = rows
    ? await compareRows(client, series, Math.max(limit - links.findings.length, 0))
    : { findings: [], omitted: 0 };
  const again = await findRecordedAgain(client, series);
  await client.query('set local enable_mergejoin to default');
  return {
    findings: [...links.findings, ...compared.findings, ...again],
    omitted: links.omitted + compared.omitted,
  };
}

interface LinkRow {
  readonly group_key: string;
  readonly period: string;
  readonly ordinal: string;
  readonly number: string;
  readonly before: string;
  readonly total: string;
}

async function checkLinks(client: Client, series: SeriesToCheck, limit: number): Promise<Result> {
  const { rows } = await client.query<LinkRow>(linksQuery, [series.id, limit]);
  const findings = rows.slice(0, limit).map((row) => {
    const missing = BigInt(row.ordinal) - BigInt(row.before) - 1n;
    const from = BigInt(row.before) + 1n;
    const to = BigInt(row.ordinal) - 1n;
    const what =
      missing > 0n
        ? `${from === to ? `link ${from} is` : `links ${from} to ${to} are`} missing, before that of number ${row.number}`
        : `link ${row.ordinal}, of number ${row.number}, or the one before it was altered: its hash does not follow`;
    return numberFinding(series, row, {
      severity: 'error',
      kind: missing > 0n ? 'chain_link_missing' : 'chain_link_altered',
      what,
      hint: 'Only seqctl may write seqctl.chain_link: find out who did. Compare with a backup; what follows the link proves nothing against it any more.',
    });
  });
  return { findings, omitted: Number(rows[0]?.total ?? 0) - findings.length };
}

// In the order of the primary key, so there is nothing to sort.
const linksQuery = `
with linked as (
    select
        k.group_key,
        k.period,
        k.ordinal,
        k.number,
        lag(k.ordinal, 1, 0::bigint) over in_order as before,
        k.hash = seqctl._link_hash(
            lag(k.hash) over in_order,
            seqctl._chain_start(s.name, k.group_key, k.period),
            k.ordinal, k.number, k.document_number, k.on_date, k.attachment_id, k.content, k.replaces, k.issued_at, k.issued_by
        ) as follows
    from seqctl.chain_link as k
    join seqctl.series as s on s.id = k.series_id
    where k.series_id = $1
    window in_order as (partition by k.group_key, k.period order by k.ordinal)
)
select
    l.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, l.period) as period,
    l.ordinal,
    l.number,
    l.before,
    count(*) over () as total
from linked as l
join seqctl.series as s on s.id = $1
where l.ordinal <> l.before + 1 or not l.follows
order by l.group_key, l.period, l.ordinal
limit greatest($2::bigint, 1)`;

interface ComparedRow {
  readonly kind: 'altered' | 'removed' | 'inserted';
  readonly group_key: string | null;
  readonly period: string | null;
  readonly number: string;
  /** What the link says. */
  readonly document_number: string | null;
  readonly on_date: string | null;
  /** What the row says. */
  readonly has_document_number: string | null;
  readonly has_date: string | null;
  readonly issued_at: Date | null;
  readonly issued_by: string | null;
  readonly target: string | null;
  readonly columns: readonly string[] | null;
  /** Those of them that the table has no more. */
  readonly gone: readonly string[];
  /** Its date is more than a day. */
  readonly has_time: boolean | null;
  readonly total: string;
}

async function compareRows(client: Client, series: SeriesToCheck, limit: number): Promise<Result> {
  const { rows: sources } = await client.query<{ source: string }>(sourcesQuery, [series.id]);
  if (sources.length === 0) return { findings: [], omitted: 0 };
  const { rows } = await client.query<ComparedRow>(
    comparisonQuery(
      series.id,
      sources.map(({ source }) => source),
    ),
    [limit],
  );
  const findings = rows.slice(0, limit).map((row) => describeRow(series, row));
  return { findings, omitted: Number(rows[0]?.total ?? 0) - findings.length };
}

/** One SELECT for each attached table that is still there. */
const sourcesQuery = `
select format(
    'select (%s) collate "C" as group_key, %s as period, i.%I::int8 as number, %s as document_number, %s as on_date, %s as attachment_id, %s as content from %s as i where i.%I is not null',
    seqctl._group_expression('i.', a.target, a.group_columns),
    seqctl._period_expression(s.reset, s.fiscal_year_start, e.date),
    a.number_column,
    coalesce('i.' || quote_ident(a.document_number_column) || '::text', 'null::text'),
    coalesce(e.date, 'null::date'),
    a.id,
    seqctl._chain_content('i.', a),
    a.target,
    a.number_column
) as source
from seqctl.attachment as a
join seqctl.series as s on s.id = a.series_id
join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
left join pg_attribute as d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
cross join lateral (
    select seqctl._date_expression('i.' || quote_ident(a.date_column), seqctl._base_type(d.atttypid), s.time_zone) as date
) as e
where s.id = $1
order by a.id`;

function comparisonQuery(seriesId: number, sources: readonly string[]): string {
  return `
with held as not materialized (
${sources.join('\nunion all\n')}
),
recorded as not materialized (
    select k.group_key collate "C" as group_key, k.period, k.number, k.ordinal, k.content
    from seqctl.chain_link as k
    where k.series_id = ${seriesId}
        and k.content is not null
        and not exists (
            select
            from seqctl.chain_link as l
            where l.series_id = ${seriesId} and l.group_key = k.group_key and l.period = k.period and l.replaces = k.ordinal
        )
),
odd as materialized (
    select
        case when r.number is null then 'inserted' when h.number is null then 'removed' else 'altered' end as kind,
        coalesce(h.group_key, r.group_key) as group_key,
        coalesce(h.period, r.period) as period,
        coalesce(h.number, r.number) as number,
        r.ordinal,
        h.document_number,
        h.on_date,
        h.attachment_id
    from held as h
    full join recorded as r on r.group_key = h.group_key and r.period = h.period and r.number = h.number
    where r.content is distinct from h.content
),
counted as (
    select *, count(*) over () as total
    from odd as o
    where o.kind <> 'removed' or not exists (
        select
        from seqctl.voided_range as v
        where v.series_id = ${seriesId}
            and v.group_key = o.group_key
            and v.period = o.period
            and o.number between v.from_number and v.to_number
    )
    order by o.group_key, o.period, o.number
    limit greatest($1::bigint, 1)
)
select
    o.kind,
    o.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, o.period) as period,
    o.number,
    k.document_number,
    to_char(k.on_date, 'YYYY-MM-DD') as on_date,
    o.document_number as has_document_number,
    to_char(o.on_date, 'YYYY-MM-DD') as has_date,
    k.issued_at,
    k.issued_by,
    coalesce(a.target::text, c.table_name) as target,
    coalesce(c.chain_columns, a.chain_columns)::text[] as columns,
    array(
        select n.name::text
        from unnest(c.chain_columns) as n (name)
        where not exists (select from pg_attribute as d where d.attrelid = a.target and d.attname = n.name and not d.attisdropped)
    ) as gone,
    (
        select seqctl._base_type(d.atttypid) <> 'date'::regtype
        from pg_attribute as d
        where d.attrelid = a.target and d.attname = a.date_column
    ) as has_time,
    o.total
from counted as o
cross join seqctl.series as s
left join seqctl.chain_link as k
    on k.series_id = ${seriesId} and k.group_key = o.group_key and k.period = o.period and k.ordinal = o.ordinal
left join seqctl.attachment as a on a.id = coalesce(o.attachment_id, k.attachment_id)
left join seqctl.chain_scope as c on c.attachment_id = k.attachment_id
where s.id = ${seriesId}
order by o.group_key, o.period, o.number`;
}

function describeRow(series: SeriesToCheck, row: ComparedRow): Finding {
  const table = row.target ?? 'a table that was detached since';
  if (row.kind === 'inserted') {
    return numberFinding(series, row, {
      severity: 'error',
      kind: 'chain_row_inserted',
      what: `number ${row.number} stands on a row of ${table}, but was never issued for one`,
      hint: 'It came in while the triggers were off: find out who wrote it, and remove it.',
    });
  }
  const was = [row.document_number, row.on_date].filter((part) => part !== null).join(', ');
  const issued =
    row.issued_at === null
      ? ''
      : ` Issued by ${row.issued_by ?? '?'} on ${row.issued_at.toISOString().slice(0, 16).replace('T', ' ')} UTC.`;
  if (row.kind === 'removed') {
    return numberFinding(series, row, {
      severity: 'error',
      kind: 'chain_row_removed',
      what: `number ${row.number}${was === '' ? '' : ` (${was})`} was issued for a row of ${table}, which is gone`,
      hint: `Find out who removed it, and bring it back from a backup.${issued} Once the reason is known: seqctl void.`,
    });
  }
  return numberFinding(series, row, {
    severity: 'error',
    kind: 'chain_row_altered',
    what: `number ${row.number} of ${table} was altered after it was issued: ${describeChange(row)}`,
    hint: `Find out who changed it, and change it back.${issued}`,
  });
}

function describeChange(row: ComparedRow): string {
  const changes = [
    ...describeValue('document number', row.document_number, row.has_document_number),
    ...describeValue('date', row.on_date, row.has_date),
  ];
  if (changes.length > 0) return changes.join(', ');
  if (row.gone.length > 0)
    return `what it said in ${row.gone.join(', ')} cannot be told, for the table has no such column now`;
  const covered = [
    ...(row.columns ?? []).map((column) => `its ${column}`),
    ...(row.has_time === true ? ['the time of its date'] : []),
  ];
  return `${covered.join(' or ') || 'what its link covers'} is another one`;
}

function describeValue(name: string, was: string | null, is: string | null): string[] {
  return was === is ? [] : [`its ${name} was ${was ?? 'NULL'}, now it is ${is ?? 'NULL'}`];
}

interface AgainRow {
  readonly group_key: string;
  readonly period: string;
  readonly low: string;
  readonly high: string;
  readonly count: string;
  readonly on: string;
}

/** Rows that were in the chain already when their table was attached with other columns. */
async function findRecordedAgain(client: Client, series: SeriesToCheck): Promise<Finding[]> {
  const { rows } = await client.query<AgainRow>(
    `select
        k.group_key,
        seqctl._period_label(s.reset, s.fiscal_year_start, k.period) as period,
        min(k.number) as low,
        max(k.number) as high,
        count(*) as count,
        to_char(timezone('UTC', k.issued_at), 'YYYY-MM-DD HH24:MI') as on
     from seqctl.chain_link as k
     join seqctl.chain_link as o
        on o.series_id = k.series_id and o.group_key = k.group_key and o.period = k.period and o.ordinal = k.replaces
     join seqctl.series as s on s.id = k.series_id
     where k.series_id = $1 and o.content is not null
     group by s.id, k.group_key, k.period, k.attachment_id, 6
     order by k.group_key, k.period, 6
     limit 100`,
    [series.id],
  );
  return rows.map((row) =>
    numberFinding(
      series,
      { ...row, number: row.low },
      {
        severity: 'warning',
        kind: 'chain_recorded_again',
        what:
          row.count === '1'
            ? `number ${row.low} was recorded again on ${row.on} UTC, when its table was attached with other chain columns`
            : `${row.count} of the numbers ${row.low} to ${row.high} were recorded again on ${row.on} UTC, when their table was attached with other chain columns`,
        hint: 'Right if that was wanted: from then on the chain covers the columns that seqctl.chain_scope names.',
      },
      row.high,
    ),
  );
}

/** Compares the chains with heads that were noted earlier: what was there then must still be there. */
export async function checkHeads(client: Client, heads: readonly NotedHead[]): Promise<Finding[]> {
  const { rows } = await client.query<{ place: string; hash: string | null; links: string | null }>(
    `select
        h.place,
        encode(k.hash, 'hex') as hash,
        (
            select max(l.ordinal)
            from seqctl.chain_link as l
            where l.series_id = s.id and l.group_key = h.group_key and l.period = h.period
        ) as links
     from rows from (unnest($1::text[]), unnest($2::text[]), unnest($3::date[]), unnest($4::int8[]))
        with ordinality as h (series, group_key, period, links, place)
     left join seqctl.series as s on s.name = h.series
     left join seqctl.chain_link as k
        on k.series_id = s.id and k.group_key = h.group_key and k.period = h.period and k.ordinal = h.links
     order by h.place`,
    [
      heads.map(({ series }) => series),
      heads.map(({ group }) => group),
      heads.map(({ periodStart }) => periodStart ?? '-infinity'),
      heads.map(({ links }) => links.toString()),
    ],
  );
  return heads.flatMap((head, index) => {
    const { hash = null, links = null } = rows[index] ?? {};
    if (hash === head.hash) return [];
    const common = { severity: 'error', area: 'numbers', object: describeCounter(head) } as const;
    const hint =
      'Compare with a backup from the time when the head was noted, and find out who may write as the owner of seqctl.';
    return hash === null
      ? [
          {
            ...common,
            kind: 'chain_cut_off',
            what: `the chain had ${head.links} links when its head was noted, now it has ${links ?? 'none'}: its end was cut off`,
            hint,
          },
        ]
      : [
          {
            ...common,
            kind: 'chain_rewritten',
            what: `link ${head.links} has another hash than when it was noted: links up to it were written anew`,
            hint,
          },
        ];
  });
}

function numberFinding(
  series: SeriesToCheck,
  { group_key: group, period, number }: { group_key: string | null; period: string | null; number: string },
  finding: Pick<Finding, 'severity' | 'kind' | 'what' | 'hint'>,
  to = number,
): Finding {
  const counter = { series: series.name, group, period, from: BigInt(number), to: BigInt(to) };
  return { ...finding, area: 'numbers', object: describeCounter(counter), counter };
}
