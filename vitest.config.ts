import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

// .ci/run names a file, to count the tests from.
const results = process.env['SEQCTL_TEST_RESULTS'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need more than Node and npm.
    exclude: ['test/browser/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Each file has a database of its own; vitest would leave one of two processors idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...(results === undefined ? {} : { reporters: ['default', ['json', { outputFile: results }]] }),
  },
});
