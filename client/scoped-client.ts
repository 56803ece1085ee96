import { NotForCallbackError, TransactionOverError } from './errors.js';
import type { PgClient } from './pg.js';

/** What belongs to the owner of the connection. */
const notForCallbacks = new Set<unknown>(['release', 'end', 'connect']);

/**
 * The client as a callback gets it: the same in everything, until the transaction is over. Then it refuses, for what a callback
 * that threw, or was aborted, still does would otherwise be stored outside of the transaction, or inside of somebody else's.
 */
export function scopeClient<C extends PgClient>(client: C): { client: C; close: () => void } {
  let isOver = false;
  const scoped = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (notForCallbacks.has(name)) throw new NotForCallbackError(String(name));
        if (isOver && name === 'query') return Promise.reject(new TransactionOverError('a statement'));
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { client: scoped, close: () => (isOver = true) };
}
