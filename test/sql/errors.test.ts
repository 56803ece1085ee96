import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

/** Every SQnnn that stands in sql/. */
function codesInSources(): string[] {
  const folder = 'sql/functions';
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
    .join('\n');
  return [...new Set([...text.matchAll(/errcode = '(SQ\d{3})'/g)].map((match) => match[1] ?? ''))].sort();
}

test('the table of errors in the README lists what sql/ raises, and nothing else', () => {
  const codes = codesInSources();
  expect(codes.length).toBeGreaterThan(10);
  // The README is written after the engine.
  if (!existsSync('README.md')) return;
  const rows = [...readFileSync('README.md', 'utf8').matchAll(/^\|\s*`?(SQ\d{3})`?\s*\|/gm)].map(
    (match) => match[1] ?? '',
  );
  expect(rows).toEqual(codes);
});
