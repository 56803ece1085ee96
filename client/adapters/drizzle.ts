import type { Queryable } from '../queryable.js';

/** What is needed of a Drizzle database or transaction over pg: described by its shape, so that seqctl does not depend on Drizzle. */
export interface DrizzleExecutor<S> {
  execute(query: S): PromiseLike<{ readonly rows: unknown[] }>;
}

/**
 * A Drizzle transaction for `nextNumber()`, `allocate()`, `checkout()`, `finalize()` and `release()`.
 *
 * @param sql - Drizzle's own `sql`, from `drizzle-orm`
 */
export function fromDrizzle<S>(
  transaction: DrizzleExecutor<S>,
  sql: (strings: TemplateStringsArray, ...values: unknown[]) => S,
): Queryable {
  return {
    query: async (text, values = []) => {
      const strings = text.split(/\$\d+/);
      return transaction.execute(sql(Object.assign(strings, { raw: strings }), ...values));
    },
  };
}
