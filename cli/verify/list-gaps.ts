import type { ConnectionSettings } from '../connection/settings.js';
import { requireSeries } from '../operations/series.js';
import { withSnapshot } from '../session/read.js';
import { readAttachmentFacts } from './attachment-facts.js';
import type { Finding } from './finding.js';
import type { Gap } from './gap.js';
import { checkNumbers } from './numbers.js';
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
}

export interface GapReport {
  /** No gap is unexplained, and every table could be read. */
  readonly ok: boolean;
  /** How many gaps have no explanation, and how many have one; those that are not listed included. */
  readonly unexplained: number;
  readonly explained: number;
  /** By series, the unexplained ones first. */
  readonly gaps: readonly Gap[];
  /** Gaps beyond the limit. */
  readonly omitted: number;
  /** Series whose numbers could not be read. */
  readonly problems: readonly Finding[];
  /** Series without a table: there is nothing to compare their counters with. */
  readonly notCompared: readonly string[];
}

/** A checkout that has expired says where to look, not what became of the number. */
function isExplained({ explanation }: Gap): boolean {
  return explanation !== null && explanation.kind !== 'expired checkout';
}

/** The missing numbers, as ranges, with what the void register says of them. Reads only. @throws SeqctlError */
export async function listGaps(settings: ConnectionSettings, options: GapOptions): Promise<GapReport> {
  const { series: only, group, limit, signal, onProgress } = options;
  return withSnapshot(settings, { doing: 'list the gaps', signal }, async (client) => {
    await prepareReading(client);
    if (only !== undefined) await requireSeries(client, only);
    const facts = await readAttachmentFacts(client, only ?? null);
    const gaps: Gap[] = [];
    const problems: Finding[] = [];
    const notCompared: string[] = [];
    let unexplained = 0;
    let explained = 0;
    for (const series of await readSeriesToCheck(client, facts, only)) {
      onProgress?.(`series ${series.name}: looking for gaps`);
      const listed = gaps.filter((gap) => isExplained(gap)).length;
      const result = await checkNumbers(client, series, {
        limits: { findings: limit - (gaps.length - listed), explained: limit - listed },
        group,
        gapsOnly: true,
      });
      const found = result.findings.flatMap(({ gap }) => gap ?? []);
      const open = found.filter((gap) => !isExplained(gap)).length;
      gaps.push(...found);
      problems.push(...result.findings.filter(({ gap }) => gap === undefined));
      if (!result.compared && series.attachments.length === 0) notCompared.push(series.name);
      unexplained += open + result.omitted.errors;
      explained += found.length - open + result.omitted.explained;
    }
    return {
      ok: unexplained === 0 && problems.length === 0,
      unexplained,
      explained,
      gaps,
      omitted: unexplained + explained - gaps.length,
      problems,
      notCompared,
    };
  });
}
