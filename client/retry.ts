import { setTimeout as delay } from 'node:timers/promises';

import type { ServerError } from './server-error.js';

/** How a transaction that lost a race is run again. */
export interface RetryPolicy {
  /** How often it is run at most, the first time included. */
  readonly attempts: number;
  /**
   * Milliseconds. The pause before the n-th repetition is a random time between 0 and `baseDelayMs` × 2ⁿ⁻¹, and at most
   * `maxDelayMs` (full jitter, so that those who collided do not collide again).
   */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Told of each failure that is followed by another attempt; for a log. */
  readonly onRetry?: ((error: unknown, attempt: number) => void) | undefined;
}

/** What holds where the options say nothing. */
export const defaultRetryPolicy: RetryPolicy = { attempts: 10, baseDelayMs: 10, maxDelayMs: 1000 };

/** @internal `false`: once and no more. */
export function retryPolicyOf(options: Partial<RetryPolicy> | false | undefined): RetryPolicy {
  if (options === false) return { ...defaultRetryPolicy, attempts: 1 };
  const policy = { ...defaultRetryPolicy, ...options };
  if (!Number.isInteger(policy.attempts) || policy.attempts < 1) {
    throw new RangeError(`retry.attempts is ${policy.attempts}; give a whole number of 1 or more`);
  }
  if (!(policy.baseDelayMs >= 0 && policy.maxDelayMs >= 0)) {
    throw new RangeError('retry.baseDelayMs and retry.maxDelayMs are milliseconds, 0 or more');
  }
  return policy;
}

/** Serialization failure, deadlock, lock not available (`lock_timeout`, NOWAIT). */
const retryable = new Set(['40001', '40P01', '55P03']);

/** @internal Whether the same transaction can succeed when it is run again, as far as PostgreSQL's error tells. */
export function isRetryable({ code, schema, table, constraint }: ServerError): boolean {
  // Two sessions made the same counter. Any other 23505 is a matter between the application and its own unique keys.
  const isFirstUse = schema === 'seqctl' && table === 'counter' && constraint === 'counter_pkey';
  return retryable.has(code) || (code === '23505' && isFirstUse);
}

/** @internal */
export function longestPauseMs({ baseDelayMs, maxDelayMs }: RetryPolicy, attempt: number): number {
  return Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
}

/** @internal Waits before attempt `attempt + 1`; throws the signal's reason as soon as it aborts. */
export async function pause(
  policy: RetryPolicy,
  attempt: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  await delay(Math.random() * longestPauseMs(policy, attempt), undefined, options).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
