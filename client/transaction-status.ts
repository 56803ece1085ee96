import type { Queryable } from './queryable.js';
import { isServerError } from './server-error.js';

/**
 * `in progress`: the server has not finished with it; ask again. `unknown`: too long ago for the server to remember, or the
 * server lost its memory of it in a crash.
 */
export type TransactionStatus = 'committed' | 'rolled back' | 'in progress' | 'unknown';

/**
 * What became of the transaction of an OutcomeUnknownError. Not to be called inside of a transaction.
 *
 * A server that crashed meanwhile may have given the id to another transaction. Therefore the last word has a key of your own
 * in your table; this tells when it is time to look.
 *
 * @param transactionId - `error.transactionId`
 */
export async function transactionStatus(
  queryable: Queryable,
  transactionId: string,
): Promise<TransactionStatus> {
  if (!/^\d{1,20}$/.test(transactionId)) {
    throw new TypeError(
      `transactionId is ${JSON.stringify(transactionId)}; give that of an OutcomeUnknownError`,
    );
  }
  try {
    const { rows } = await queryable.query(
      'select pg_catalog.pg_xact_status($1::pg_catalog.text::pg_catalog.xid8) as status',
      [transactionId],
    );
    const [row] = rows as { status: string | null }[];
    switch (row?.status) {
      case 'committed':
      case 'in progress':
        return row.status;
      case 'aborted':
        return 'rolled back';
      default:
        return 'unknown';
    }
  } catch (error) {
    // The id is in the future: a crash has set the server back to before it.
    if (isServerError(error) && error.code === '22023') return 'unknown';
    throw error;
  }
}
