import { ConnectionLostError, OutcomeUnknownError, PoolExhaustedError } from './errors.js';
import { pause, type RetryPolicy } from './retry.js';
import { isNotQueryable, isServerError } from './server-error.js';

/** Of Node's sockets. */
const unreachable = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOENT']);

/**
 * Runs a step that may be run again whatever became of it, until the database has answered: "yes", or "no" with an error of its
 * own. So it survives a lost connection, also in the middle of COMMIT, a server that starts again, and a pool without a connection.
 *
 * @param step - is told whether a COMMIT of it may have succeeded before
 * @param isOwn - an error of the caller's code, which is never a reason to run it again
 * @throws the database's "no"; when the attempts are used up, the OutcomeUnknownError if there was one, else the last error; the
 * signal's reason
 */
export async function askAgain<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  step: (mayBeDone: boolean) => Promise<T>,
  isOwn: (error: unknown) => boolean = () => false,
): Promise<T> {
  let unknown: OutcomeUnknownError | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step(unknown !== undefined);
    } catch (error) {
      if (isOwn(error) || !isUnanswered(error)) throw error;
      if (error instanceof OutcomeUnknownError) unknown = error;
      if (attempt >= policy.attempts || signal?.aborted === true) throw unknown ?? error;
      policy.onRetry?.(error, attempt);
      await pause(policy, attempt, signal);
    }
  }
}

/** Whether the database could not be asked, or gave no answer. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof OutcomeUnknownError || error instanceof ConnectionLostError) return true;
  if (error instanceof PoolExhaustedError) return true;
  if (!(error instanceof Error)) return false;
  // pg has no codes for a connection that ends while it is opened, and for its `query_timeout`.
  if (isNotQueryable(error) || /^(Connection terminated|Query read timeout)/.test(error.message)) return true;
  // 57P01 to 57P03: shutting down, crashed, starting; 53300: no connection left.
  return (
    isServerError(error) && (unreachable.has(error.code) || /^(08...|57P0[123]|53300)$/.test(error.code))
  );
}
