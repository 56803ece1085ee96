import type { Client } from 'pg';

import { sqlstateOf } from '../errors.js';
import { quote } from '../shell.js';
import type { Explanation } from './gap.js';
import type { Finding } from './finding.js';
import type { SeriesToCheck } from './numbers.js';

/** More than anybody reads; the rest is counted. */
const shownCheckouts = 100;

/** Why a number of a checkout is in no table. */
export const checkoutKinds = ['checked out', 'expired checkout', 'finalized', 'released'] as const;
export type CheckoutKind = (typeof checkoutKinds)[number];

export function isCheckoutKind(kind: Explanation['kind']): kind is CheckoutKind {
  return (checkoutKinds as readonly string[]).includes(kind);
}

/** For the query over all numbers: the numbers of checkouts, in counters that have a gap. At most one for each number. */
export function checkoutEntries(seriesId: number): string {
  return `select 0, k.id, k.group_key collate "C", k.period, k.number, k.number
    from seqctl.checkout as k
    where k.series_id = ${seriesId}
        and (k.state <> 'released' or k.stops)
        and exists (select from gap as g where g.group_key = k.group_key collate "C" and g.period = k.period)`;
}

/** The ids of those that have expired. */
export function expiredCheckouts(seriesId: number): string {
  return `select x.id from seqctl.checkout as x where x.series_id = ${seriesId} and x.state = 'open' and x.expires_at <= now()`;
}

/** A checkout `k` as an explanation; NULL where there is none. */
export const checkoutColumns = {
  kind: `case when k.state = 'open' then case when k.expires_at <= now() then 'expired checkout' else 'checked out' end else k.state end`,
  reason: `case k.state
        when 'open' then format('for %s, until %s UTC', k.correlation_id, to_char(k.expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'))
        when 'released' then format('by %s, waits to be given again', k.correlation_id)
        when 'finalized' then concat('for ', k.correlation_id, ', no row has it', ', reference ' || k.reference)
    end`,
  by: 'coalesce(k.settled_by, k.opened_by)',
  at: 'coalesce(k.settled_at, k.opened_at)',
};

type Words = readonly [kind: string, what: string, hint: string];

/** A gap that a checkout explains, for `verify`. `range` is e.g. `number 7`. */
export function describeCheckoutGap(series: string, range: string, explanation: Explanation): Words {
  const { kind, reason, recordedBy, recordedAt } = explanation;
  const on = `${recordedBy} on ${recordedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  switch (kind) {
    case 'expired checkout':
      return ['expired_checkout', `${range} is checked out ${reason}: it has expired`, settle(series)];
    case 'checked out':
      return ['checked_out', `${range} is checked out ${reason}`, `Checked out by ${on}.`];
    case 'released':
      return [
        'released_number',
        `${range} was released ${reason}`,
        `Released by ${on}. The next row gets it.`,
      ];
    default:
      return ['finalized_number', `${range} was finalized ${reason}`, `Finalized by ${on}.`];
  }
}

function settle(series: string): string {
  return `Find out whether a document has the number: seqctl lease finalize ${quote(series)} ID if so, seqctl lease release ${quote(series)} ID if not.`;
}

interface OpenRow {
  readonly group: string;
  readonly period: string;
  readonly number: string;
  readonly correlation_id: string;
  readonly expires: string;
  readonly expired: boolean;
  readonly total: string;
}

/**
 * Numbers that are out and leave no gap, because their counter waits for them, or because there is no table to compare with; those
 * with a gap are explained there. And counters that are stopped without a reason, or should be.
 */
export async function checkCheckouts(client: Client, series: string, compared: boolean): Promise<Finding[]> {
  const { rows } = await client.query<OpenRow>(
    `select
        k.group_key as "group",
        k.period,
        k.number,
        k.correlation_id,
        to_char(k.expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as expires,
        k.state = 'expired' as expired,
        count(*) over () as total
     from seqctl.checkouts as k
     left join seqctl.series as s on s.name = k.series
     left join seqctl.counter as c
        on c.series_id = s.id and c.group_key = k.group_key and c.period = coalesce(k.period_start, '-infinity')
     where k.series = $1 and k.state in ('open', 'expired') and (k.number <= c.last_number and $2) is not true
     order by k.state = 'open', k.expires_at
     limit $3`,
    [series, compared, shownCheckouts],
  );
  const findings = rows.map((row): Finding => {
    const { group, period, number, correlation_id: id, expires, expired } = row;
    const what = `number ${number} is checked out for ${id}, until ${expires} UTC`;
    return {
      severity: expired ? 'error' : 'info',
      area: 'numbers',
      kind: expired ? 'expired_checkout' : 'checked_out',
      object: [series, group, period].filter((part) => part !== '').join(' / '),
      what: expired ? `${what}: it has expired` : what,
      hint: expired ? settle(series) : 'seqctl lease list shows it.',
      counter: { series, group, period, from: BigInt(number), to: BigInt(number) },
    };
  });
  const more = Number(rows[0]?.total ?? 0) - rows.length;
  if (more > 0) {
    const expired = rows.every((row) => row.expired);
    findings.push({
      severity: expired ? 'error' : 'info',
      area: 'numbers',
      kind: expired ? 'expired_checkout' : 'checked_out',
      object: `series ${series}`,
      what: `${more} more numbers are checked out`,
      hint: 'seqctl lease list shows them all.',
    });
  }
  return [...findings, ...(await checkStopped(client, series))];
}

/** counter.stopped repeats what stands elsewhere. */
async function checkStopped(client: Client, series: string): Promise<Finding[]> {
  const { rows } = await client.query<{ group: string; period: string; last: string; stopped: boolean }>(
    `select
        c.group_key as "group",
        seqctl._period_label(s.reset, s.fiscal_year_start, c.period) as period,
        c.last_number as last,
        c.stopped
     from seqctl.counter as c
     join seqctl.series as s on s.id = c.series_id
     left join (
        select distinct k.series_id, k.group_key, k.period from seqctl.checkout as k where k.stops
     ) as x on x.series_id = c.series_id and x.group_key = c.group_key and x.period = c.period
     where s.name = $1 and c.stopped <> (c.closed or x.series_id is not null)
     order by c.group_key collate "C", c.period
     limit 100`,
    [series],
  );
  return rows.map(({ group, period, last, stopped }) => ({
    severity: 'error',
    area: 'numbers',
    kind: 'stopped_differs',
    object: [series, group, period].filter((part) => part !== '').join(' / '),
    what: stopped
      ? 'the counter is stopped, but its period is open and no number is checked out'
      : 'a number is checked out or the period is closed, but the counter still gives numbers',
    hint: 'Only seqctl may write seqctl.counter and seqctl.checkout: find out who changed them.',
    counter: { series, group, period, from: BigInt(last), to: BigInt(last) },
  }));
}

interface StoredRow {
  readonly id: string;
  readonly group: string;
  readonly period: string;
  readonly number: string;
  readonly correlation_id: string;
  readonly state: 'open' | 'released' | 'finalized';
  /** The document number that left the database. */
  readonly document: string;
  readonly target: string;
  /** That of the row. */
  readonly stored: string | null;
  readonly total: string;
}

/**
 * Rows that have a number of a checkout in spite of it: while it is open, though its number waits to be given again, or with another
 * document number. It starts from the checkouts, and looks each of them up in the tables, which all can be read.
 */
export async function checkStoredCheckouts(client: Client, series: SeriesToCheck): Promise<Finding[]> {
  const sources = await readLookups(client, series.id);
  if (sources.length === 0) return [];
  const rows = await lookUp(client, series.id, sources);
  const findings = rows.map((row) => describeStored(series.name, row));
  const more = Number(rows[0]?.total ?? 0) - rows.length;
  const last = findings.at(-1);
  if (more > 0 && last !== undefined) {
    findings.push({
      severity: 'error',
      area: 'numbers',
      kind: last.kind,
      object: `series ${series.name}`,
      what: `${more} more ${more === 1 ? 'row has' : 'rows have'} a number of a checkout that is not theirs`,
      hint: 'Repair those above, then run it again.',
    });
  }
  return findings;
}

/** How to find the row of a checkout `k` in an attached table, as SQL. */
interface Lookup {
  readonly source: string;
  /** Served by the index of the attachment; an error where the columns cannot have the group key. */
  readonly byIndex: string;
  readonly byText: string;
}

async function readLookups(client: Client, seriesId: number): Promise<Lookup[]> {
  const { rows } = await client.query<Lookup>(
    `select
        format(
            'select %L as target, %s as document_number from %s as i where i.%I = k.number%s',
            a.target,
            case when a.document_number_column is null then 'null' else format('i.%I::text', a.document_number_column) end,
            a.target,
            a.number_column,
            case when a.document_number_column is null then ' and k.state <> ''finalized''' end
        ) as source,
        seqctl._counter_condition(a, 'k.group_key', 'k.period') as "byIndex",
        format(
            '(%s) collate "C" = k.group_key collate "C" and %s = k.period',
            seqctl._group_expression('i.', a.target, a.group_columns),
            seqctl._period_expression(
                s.reset,
                s.fiscal_year_start,
                coalesce(
                    seqctl._date_expression('i.' || quote_ident(a.date_column), seqctl._base_type(d.atttypid), s.time_zone),
                    'null::date'
                )
            )
        ) as "byText"
     from seqctl.attachment as a
     join seqctl.series as s on s.id = a.series_id
     join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
     left join pg_attribute as d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
     where s.id = $1
     order by a.id`,
    [seriesId],
  );
  return rows;
}

async function lookUp(
  client: Client,
  seriesId: number,
  lookups: readonly Lookup[],
): Promise<readonly StoredRow[]> {
  const read = async (which: 'byIndex' | 'byText'): Promise<readonly StoredRow[]> => {
    const parts = lookups.map((lookup) => `${lookup.source} and ${lookup[which]}`);
    const { rows } = await client.query<StoredRow>(storedQuery(parts), [seriesId, shownCheckouts]);
    return rows;
  };
  await client.query('savepoint checkouts');
  try {
    const rows = await read('byIndex');
    await client.query('release savepoint checkouts');
    return rows;
  } catch (error) {
    // A group key such as 'acme' was checked out, and the column is an integer.
    if (sqlstateOf(error)?.startsWith('22') !== true) throw error;
    await client.query('rollback to savepoint checkouts');
    return await read('byText');
  }
}

// offset 0: the planner would rather read the tables as a whole.
function storedQuery(parts: readonly string[]): string {
  return `select
    k.id,
    k.group_key as "group",
    seqctl._period_label(s.reset, s.fiscal_year_start, k.period) as period,
    k.number,
    k.correlation_id,
    k.state,
    k.document_number as document,
    i.target,
    i.document_number as stored,
    count(*) over () as total
from seqctl.checkout as k
join seqctl.series as s on s.id = k.series_id
cross join lateral (
${parts.join('\nunion all\n')}
offset 0
) as i
where k.series_id = $1
    and (k.state <> 'released' or k.stops)
    and (k.state <> 'finalized' or i.document_number collate "C" <> k.document_number collate "C")
order by k.group_key collate "C", k.period, k.number, i.target
limit $2`;
}

function describeStored(series: string, row: StoredRow): Finding {
  const { group, period, number, correlation_id: id, state, target, stored } = row;
  const has = `a row of ${target} has number ${number}`;
  const words: Record<StoredRow['state'], Words> = {
    open: [
      'open_number_stored',
      `${has}, which is checked out for ${id} and not finalized`,
      `Find out who wrote the row. If it is the document of the checkout: seqctl lease finalize ${quote(series)} ${quote(id)}. If not, two documents have the number: correct the row first.`,
    ],
    released: [
      'waiting_number_stored',
      `${has}, which ${id} released and which waits to be given again`,
      `Find out who wrote the row. If its document stands, the owner of seqctl takes the number out of waiting: update seqctl.checkout set stops = false where id = ${row.id};`,
    ],
    finalized: [
      'other_document_number',
      `${has} as '${stored ?? ''}'; it was checked out for ${id} as '${row.document}'`,
      `Find out which of them the document bears, and who wrote the row; only '${row.document}' was given by seqctl.`,
    ],
  };
  const [kind, what, hint] = words[state];
  return {
    severity: 'error',
    area: 'numbers',
    kind,
    object: [series, group, period].filter((part) => part !== '').join(' / '),
    what,
    hint,
    counter: { series, group, period, from: BigInt(number), to: BigInt(number) },
  };
}
