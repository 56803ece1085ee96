import { expect, test } from 'vitest';

import { ProgressBar } from '../../cli/progress.js';

function written(total: bigint | null, columns: number | undefined, counts: readonly bigint[]): string {
  let text = '';
  const terminal = columns === undefined ? undefined : { columns };
  const bar = new ProgressBar({ stderr: (part) => (text += part), terminal }, total);
  for (const count of counts) bar.update(count);
  bar.end();
  bar.end();
  return text;
}

test('a terminal: one line, drawn over', () => {
  expect(written(8n, 80, [0n, 1n, 8n])).toBe(
    '\r[------------------------]   0 % 0 of 8 rows\u001b[K' +
      '\r[###---------------------]  12 % 1 of 8 rows\u001b[K' +
      '\r[########################] 100 % 8 of 8 rows\u001b[K\n',
  );
});

test('more than was expected is 100 %', () => {
  expect(written(2n, 80, [5n])).toBe('\r[########################] 100 % 5 of 2 rows\u001b[K\n');
});

test('a narrow terminal: never wider than it', () => {
  expect(written(1_000_000n, 20, [1n])).toBe('\r[------------------\u001b[K\n');
});

test('no terminal: a line each tenth of the way', () => {
  const counts = Array.from({ length: 101 }, (_, n) => BigInt(n));
  const lines = written(100n, undefined, counts).split('\n');
  expect(lines).toHaveLength(12);
  expect(lines[1]).toBe('seqctl: 10 of 100 rows');
});

test('nobody knows how many', () => {
  expect(written(null, undefined, [0n, 5n])).toBe('seqctl: 0 rows\nseqctl: 5 rows\n');
  expect(written(null, 80, [5n])).toBe('\r5 rows\u001b[K\n');
  expect(written(0n, undefined, [0n])).toBe('seqctl: 0 rows\n');
});

test('nothing drawn, nothing to end', () => {
  expect(written(3n, 80, [])).toBe('');
});
