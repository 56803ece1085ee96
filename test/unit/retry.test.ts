import { expect, test } from 'vitest';

import { defaultRetryPolicy, isRetryable, longestPauseMs, retryPolicyOf } from '../../client/retry.js';

const errorOf = (fields: object): Parameters<typeof isRetryable>[0] =>
  Object.assign(new Error('made up'), { code: '' }, fields);

test.each([
  ['serialization failure', { code: '40001' }, true],
  ['deadlock', { code: '40P01' }, true],
  ['lock not available', { code: '55P03' }, true],
  [
    'first use of a counter',
    { code: '23505', schema: 'seqctl', table: 'counter', constraint: 'counter_pkey' },
    true,
  ],
  [
    'another key of seqctl',
    { code: '23505', schema: 'seqctl', table: 'series', constraint: 'series_name_key' },
    false,
  ],
  [
    'a counter_pkey of the application',
    { code: '23505', schema: 'public', table: 'counter', constraint: 'counter_pkey' },
    false,
  ],
  [
    'a key of the application',
    { code: '23505', schema: 'public', table: 'invoices', constraint: 'invoices_pkey' },
    false,
  ],
  ['a refusal of seqctl', { code: 'SQ014' }, false],
  ['statement timeout', { code: '57014' }, false],
  ['connection failure', { code: '08006' }, false],
])('%s', (_, fields, expected) => expect(isRetryable(errorOf(fields))).toBe(expected));

test('pauses grow up to a limit', () => {
  const pauses = Array.from({ length: 10 }, (_, n) => longestPauseMs(defaultRetryPolicy, n + 1));
  expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
  expect(longestPauseMs(defaultRetryPolicy, 5000)).toBe(1000);
});

test('what the options leave out is the default', () => {
  expect(retryPolicyOf(undefined)).toEqual(defaultRetryPolicy);
  expect(retryPolicyOf({ attempts: 3 })).toEqual({ ...defaultRetryPolicy, attempts: 3 });
  expect(retryPolicyOf(false).attempts).toBe(1);
});
