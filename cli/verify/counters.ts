import type { Client } from 'pg';

import { countCorrections, readCorrections } from '../operations/corrections.js';
import { type NearLimit, readNearLimits } from '../operations/limits.js';
import { quote } from '../shell.js';
import { describeCounter, describeRecord, type Finding } from './finding.js';

/** More of each than anybody reads; the rest is counted. */
const shownCorrections = 100;

/** More warnings about limits than anybody reads; the rest is counted. */
const shownLimits = 100;

/** What the counters of a series say by themselves, without the tables. */
export async function checkCounters(client: Client, series: string): Promise<Finding[]> {
  const { counters, total } = await readNearLimits(client, series, shownLimits);
  const findings = counters.map(describeLimit);
  if (total > counters.length) {
    findings.push({
      severity: 'warning',
      area: 'numbers',
      kind: 'near_limit',
      object: `series ${series}`,
      what: `${total - counters.length} more counters have used 90 % of their numbers`,
      hint: 'Raise the limit that the counters above have in common.',
    });
  }
  return [
    ...findings,
    ...(await checkClosed(client, series)),
    ...(await checkRecorded(client, series)),
    ...(await listCorrections(client, series)),
  ];
}

function describeLimit(near: NearLimit): Finding {
  const { series, group, period, lastNumber, lastPossible, left, limitedBy } = near;
  const limits: Record<NearLimit['limitedBy'], readonly [limit: string, step: string]> = {
    max_number: ['max_number', `seqctl series alter ${quote(series)} --max-number …`],
    'integer column': ['the integer column', 'make the number column a bigint'],
    max_length: ['max_length', `seqctl series alter ${quote(series)} --max-length …, or a shorter --format`],
  };
  const [limit, step] = limits[limitedBy];
  const what =
    left === 0n
      ? `no number is left: ${lastNumber} is the last that ${limit} allows`
      : `${left === 1n ? '1 number is' : `${left} numbers are`} left: the last was ${lastNumber}, ${limit} allows ${lastPossible}`;
  return {
    severity: 'warning',
    area: 'numbers',
    kind: 'near_limit',
    object: [series, group, period].filter((part) => part !== '').join(' / '),
    what,
    hint: `If the rules you follow allow it: ${step}; else a new series.`,
    counter: { series, group, period, from: lastNumber, to: lastPossible },
  };
}

interface ClosedRow {
  readonly group: string;
  readonly period: string;
  readonly last: string;
  readonly closed: boolean;
}

/** Each counter repeats what the history says of its period. */
async function checkClosed(client: Client, series: string): Promise<Finding[]> {
  const { rows } = await client.query<ClosedRow>(
    `select
        c.group_key as "group",
        seqctl._period_label(s.reset, s.fiscal_year_start, c.period) as period,
        c.last_number as last,
        c.closed
     from seqctl.counter as c
     join seqctl.series as s on s.id = c.series_id
     where s.name = $1
        and (c.closed or exists (select from seqctl.period_closing as p where p.series_id = s.id and p.period = c.period))
        and c.closed <> seqctl._is_closed(s.id, c.group_key, c.period)
     order by c.group_key collate "C", c.period
     limit 100`,
    [series],
  );
  return rows.map(({ group, period, last, closed }) => ({
    severity: 'error',
    area: 'numbers',
    kind: 'closed_differs',
    object: [series, group, period].filter((part) => part !== '').join(' / '),
    what: closed
      ? 'the counter is closed, but nobody closed its period'
      : 'the period was closed, but the counter still gives numbers',
    hint: 'Only seqctl may write seqctl.counter: find out who changed it; then close and reopen the period as it should be.',
    counter: { series, group, period, from: BigInt(last), to: BigInt(last) },
  }));
}

interface RecordedNumber {
  readonly group: string;
  readonly period: string;
  readonly number: string;
  readonly what: string;
  /** null: there is no counter. */
  readonly last: string | null;
}

/**
 * Counters below a number that seqctl has recorded somewhere else: nothing of its own leaves one behind. What only the tables tell is in the
 * comparison with them.
 */
async function checkRecorded(client: Client, series: string): Promise<Finding[]> {
  const { rows } = await client.query<RecordedNumber>(
    `with this as materialized (select * from seqctl.series where name = $1),
     recorded as (
        select r.group_key, r.period, max(r.to_number) as number,
            case r.kind when 'void' then 'is void' else 'is recorded as missing since before adoption' end as what
        from seqctl.voided_range as r
        where r.series_id = (select id from this)
        group by r.group_key, r.period, r.kind
        union all
        select k.group_key, k.period, max(k.number), 'was checked out and is ' || k.state
        from seqctl.checkout as k
        where k.series_id = (select id from this)
            and case k.state when 'finalized' then true when 'released' then k.stops else not k.stops end
        group by k.group_key, k.period, k.state
        union all
        select c.group_key, c.period, h.number, 'has a link in the hash chain'
        from seqctl.counter as c
        cross join lateral (
            select l.number
            from seqctl.chain_link as l
            where l.series_id = c.series_id and l.group_key = c.group_key and l.period = c.period
            order by l.ordinal desc
            limit 1
        ) as h
        where c.series_id = (select id from this where chain)
        union all
        select i.group_key, i.period, max(i.to_number), 'was there when the dates up to it were accepted'
        from seqctl.accepted_inversion as i
        where i.series_id = (select id from this)
        group by i.group_key, i.period
        union all
        (
            select distinct on (r.group_key, r.period) r.group_key, r.period, r.to_number, 'was its last when it was lowered'
            from seqctl.counter_correction as r
            where r.series_id = (select id from this)
            order by r.group_key, r.period, r.id desc
        )
     )
     select distinct on (r.group_key collate "C", r.period)
        r.group_key as "group",
        seqctl._period_label(s.reset, s.fiscal_year_start, r.period) as period,
        r.number,
        r.what,
        c.last_number as last
     from recorded as r
     cross join this as s
     left join seqctl.counter as c on c.series_id = s.id and c.group_key = r.group_key and c.period = r.period
     where r.number > coalesce(c.last_number, s.first_number - 1)
     order by r.group_key collate "C", r.period, r.number desc
     limit 100`,
    [series],
  );
  return rows.map(({ group, period, number, what, last }) => ({
    severity: 'error',
    area: 'numbers',
    kind: last === null ? 'counter_missing' : 'counter_behind',
    object: describeCounter({ series, group, period }),
    what: `${last === null ? 'there is no counter' : `the counter is at ${last}`}, but number ${number} ${what}`,
    hint: 'Only seqctl may write seqctl.counter: find out who changed it.',
    counter: { series, group, period, from: BigInt(last ?? number), to: BigInt(number) },
  }));
}

/** No fault: who lowered or removed a counter, when, and why. */
async function listCorrections(client: Client, series: string): Promise<Finding[]> {
  const corrections = await readCorrections(client, series, shownCorrections);
  const findings = corrections.map((correction): Finding => {
    const { group, period, kind, from, to, reason, recordedBy, recordedAt } = correction;
    const what = kind === 'lowered' ? `lowered from ${from} to ${to ?? ''}` : `removed, at ${from}`;
    return {
      severity: 'info',
      area: 'numbers',
      kind: kind === 'lowered' ? 'counter_lowered' : 'counter_removed',
      object: describeCounter(correction),
      what: `the counter was ${what}: ${reason}`,
      hint: describeRecord(recordedBy, recordedAt),
      counter: { series, group, period, from: to ?? from, to: from },
    };
  });
  const total =
    corrections.length < shownCorrections ? corrections.length : await countCorrections(client, series);
  if (total > corrections.length) {
    findings.push({
      severity: 'info',
      area: 'numbers',
      kind: 'counter_lowered',
      object: `series ${series}`,
      what: `${total - corrections.length} more corrections of counters`,
      hint: 'seqctl.counter_corrections has them all.',
    });
  }
  return findings;
}
