import { defineConfig } from 'vitest/config';

import base from './vitest.config.js';

/** Tests that need a Chromium on the machine, which npm does not bring: `npm run test:browser`. */
export default defineConfig({
  test: { ...base.test, include: ['test/browser/**/*.test.ts'], exclude: [] },
});
