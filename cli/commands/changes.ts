import type { Change } from '../installer/snapshot.js';
import { formatTable } from '../output.js';

/** The list of changed objects below a sentence; nothing for an empty list. */
export function formatChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return '';
  const table = formatTable(changes, [
    { title: 'CHANGE', value: (change) => change.action },
    { title: 'KIND', value: (change) => change.kind },
    { title: 'NAME', value: (change) => change.name },
  ]);
  return `\n\n${table}`;
}
