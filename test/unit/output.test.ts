import { expect, test } from 'vitest';

import { OperationError } from '../../cli/errors.js';
import { formatError, formatTable, isInDocument, Output, TableLines } from '../../cli/output.js';

test('a table is aligned, numbers to the right, without trailing blanks', () => {
  const rows = [
    { name: 'invoice', last: 7n, note: null },
    { name: 'credit', last: 1042n, note: 'x' },
  ];
  const table = formatTable(rows, [
    { title: 'SERIES', value: (row) => row.name },
    { title: 'LAST', value: (row) => row.last },
    { title: 'NOTE', value: (row) => row.note },
  ]);
  expect(table).toBe('SERIES   LAST  NOTE\ninvoice     7\ncredit   1042  x');
});

test('an error says what happened, detail and hint; the stack only when asked for', () => {
  const error = new OperationError('it failed', { sqlstate: '42501', detail: 'a\nb', hint: 'do this' });
  expect(formatError(error, false)).toBe('error: it failed [42501]\ndetail: a\n        b\nhint: do this\n');
  expect(formatError(error, true)).toContain('output.test.ts');
});

test('--json prints one document, bigint as text', () => {
  const written: string[] = [];
  const output = new Output({ stdout: (text) => written.push(text), stderr: () => undefined }, true);
  output.result({ last: 9007199254740993n }, 'text');
  expect(written).toEqual(['{\n  "last": "9007199254740993"\n}\n']);
});

test('a list that comes piece by piece is one document, and one table whose columns grow', async () => {
  const run = async (json: boolean, pieces: readonly (readonly (bigint | string)[])[]): Promise<string> => {
    let written = '';
    const output = new Output({ stdout: (text) => (written += text), stderr: () => undefined }, json);
    const table = new TableLines<bigint | string>([{ title: 'N', value: (one) => one }]);
    await output.resultWithList(
      'list',
      (rows: readonly (bigint | string)[]) => table.add(rows),
      (write) => {
        pieces.forEach(write);
        return Promise.resolve({ document: { ok: true, more: [] }, text: 'the end\n' });
      },
    );
    return written;
  };
  const pieces = [[1n, 2n], [], [300n, 'a\u2028b']];
  expect(await run(true, pieces)).toBe(
    `${JSON.stringify({ list: ['1', '2', '300', 'a\u2028b'], ok: true, more: [] }, null, 2)}\n`,
  );
  expect(await run(true, [[]])).toBe(`${JSON.stringify({ list: [], ok: true, more: [] }, null, 2)}\n`);
  expect(await run(false, pieces)).toBe('N\n1\n2\n       300\na\\u{2028}b\nthe end\n');
});

test.each([
  ['after a piece', [['a'], ['b']], { list: ['a', 'b'], error: { message: 'it broke', exitCode: 4 } }],
  ['before the first', [], null],
])('a list that fails %s: with --json what there is ends in the error', async (_when, pieces, document) => {
  let written = '';
  const output = new Output({ stdout: (text) => (written += text), stderr: () => undefined }, true);
  const error = new OperationError('it broke');
  await expect(
    output.resultWithList(
      'list',
      () => '',
      (write: (rows: readonly string[]) => void) => {
        pieces.forEach(write);
        return Promise.reject<{ document: object; text: string }>(error);
      },
    ),
  ).rejects.toBe(error);
  // Where nothing was printed, the command's error is the document.
  expect(isInDocument(error)).toBe(document !== null);
  if (document === null) expect(written).toBe('');
  else expect(JSON.parse(written)).toMatchObject(document);
});
