import { NotInTransactionError } from './errors.js';
import type { Queryable } from './queryable.js';
import { causesOf, isServerError } from './server-error.js';

/**
 * PostgreSQL does this in a transaction only (25P01), and it leaves nothing behind there: every statement that names a type or a table
 * takes such locks, anybody may, and they are in nobody's way.
 */
const onlyInTransaction = 'lock table pg_catalog.pg_am in access share mode';

/**
 * A pg client knows by itself whether it is in a transaction. Anything else has to ask the server, which is one more round trip; so has a
 * client that is in none, because BEGIN may be in its queue.
 *
 * @throws NotInTransactionError
 */
export async function refuseOutsideOfTransaction(queryable: Queryable): Promise<void> {
  if ('totalCount' in queryable) throw new NotInTransactionError('a pool is in no transaction', undefined);
  if (knowsItsTransaction(queryable)) return;
  try {
    await queryable.query(onlyInTransaction);
  } catch (error) {
    const isOutside = [...causesOf(error)].some((cause) => isServerError(cause) && cause.code === '25P01');
    throw isOutside ? new NotInTransactionError('the client is in no transaction', error) : error;
  }
}

/** `T`, or `E`: then the statement says what is wrong. */
function knowsItsTransaction(queryable: object): boolean {
  const { getTransactionStatus } = queryable as { getTransactionStatus?: unknown };
  return (
    typeof getTransactionStatus === 'function' &&
    ['T', 'E'].includes(Reflect.apply(getTransactionStatus, queryable, []) as string)
  );
}
