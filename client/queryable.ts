/**
 * Anything that runs one SQL statement with `$1`, `$2` … for its values: a `Pool`, `Client` or `PoolClient` of pg as it is, and the
 * transactions of Kysely, Drizzle and Knex through `seqctl/kysely`, `seqctl/drizzle` and `seqctl/knex`.
 */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<QueryRows>;
}

/** What a statement gave: one object a row, with the columns as its keys. */
export interface QueryRows {
  readonly rows: unknown[];
}

/** A Queryable that is in a transaction, which no pool is: it takes another connection for each statement. */
export interface InTransaction extends Queryable {
  /** A pool of pg has it. */
  readonly totalCount?: never;
}
