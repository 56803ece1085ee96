import { abortable } from './abortable.js';
import { borrow, type Loan } from './borrow.js';
import { cancel } from './cancel.js';
import { OutcomeUnknownError } from './errors.js';
import type { PgClient, PgSource } from './pg.js';
import { pause, type RetryPolicy, retryPolicyOf } from './retry.js';
import { scopeClient } from './scoped-client.js';
import { type BeginOptions, refuseUnknownOptions, Transaction } from './transaction.js';

export interface TransactionOptions extends BeginOptions {
  /** That of the session (`default_transaction_isolation`) when left out. The snapshot is taken before the callback begins. */
  readonly isolationLevel?: BeginOptions['isolationLevel'];
  /** `commit` when left out. `group` needs level `read`. */
  readonly durability?: BeginOptions['durability'];
  /**
   * Gives up: the running statement is cancelled, the connection closed, and the signal's reason is thrown. Once COMMIT was sent it is an
   * OutcomeUnknownError instead.
   */
  readonly signal?: AbortSignal | undefined;
  /** Replaces parts of `defaultRetryPolicy`; `false`: no second attempt. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
}

/**
 * Runs `work` in a transaction: BEGIN before, COMMIT after, ROLLBACK when it throws. When PostgreSQL says 40001, 40P01 or 55P03, all of
 * it is run again, so `work` must have no effect outside of the database. An error that did not come from this connection is never a
 * reason to do so, whatever it looks like.
 *
 * @param source - a pool of pg, or a connected client that is in no transaction
 * @param work - gets the client of the transaction, which is of no use to it afterwards
 * @returns what `work` returned, once COMMIT (and with `durability: 'group'` the flush) was answered
 * @throws what `work` threw; the last error of PostgreSQL when the attempts are used up; SeqctlError for a refusal of seqctl (`SQ001` …)
 * and its subclasses: OutcomeUnknownError, TransactionEndedError, TransactionRolledBackError, ConnectionLostError, PoolExhaustedError,
 * AlreadyInTransactionError, UnsupportedClientError; RangeError for an option that it does not know. Nothing is stored then, but for what
 * the first two say.
 */
export async function withTransaction<C extends PgClient, T>(
  source: PgSource<C>,
  options: TransactionOptions,
  work: (client: C) => PromiseLike<T>,
): Promise<T> {
  refuseUnknownOptions(options);
  const policy = retryPolicyOf(options.retry);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(source, options, work);
    if ('value' in outcome) return outcome.value;
    if (!outcome.canRetry || attempt >= policy.attempts) throw outcome.error;
    policy.onRetry?.(outcome.error, attempt);
    await pause(policy, attempt, options.signal);
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown; readonly canRetry: boolean };

async function attemptOnce<C extends PgClient, T>(
  source: PgSource<C>,
  options: TransactionOptions,
  work: (client: C) => PromiseLike<T>,
): Promise<Outcome<T>> {
  options.signal?.throwIfAborted();
  const loan = await borrow(source, options.signal);
  const transaction = new Transaction(loan.client, options);
  let isFit = false;
  try {
    await transaction.begin();
    const value = await runScoped(loan, options.signal, work);
    await transaction.commit();
    isFit = true;
    return { value };
  } catch (error) {
    // Where nobody knows whether it is stored, nothing more is done: no second attempt, and no cancelling of what may be a COMMIT.
    if (error instanceof OutcomeUnknownError) return { error, canRetry: false };
    const canRetry = transaction.canRunAgain(error);
    isFit = await transaction.rollback();
    if (!isFit) cancel(loan.client);
    return { error: transaction.explain(error), canRetry: canRetry && isFit };
  } finally {
    transaction.watch.stop();
    loan.giveBack(isFit);
  }
}

async function runScoped<C extends PgClient, T>(
  { client }: Loan<C>,
  signal: AbortSignal | undefined,
  work: (client: C) => PromiseLike<T>,
): Promise<T> {
  const scope = scopeClient(client);
  try {
    return await abortable(Promise.resolve(work(scope.client)), signal);
  } finally {
    scope.close();
  }
}
