import { expect, test } from 'vitest';

import { quickScale, Lab } from '../../bench/lab.js';
import { interleave, median } from '../../bench/measurement.js';
import { measurements } from '../../bench/measurements/index.js';

const sandbox = { name: 'none', where: 'nowhere', settings: undefined as never };

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 2, 100], 3],
])('the median of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

test('the sides take turns, each first as often; the warm-up is not in the samples', async () => {
  const lab = new Lab(sandbox, quickScale, new AbortController().signal);
  const order: string[] = [];
  const side = (name: string) => (round: number) => {
    order.push(`${name}${round}`);
    return Promise.resolve(round);
  };
  const samples = await interleave(lab, { seqctl: side('s'), rival: side('r') }, { rounds: 2 });
  expect(order).toEqual(['r0', 's0', 's1', 'r1', 'r2', 's2']);
  expect(samples).toEqual({ seqctl: [1, 2], rival: [1, 2] });
});

test('an interrupted run stops before the next side', async () => {
  const interruption = new AbortController();
  const lab = new Lab(sandbox, quickScale, interruption.signal);
  const seqctl = (): Promise<number> => Promise.reject(new Error('must not run'));
  const rival = (): Promise<number> => {
    interruption.abort(new Error('SIGINT'));
    return Promise.resolve(1);
  };
  await expect(interleave(lab, { seqctl, rival })).rejects.toThrow('SIGINT');
});

test('every line of the table is told apart by work and rival, and fits its column', () => {
  const names = measurements.map(({ work, rival }) => `${work(quickScale)}, ${rival}`);
  expect(new Set(names).size).toBe(names.length);
  for (const { work } of measurements) expect(work(quickScale).length).toBeLessThanOrEqual(32);
});
