import type { ConnectionSettings } from '../connection/settings.js';
import { requireSeries } from '../operations/series.js';
import { type ReadOptions, withSnapshot } from '../session/read.js';
import { readAttachmentFacts } from './attachment-facts.js';
import type { Finding } from './finding.js';
import type { Gap } from './gap.js';
import { listSeriesGaps } from './numbers.js';
import { prepareReading, readSeriesToCheck } from './verify.js';

export interface GapOptions {
  /** Left out: every series. */
  readonly series?: string | undefined;
  /** Left out: every group. */
  readonly group?: string | undefined;
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
  /** Series without a table: there is nothing to compare their counters with. */
  readonly notCompared: readonly string[];
}

/**
 * The missing numbers, as ranges, with what the void register and the checkouts say of them: by series, the unexplained ones first. `onGaps` gets them
 * a few thousand at a time, so that a million of them need no more memory. Reads only.
 *
 * @throws SeqctlError
 */
export async function listGaps(
  settings: ConnectionSettings,
  options: GapOptions,
  onGaps: (gaps: readonly Gap[]) => void,
): Promise<GapSummary> {
  const { series: only, group, limit, signal, onProgress, onWaiting } = options;
  return withSnapshot(settings, { doing: 'list the gaps', signal, onWaiting }, async (client) => {
    await prepareReading(client);
    if (only !== undefined) await requireSeries(client, only);
    const facts = await readAttachmentFacts(client, only ?? null);
    const problems: Finding[] = [];
    const notCompared: string[] = [];
    const left = { findings: limit, explained: limit };
    const sums = { unexplained: 0, explained: 0, listed: 0 };
    for (const series of await readSeriesToCheck(client, facts, only)) {
      onProgress?.(`series ${series.name}: looking for gaps`);
      const result = await listSeriesGaps(client, series, { limits: { ...left }, group, onGaps });
      if (result.compared) {
        const { unexplained, explained, listed } = result.value;
        left.findings -= Math.min(left.findings, unexplained);
        left.explained -= Math.min(left.explained, explained);
        sums.unexplained += unexplained;
        sums.explained += explained;
        sums.listed += listed;
      } else {
        problems.push(...result.problems);
        if (series.attachments.length === 0) notCompared.push(series.name);
      }
    }
    const { unexplained, explained, listed } = sums;
    return {
      ok: unexplained === 0 && problems.length === 0,
      unexplained,
      explained,
      omitted: unexplained + explained - listed,
      problems,
      notCompared,
    };
  });
}
