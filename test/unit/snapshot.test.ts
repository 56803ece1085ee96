import { expect, test } from 'vitest';

import { diffSnapshots, type Snapshot } from '../../cli/installer/snapshot.js';

const table = { kind: 'table', name: 's.t', parent: null, definition: 'r' };
const column = { kind: 'column', name: 's.t.a', parent: 'table s.t', definition: 'integer' };

test.each<[string, Snapshot, Snapshot, string[]]>([
  ['nothing', [table, column], [table, column], []],
  ['a new table goes with its columns', [], [table, column], ['create s.t']],
  ['a dropped table goes with its columns', [table, column], [], ['drop s.t']],
  ['a new column', [table], [table, column], ['create s.t.a']],
  ['a changed column', [table, column], [table, { ...column, definition: 'text' }], ['change s.t.a']],
])('%s', (_name, before, after, expected) => {
  expect(diffSnapshots(before, after).map(({ action, name }) => `${action} ${name}`)).toEqual(expected);
});
