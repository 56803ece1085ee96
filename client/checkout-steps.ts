import { askAgain, isUnanswered } from './ask-again.js';
import {
  type Checkout,
  checkout,
  type CheckoutRequest,
  type CheckoutToSettle,
  finalize,
  release,
} from './checkouts.js';
import {
  CheckoutReleasedError,
  CheckoutUnknownError,
  CheckoutUnsettledError,
  OutcomeUnknownError,
  SeqctlError,
  TransactionEndedError,
} from './errors.js';
import { inTurn } from './in-turn.js';
import type { PgClient, PgSource } from './pg.js';
import type { Queryable } from './queryable.js';
import { isRetryable, pause, type RetryPolicy } from './retry.js';
import { isServerError } from './server-error.js';
import { type TransactionOptions, withTransaction } from './with-transaction.js';

/** How far a checkout is. */
export interface Standing {
  readonly isFinalized: boolean;
  /** Written by the transaction that asks: it is the one that made or settled it, and not one that repeats what was done. */
  readonly isOurs: boolean;
  readonly reference: string | null;
  /** Until it expires, by the clock of the server. Who goes on with one that has expired has the same time again. */
  readonly remainingMs: number;
}

/**
 * Milliseconds that an attempt keeps a connection while somebody else has a number of the counter: the first one, which all may make at
 * once, and those of the one whose turn it is.
 */
const patienceMs = { first: 5, inTurn: 100 };

/** The longest pause between two of these attempts. */
const waiting: RetryPolicy = { attempts: 1, baseDelayMs: 50, maxDelayMs: 50 };

/** The first step: the number is checked out, or was already. */
export async function checkOut<C extends PgClient>(
  source: PgSource<C>,
  request: CheckoutRequest & { readonly waitMs: number; readonly signal: AbortSignal | undefined },
  policy: RetryPolicy,
): Promise<{ taken: Checkout; standing: Standing }> {
  const { series, group, waitMs, signal } = request;
  const deadline = performance.now() + waitMs;
  const options = { isolationLevel: 'read committed', retry: false, signal } as const;
  const attemptOnce = (ms: number): Promise<{ taken: Checkout; standing: Standing }> =>
    withTransaction(source, options, async (client: C) => {
      await client.query(`select pg_catalog.set_config('lock_timeout', $1, true)`, [`${ms}ms`]);
      const taken = await checkout(client, request);
      return { taken, standing: await standingOf(client, request) };
    });
  const line = JSON.stringify([series, group ?? '']);
  try {
    return await askAgain(policy, signal, async () => {
      let attempt = 1;
      let hasWaited = false;
      for (;;) {
        try {
          // Not in turn at first: who goes on with a number that is checked out already would wait for itself.
          if (!hasWaited) return await attemptOnce(patienceMs.first);
          return await inTurn(source, line, signal, () => attemptOnce(patienceMs.inTurn));
        } catch (error) {
          if (!isServerError(error) || !isRetryable(error)) throw error;
          const mustWait = error.code === '55P03';
          if (mustWait ? performance.now() >= deadline : attempt >= policy.attempts) throw error;
          if (mustWait) hasWaited = true;
          else policy.onRetry?.(error, attempt++);
          await pause(mustWait ? waiting : policy, 1, signal);
        }
      }
    });
  } catch (error) {
    throw error instanceof OutcomeUnknownError ? new CheckoutUnknownError('checkout', request, error) : error;
  }
}

/** What there is to do when the callback has returned. */
export interface Finalization<C extends PgClient> {
  readonly reference: string | undefined;
  readonly store: (client: C) => PromiseLike<unknown>;
  readonly retry: TransactionOptions['retry'];
}

/**
 * The last step, when all went well. undefined: finalized now; otherwise it was before, by somebody else.
 *
 * @throws what `isFinal` says of: then the number cannot be released. After any other error it can.
 */
export async function finalizeNumber<C extends PgClient>(
  source: PgSource<C>,
  taken: Checkout,
  { reference, store, retry }: Finalization<C>,
  policy: RetryPolicy,
): Promise<Standing | undefined> {
  let thrownByStore: unknown;
  let refusal: unknown;
  const options = { isolationLevel: 'read committed', retry } as const;
  const finalizeOnce = (): Promise<Standing | undefined> =>
    withTransaction(source, options, async (client: C) => {
      await finalize(client, { ...taken, reference }).catch((error: unknown) => {
        throw (refusal = error);
      });
      const standing = await standingOf(client, taken);
      if (!standing.isOurs) return standing;
      try {
        await store(client);
      } catch (error) {
        throw (thrownByStore = error);
      }
      return undefined;
    });
  try {
    return await askAgain(
      policy,
      undefined,
      async (mayBeDone) => {
        const before = await finalizeOnce();
        // By a COMMIT of this call, then, which was not answered.
        return mayBeDone ? undefined : before;
      },
      (error) => error === thrownByStore,
    );
  } catch (error) {
    if (error === thrownByStore) throw error;
    if (error instanceof OutcomeUnknownError) throw new CheckoutUnknownError('finalize', taken, error);
    if (isUnanswered(error)) throw new CheckoutUnsettledError(taken, error);
    if (error !== refusal || !isSettled(error)) throw error;
    const standing = await askAgain(policy, undefined, () =>
      withTransaction(source, options, (client: C) => standingOf(client, taken)),
    );
    if (standing.isFinalized) return standing;
    throw new CheckoutReleasedError(taken, error);
  }
}

/** Whether an error of the last step leaves nothing to release, or nothing that may be released. */
export function isFinal(error: unknown): boolean {
  return [CheckoutReleasedError, CheckoutUnknownError, CheckoutUnsettledError, TransactionEndedError].some(
    (type) => error instanceof type,
  );
}

/** The last step, when something went wrong. Why the number could not be released becomes `suppressed` of the error. */
export async function releaseAfter<C extends PgClient>(
  error: unknown,
  source: PgSource<C>,
  taken: Checkout,
  { policy, retry }: { readonly policy: RetryPolicy; readonly retry: TransactionOptions['retry'] },
): Promise<void> {
  try {
    await askAgain(policy, undefined, () =>
      withTransaction(source, { retry }, (client: C) => release(client, taken)),
    );
  } catch (failure) {
    suppress(error, explain(failure, taken));
  }
}

function explain(failure: unknown, taken: Checkout): unknown {
  if (failure instanceof OutcomeUnknownError) return new CheckoutUnknownError('release', taken, failure);
  // Refused: somebody else has finalized it, or there is no such checkout.
  return failure instanceof SeqctlError && failure.code.startsWith('SQ')
    ? failure
    : new CheckoutUnsettledError(taken, failure);
}

/** As the errors of several languages have it; a property that logs show. A thrown text or number cannot have one. */
function suppress(error: unknown, other: unknown): void {
  if (error instanceof Object && Object.isExtensible(error)) Object.assign(error, { suppressed: other });
}

/** Of the checkout that is not released, if there is one; and that has the number, if it is named. */
async function standingOf(
  queryable: Queryable,
  { series, correlationId, number }: CheckoutToSettle,
): Promise<Standing> {
  const { rows } = await queryable.query(
    `select c.state, c.reference, c.xmin = pg_catalog.pg_current_xact_id()::xid as ours,
       extract(epoch from c.expires_at - case when c.expires_at > now.now then now.now else c.opened_at end)::float8 * 1000 as remaining
     from pg_catalog.clock_timestamp() as now(now), seqctl.checkout c
     join seqctl.series s on s.id = c.series_id
     where s.name = $1::text and c.correlation_id = $2::text and c.state <> 'released'
       and ($3::bigint is null or c.number = $3::bigint)`,
    [series, correlationId, number ?? null],
  );
  const [row] = rows as { state: string; reference: string | null; ours: boolean; remaining: number }[];
  return {
    isFinalized: row?.state === 'finalized',
    isOurs: row?.ours ?? false,
    reference: row?.reference ?? null,
    remainingMs: row?.remaining ?? 0,
  };
}

/** Somebody else has released it, or finalized it with another reference. */
function isSettled(error: unknown): boolean {
  return error instanceof SeqctlError && error.code === 'SQ038';
}
