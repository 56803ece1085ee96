import type { Queryable } from '../queryable.js';

/** What is needed of a `Kysely` or a `Transaction`: described by its shape, so that seqctl does not depend on Kysely. */
export interface KyselyExecutor {
  executeQuery(query: RawQuery): Promise<{ readonly rows: unknown[] }>;
}

/** @internal What `CompiledQuery.raw()` of Kysely makes. */
export interface RawQuery {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly query: {
    readonly kind: 'RawNode';
    readonly sqlFragments: readonly string[];
    readonly parameters: readonly never[];
  };
  readonly queryId: { readonly queryId: string };
}

/** A Kysely transaction for `nextNumber()`, `allocate()`, `checkout()`, `finalize()` and `release()`. Only with Kysely's dialect for PostgreSQL. */
export function fromKysely(transaction: KyselyExecutor): Queryable {
  return {
    query: (text, values = []) =>
      transaction.executeQuery({
        sql: text,
        parameters: values,
        query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
        queryId: { queryId: 'seqctl' },
      }),
  };
}
