/** The version of the package, e.g. `0.1.0`. */
export { toolVersion as version } from '../cli/package.js';

export { awaitDurable } from './await-durable.js';
export {
  checkout,
  type Checkout,
  type CheckoutKey,
  type CheckoutRequest,
  type CheckoutToSettle,
  finalize,
  release,
} from './checkouts.js';
export {
  AlreadyInTransactionError,
  CheckoutExpiredError,
  CheckoutReleasedError,
  CheckoutUnknownError,
  CheckoutUnsettledError,
  ConnectionLostError,
  NotForCallbackError,
  NotInTransactionError,
  OutcomeUnknownError,
  PoolExhaustedError,
  SeqctlError,
  TransactionEndedError,
  TransactionOverError,
  TransactionRolledBackError,
  UnsupportedClientError,
} from './errors.js';
export { allocate, type AllocatedNumber, nextNumber, type NumberRequest } from './numbers.js';
export type { PgClient, PgPool, PgResult, PgSource } from './pg.js';
export type { InTransaction, Queryable, QueryRows } from './queryable.js';
export { defaultRetryPolicy, type RetryPolicy } from './retry.js';
export type { AttachmentRow, CheckoutRow, CounterRow, SeriesRow } from './rows.js';
export type { Durability, IsolationLevel } from './transaction.js';
export { transactionStatus, type TransactionStatus } from './transaction-status.js';
export {
  type CheckedOut,
  type CheckoutOptions,
  type CheckoutOutcome,
  withCheckout,
} from './with-checkout.js';
export { withNumber } from './with-number.js';
export { type TransactionOptions, withTransaction } from './with-transaction.js';
