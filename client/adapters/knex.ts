import type { Queryable } from '../queryable.js';

/** What is needed of a `Knex` or a `Knex.Transaction`: described by its shape, so that seqctl does not depend on Knex. */
export interface KnexExecutor {
  raw(sql: string, bindings: never[]): PromiseLike<unknown>;
}

/** A Knex transaction for `nextNumber()`, `allocate()`, `checkout()`, `finalize()` and `release()`. Only with Knex's client for PostgreSQL over pg. */
export function fromKnex(transaction: KnexExecutor): Queryable {
  return {
    query: async (text, values = []) => {
      const result = await transaction.raw(text.replaceAll(/\$\d+/g, '?'), values as never[]);
      return result as { rows: unknown[] };
    },
  };
}
