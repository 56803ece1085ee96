import { expect, test } from 'vitest';

import { compareVersions } from '../../cli/installer/semver.js';

test('versions in their order', () => {
  const sorted = [
    '0.1.0-beta.2',
    '0.1.0-beta.10',
    '0.1.0',
    '0.1.1',
    '0.2.0',
    '0.10.0',
    '1.0.0-rc.1',
    '1.0.0',
  ];
  for (const [i, a] of sorted.entries()) {
    for (const [j, b] of sorted.entries())
      expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).toBe(Math.sign(i - j));
  }
});
