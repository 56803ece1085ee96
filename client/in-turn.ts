import { abortable } from './abortable.js';

const lines = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * One piece of work of a name at a time, in the order of asking, among those that use one pool. So the callers who wait for one counter
 * do not take all connections, of which whoever has the number needs one to get on.
 */
export function inTurn<T>(
  source: object,
  name: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const line = lines.get(source) ?? new Map<string, Promise<unknown>>();
  lines.set(source, line);
  const before = line.get(name) ?? Promise.resolve();
  const mine = abortable(before, signal).then(work);
  // Who gives up while waiting lets nobody in before the turn.
  const after = Promise.allSettled([before, mine]).then(() => {
    if (line.get(name) === after) line.delete(name);
  });
  line.set(name, after);
  return mine;
}
