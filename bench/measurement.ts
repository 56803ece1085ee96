import type { Lab, Scale } from './lab.js';

/** One line of the table: some work, done by seqctl and by a rival side by side. */
export interface Measurement {
  /** The work at this scale, in at most 32 characters, e.g. `INSERT … SELECT 100k, 100 groups`. */
  readonly work: (scale: Scale) => string;
  readonly rival: Opponent;
  /** `rows/s`: more is better, the ratio should be high. `s`: less is better, the ratio should be low. */
  readonly unit: Unit;
  /** The ratio seqctl : rival that must be reached, and the one that is wished for; null where it is only shown. */
  readonly bar: number | null;
  readonly goal: number | null;
  /** Why it cannot be measured on this server by this role; then it is left out. */
  readonly obstacle?: (lab: Lab) => Promise<string | undefined>;
  readonly run: (lab: Lab) => Promise<Samples>;
}

/** What seqctl is compared with: the same work, */
export type Opponent =
  /** with the number given by the statement. */
  | 'un-numbered'
  /** numbered by a counter row that a trigger updates before each row. */
  | 'usual trigger'
  /** done by seqctl on a fifth of the rows. */
  | 'a fifth of the rows'
  /** done by seqctl for a series that keeps no hash chain. */
  | 'no chain';

export type Unit = 'rows/s' | 's';

/** One value a round, in the measurement's unit. */
export interface Samples {
  readonly seqctl: readonly number[];
  readonly rival: readonly number[];
}

/** One side of a measurement: does the work of a round and returns the value measured. */
export type Side = (round: number) => Promise<number>;

/**
 * Rounds A B, B A, A B …: what gets slower or faster with time, or by being first, hits both sides alike.
 * A pair before them warms up caches and plans and is thrown away, unless the rounds are too long for that to matter.
 */
export async function interleave(
  lab: Lab,
  sides: { readonly seqctl: Side; readonly rival: Side },
  { rounds = lab.scale.rounds, warmUp = true } = {},
): Promise<Samples> {
  const samples = { seqctl: [] as number[], rival: [] as number[] };
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? (['rival', 'seqctl'] as const) : (['seqctl', 'rival'] as const)) {
      lab.signal.throwIfAborted();
      const value = await sides[name](round);
      if (round > 0) samples[name].push(value);
    }
  }
  return samples;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
