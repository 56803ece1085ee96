import type { ConnectionSettings } from '../connection/settings.js';
import { type CounterFilter, sumCounters } from '../operations/counters.js';
import { OperationError } from '../errors.js';
import { requireSeries } from '../operations/series.js';
import { type ReadOptions, withSnapshot } from '../session/read.js';
import { readAttachmentFacts } from './attachment-facts.js';
import type { Finding } from './finding.js';
import type { Gap } from './gap.js';
import { listSeriesGaps } from './numbers.js';
import { prepareReading, readSeriesToCheck } from './verify.js';

/** Every series, group and period that the filter leaves. */
export interface GapOptions extends CounterFilter {
  /** Most unexplained gaps, and most explained ones. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  /** See ReadOptions. */
  readonly onWaiting?: ReadOptions['onWaiting'];
}

export interface GapSummary {
  /** No gap is unexplained, and every table could be read. */
  readonly ok: boolean;
  /** How many gaps have no explanation, and how many have one; those that are not listed included. */
  readonly unexplained: number;
  readonly explained: number;
  /** Gaps beyond the limit. */
  readonly omitted: number;
  /** Series whose numbers could not be read. */
  readonly problems: readonly Finding[];
  /** What was compared with the tables: counters, and the numbers that they gave. */
  readonly counters: number;
  readonly numbers: bigint;
  /** Series without a table: there is nothing to compare their counters with. */
  readonly notCompared: readonly string[];
  /** The numbers that these gave. */
  readonly numbersNotCompared: bigint;
}

/**
 * The missing numbers, as ranges, with what the void register and the checkouts say of them: by series, the unexplained ones first. `onGaps` gets them
 * a few thousand at a time, so that a million of them need no more memory. Reads only.
 *
 * @throws SeqctlError, also when there is no such counter: what was not looked at must not pass for complete
 */
export async function listGaps(
  settings: ConnectionSettings,
  options: GapOptions,
  onGaps: (gaps: readonly Gap[]) => void,
): Promise<GapSummary> {
  const { series: only, group, period, limit, signal, onProgress, onWaiting } = options;
  return withSnapshot(settings, { doing: 'list the gaps', signal, onWaiting }, async (client) => {
    await prepareReading(client);
    if (only !== undefined) await requireSeries(client, only);
    const facts = await readAttachmentFacts(client, only ?? null);
    const problems: Finding[] = [];
    const notCompared: string[] = [];
    const isFiltered = group !== undefined || period !== undefined;
    const left = { findings: limit, explained: limit };
    const sums = { unexplained: 0, explained: 0, listed: 0 };
    const compared = { counters: 0, numbers: 0n };
    let numbersNotCompared = 0n;
    let known = 0;
    for (const series of await readSeriesToCheck(client, facts, only)) {
      onProgress?.(`series ${series.name}: looking for gaps`);
      const given = await sumCounters(client, { series: series.name, group, period });
      known += given.counters;
      const result = await listSeriesGaps(client, series, { limits: { ...left }, group, period, onGaps });
      if (result.compared) {
        const { unexplained, explained, listed } = result.value;
        left.findings -= Math.min(left.findings, unexplained);
        left.explained -= Math.min(left.explained, explained);
        sums.unexplained += unexplained;
        sums.explained += explained;
        sums.listed += listed;
        compared.counters += given.counters;
        compared.numbers += given.numbers;
      } else {
        problems.push(...result.problems);
        if (series.attachments.length === 0 && (given.counters > 0 || !isFiltered)) {
          notCompared.push(series.name);
          numbersNotCompared += given.numbers;
        }
      }
    }
    const { unexplained, explained, listed } = sums;
    // Rows may have numbers of a counter that is gone.
    if (isFiltered && known === 0 && unexplained + explained === 0) throw noSuchCounter(options);
    return {
      ok: unexplained === 0 && problems.length === 0,
      unexplained,
      explained,
      omitted: unexplained + explained - listed,
      problems,
      ...compared,
      notCompared,
      numbersNotCompared,
    };
  });
}

function noSuchCounter({ series, group, period }: CounterFilter): OperationError {
  const words = [
    series === undefined ? '' : ` of series "${series}"`,
    group === undefined ? '' : ` of group "${group}"`,
    period === undefined ? '' : ` of period "${period}"`,
  ];
  return new OperationError(`there is no counter${words.join('')}`, {
    detail: 'Nothing was compared.',
    hint: 'Correct the group and the period: seqctl counters shows how they are written.',
  });
}
