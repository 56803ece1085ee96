import type { Queryable } from './queryable.js';

/**
 * Returns when everything that was committed before is on disk, and on the synchronous standbys: what comes after COMMIT when the
 * transaction had `synchronous_commit = off`. Not to be called inside of a transaction, where nothing is waited for before its COMMIT.
 * `withTransaction(pool, { durability: 'group' }, …)` does both.
 *
 * @throws what the driver throws, such as 42501 (the role needs level `read`) and 25006 (on a standby)
 */
export async function awaitDurable(queryable: Queryable): Promise<void> {
  await queryable.query('select seqctl.await_durable()');
}
