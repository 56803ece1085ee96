import type { Client } from 'pg';

import type { ConnectionSettings } from '../connection/settings.js';
import { OperationError } from '../errors.js';
import { type WriteOptions, withWrite } from '../session/write.js';
import { countCounters } from './counters.js';
import { readSeries } from './series.js';

/** The period that has `date` in it. */
export interface PeriodChoice {
  readonly series: string;
  /** e.g. `2025-12-31`; left out for a series that never resets. */
  readonly date?: string | undefined;
  /** Left out: every group. */
  readonly group?: string | undefined;
}

export interface PeriodChange {
  readonly series: string;
  /** e.g. `2025`; `''` in a series that never resets. */
  readonly period: string;
  /** null: every group. */
  readonly group: string | null;
  readonly closed: boolean;
  /** false when it was so already. */
  readonly changed: boolean;
  /** How many counters were closed or opened by this. */
  readonly counters: number;
}

type Options = Omit<WriteOptions, 'doing'>;

/** @throws SeqctlError */
export async function closePeriod(
  connection: ConnectionSettings,
  choice: PeriodChoice,
  options: Options,
): Promise<PeriodChange> {
  const call = 'select * from seqctl.close_period($1, $2::date, group_key => $3)';
  return changePeriod(connection, choice, call, [], { ...options, doing: 'close the period' }, true);
}

/** @throws SeqctlError */
export async function reopenPeriod(
  connection: ConnectionSettings,
  choice: PeriodChoice,
  reason: string,
  options: Options,
): Promise<PeriodChange> {
  const call = 'select * from seqctl.reopen_period($1, $2::date, group_key => $3, reason => $4)';
  return changePeriod(connection, choice, call, [reason], { ...options, doing: 'reopen the period' }, false);
}

async function changePeriod(
  connection: ConnectionSettings,
  { series, date, group }: PeriodChoice,
  call: string,
  values: readonly string[],
  options: WriteOptions,
  closed: boolean,
): Promise<PeriodChange> {
  return withWrite(connection, options, async (client) => {
    if (date !== undefined) await refuseDate(client, series, closed);
    const { rows } = await client.query<{ period: string; changed: boolean; counters: string }>(call, [
      series,
      date ?? null,
      group ?? null,
      ...values,
    ]);
    const { period = '', changed = false, counters = '0' } = rows[0] ?? {};
    if (
      closed &&
      changed &&
      group !== undefined &&
      (await countCounters(client, { series, group, period })) === 0
    ) {
      options.onNotice?.({
        severity: 'NOTICE',
        message: `there is no counter of group ${group} yet`,
        detail: 'None will begin in this period: it is closed for a group of this name.',
        hint: 'If the name is misspelt, reopen it; seqctl counters shows how groups are written.',
      });
    }
    return { series, period, group: group ?? null, closed, changed, counters: Number(counters) };
  });
}

/** Who names a day means one period; a series without periods would be closed for good. */
async function refuseDate(client: Client, name: string, closed: boolean): Promise<void> {
  const series = (await readSeries(client)).find((one) => one.name === name);
  if (series?.reset !== 'never') return;
  const act = closed ? 'close it for good' : 'reopen it';
  throw new OperationError(`series "${name}" never resets: it has no periods that a date could name`, {
    detail: 'Nothing was changed.',
    hint: `Leave --date out to ${act}.`,
  });
}
