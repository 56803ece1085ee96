import { readFileSync } from 'node:fs';

import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';

import { examples } from '../../examples/examples.js';
import { blocksOf } from '../docs/markdown.js';
import { createDatabase } from '../support/database.js';

/** Folder and what it prints, in the order of examples/README.md. */
function shownExamples(): [string, string][] {
  const text = readFileSync('examples/README.md', 'utf8');
  const names = [...text.matchAll(/^## (.*)$/gm)].map(([, name]) => name ?? '');
  const outputs = blocksOf(text).filter(({ language }) => language === 'text');
  return names.map((name, index) => [name, outputs[index]?.text ?? '']);
}

test('examples/README.md shows what there is', () => {
  expect(shownExamples().map(([name]) => name)).toEqual(Object.keys(examples));
});

test.each(shownExamples())('%s prints what examples/README.md shows', async (name, output) => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const pool = new pg.Pool({ connectionString: database.url });
  // The database is dropped while its connections close.
  pool.on('error', () => undefined);
  const lines: string[] = [];
  try {
    await examples[name]?.(pool, (line) => lines.push(line));
  } finally {
    await pool.end();
  }
  expect(lines.join('\n')).toBe(output);
});
