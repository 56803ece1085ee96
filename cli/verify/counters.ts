import type { Client } from 'pg';

import { type NearLimit, readNearLimits } from '../operations/limits.js';
import { quote } from '../shell.js';
import type { Finding } from './finding.js';

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
  return [...findings, ...(await checkClosed(client, series))];
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
