import { abortable } from './abortable.js';
import { limitOf } from './checkout-limit.js';
import { checkOut, finalizeNumber, isFinal, releaseAfter } from './checkout-steps.js';
import type { Checkout, CheckoutRequest } from './checkouts.js';
import type { PgClient, PgSource } from './pg.js';
import { type RetryPolicy, retryPolicyOf } from './retry.js';

/** What a callback gets. */
export interface CheckedOut extends Checkout {
  /** Aborts when the signal of the options does, and when the ttl has run out. The callback should end then, by throwing. */
  readonly signal: AbortSignal;
}

export interface CheckoutOptions<C extends PgClient, T> extends CheckoutRequest {
  /**
   * Runs in the transaction that finalizes, after the callback: what it writes with its client and the finalization are stored together,
   * or neither is. A row of an attached table can have the number now. Like the work of `withTransaction()` it may be run again, so it
   * must have no effect outside of the database. What it throws releases the number.
   */
  readonly store?: ((client: C, checkout: Checkout, result: T) => PromiseLike<unknown>) | undefined;
  /** Where the document is, kept with the checkout: given here, or found in the result. */
  readonly reference?: string | ((result: T) => string | undefined) | undefined;
  /**
   * Milliseconds; 30000 when left out. How long to wait while somebody else has a number of this counter. No connection is held for long
   * meanwhile. Then PostgreSQL's 55P03 is thrown.
   */
  readonly waitMs?: number | undefined;
  /**
   * Gives up waiting for a number, and aborts the callback's signal. It is the callback that decides what then becomes of the number:
   * if it throws, the number is released; if it returns, it is finalized.
   */
  readonly signal?: AbortSignal | undefined;
  /** Replaces parts of `defaultRetryPolicy` for the steps in the database; `false`: no second attempt. The callback is never run again. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
}

/** What became of a checkout. `alreadyFinalized` tells whether it was this call that finalized it. */
export type CheckoutOutcome<T> =
  | (Checkout & {
      readonly alreadyFinalized: false;
      /** What the callback returned. */
      readonly result: T;
    })
  | (Checkout & {
      /** A call with this correlation id did before, so the callback was not run; or another process was faster. `store` was not run. */
      readonly alreadyFinalized: true;
      /** What that call kept, if anything. */
      readonly reference: string | null;
    });

/**
 * A number for work outside of the database: checks it out, runs `work` with it, and finalizes it. No connection is held while
 * `work` runs. If `work` throws, the number is released, and the same error thrown; it is run at most once a call.
 *
 * The correlation id makes it safe to call again after a crash: the call goes on with the same number, and runs `work` once more unless the
 * number is finalized already. So `work` should do no harm when it is repeated with the same number (write the same file again, use the
 * document number as idempotency key), and no two processes should work on one correlation id at a time.
 *
 * @param source - a pool of pg, or a connected client that is in no transaction
 * @param work - gets the number; its signal aborts when the ttl has run out
 * @returns with `alreadyFinalized: false` what `work` returned; with `alreadyFinalized: true` the number and its `reference`
 * @throws what `work` or `store` threw, once the number is released (else `suppressed` of that error is a CheckoutUnsettledError or a
 * CheckoutUnknownError); CheckoutReleasedError when the number was taken away meanwhile; CheckoutUnsettledError when the number is
 * still checked out; CheckoutUnknownError when the outcome of a step is unknown; PostgreSQL's 55P03 when `waitMs` is over; what
 * `checkout()` throws when there is no number to be had; and what `withTransaction()` throws
 */
export async function withCheckout<C extends PgClient, T>(
  source: PgSource<C>,
  options: CheckoutOptions<C, T>,
  work: (checkout: CheckedOut) => PromiseLike<T>,
): Promise<CheckoutOutcome<T>> {
  const { retry, signal, waitMs = 30_000, store = () => Promise.resolve(), reference } = options;
  if (!(waitMs >= 0)) throw new RangeError(`waitMs is ${waitMs}; give milliseconds, 0 or more`);
  const policy = retryPolicyOf(retry);
  const { taken, standing } = await checkOut(source, { ...options, waitMs, signal }, policy);
  if (standing.isFinalized) return { ...taken, alreadyFinalized: true, reference: standing.reference };
  const limit = limitOf(taken, standing.remainingMs, signal);
  const isOverdue = (error: unknown): boolean => limit.overdue.aborted && error === limit.overdue.reason;
  try {
    const working = Promise.resolve(work({ ...taken, signal: limit.signal }));
    const result = await abortable(working, limit.overdue).finally(limit.stop);
    const finalization = {
      reference: typeof reference === 'function' ? reference(result) : reference,
      store: (client: C) => store(client, taken, result),
      retry,
    };
    const before = await finalizeNumber(source, taken, finalization, policy);
    return before === undefined
      ? { ...taken, alreadyFinalized: false, result }
      : { ...taken, alreadyFinalized: true, reference: before.reference };
  } catch (error) {
    // Who has not ended may still use the number.
    if (!isOverdue(error) && !isFinal(error)) await releaseAfter(error, source, taken, { policy, retry });
    throw error;
  } finally {
    limit.stop();
  }
}
