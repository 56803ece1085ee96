import { allocate, type AllocatedNumber, type NumberRequest } from './numbers.js';
import type { PgClient, PgSource } from './pg.js';
import { type TransactionOptions, withTransaction } from './with-transaction.js';

/**
 * The protected scope: takes the next number of a series and runs `work` in the same transaction. What `work` writes with its client
 * and the number are stored together, or neither is, and the number goes to the next caller.
 *
 * Nobody else gets a number of this counter before `work` is done, so do what takes long before or afterwards. If the number can come
 * last, `withTransaction()` with `nextNumber()` at the end holds the counter for a shorter time. A table that is attached numbers
 * its rows by itself: use `withTransaction()` there.
 *
 * @param source - a pool of pg, or a connected client that is in no transaction
 * @throws as `withTransaction()`; a SeqctlError SQ001, SQ010, SQ011, SQ014 or SQ015 when there is no number to be had
 */
export function withNumber<C extends PgClient, T>(
  source: PgSource<C>,
  options: NumberRequest & TransactionOptions,
  work: (allocated: AllocatedNumber, client: C) => PromiseLike<T>,
): Promise<T> {
  return withTransaction(source, options, async (client: C) => {
    const [allocated] = await allocate(client, { ...options, howMany: 1 });
    return work(allocated, client);
  });
}
