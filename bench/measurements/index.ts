import type { Measurement } from '../measurement.js';
import { atCommit } from './at-commit.js';
import { bulk } from './bulk.js';
import { chained } from './chained.js';
import { earlyRelease } from './early-release.js';
import { longTransaction } from './long-transaction.js';
import { manyCounters, oneRow } from './one-row.js';

/** Every line of the table, in its order. */
export const measurements: readonly Measurement[] = [
  ...oneRow,
  ...earlyRelease,
  ...atCommit,
  ...manyCounters,
  ...bulk,
  ...longTransaction,
  ...chained,
];
