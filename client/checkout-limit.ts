import type { Checkout } from './checkouts.js';
import { CheckoutExpiredError, CheckoutUnsettledError } from './errors.js';

/** Milliseconds. A callback that listens to its signal ends in this time after it aborted; nobody waits longer for it. */
const graceMs = 1000;

/** What a timer of Node can hold, 24 days; a checkout that lasts longer does not expire while anybody waits for it. */
const longestTimerMs = 2 ** 31 - 1;

/** The time that a callback has for its work. */
export interface CheckoutLimit {
  /** Aborts when the caller's signal does, or when the checkout expires. */
  readonly signal: AbortSignal;
  /** Aborts with a CheckoutUnsettledError when the callback has not ended a moment later. */
  readonly overdue: AbortSignal;
  readonly stop: () => void;
}

export function limitOf(
  checkout: Checkout,
  remainingMs: number,
  signal: AbortSignal | undefined,
): CheckoutLimit {
  const limit = new AbortController();
  const overdue = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const abort = (reason: unknown): void => {
    if (limit.signal.aborted) return;
    limit.abort(reason);
    const give = (): void => overdue.abort(new CheckoutUnsettledError(checkout, reason));
    timers.push(setTimeout(give, graceMs));
  };
  const onAbort = (): void => abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  // A timer, unlike the clock, never steps back.
  if (remainingMs <= longestTimerMs)
    timers.push(setTimeout(() => abort(new CheckoutExpiredError(checkout)), remainingMs));
  return {
    signal: limit.signal,
    overdue: overdue.signal,
    stop: () => {
      signal?.removeEventListener('abort', onAbort);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
