interface ErrorFacts {
  readonly code: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** What an error says of a checkout. */
interface CheckoutFacts {
  readonly series: string;
  readonly correlationId: string;
  readonly number: bigint;
  readonly expiresAt: Date;
}

/**
 * What seqctl itself says, in the database or in this library. Errors of PostgreSQL, such as 40001, and those of your own code are
 * passed on as they are.
 */
export class SeqctlError extends Error {
  /** The SQLSTATE, `SQ001` …, of what the database refused; `OUTCOME_UNKNOWN` and the like for what the library says. */
  readonly code: string;
  /** More facts. */
  readonly detail: string | undefined;
  /** The next step. */
  readonly hint: string | undefined;

  constructor(message: string, { code, detail, hint, cause }: ErrorFacts) {
    super(message, { cause });
    this.name = new.target.name;
    this.code = code;
    this.detail = detail;
    this.hint = hint;
  }
}

/**
 * The connection was lost, or the signal aborted, after COMMIT was sent and before its answer came: nobody can tell from here
 * whether the transaction is stored. It was not run again, because that could number a document twice.
 *
 * To find out, wait until `transactionStatus(pool, error.transactionId)` is no longer `in progress`, then look for your row by a
 * key of your own, such as the order's id. With `durability: 'group'` call `awaitDurable(pool)` before you look, so that what is there
 * stays there.
 */
export class OutcomeUnknownError extends SeqctlError {
  /** For `transactionStatus()`: PostgreSQL's id of the transaction, an xid8 as text. */
  readonly transactionId: string;
  /**
   * true: it is committed and others see it, but with `durability: 'group'` the answer that it is on disk did not come. Only a
   * crash of the server within the next moments (three times `wal_writer_delay`, 0.6 s unless changed) can undo it.
   */
  readonly isCommitted: boolean;

  constructor(transactionId: string, isCommitted: boolean, cause: unknown) {
    const message = isCommitted
      ? 'the transaction is committed, but not known to be on disk: await_durable() did not succeed'
      : 'the outcome of the transaction is unknown: COMMIT was sent, and no answer came';
    super(message, {
      code: 'OUTCOME_UNKNOWN',
      detail: `Transaction ${transactionId}; ${describe(cause)}`,
      hint: isCommitted
        ? 'Call awaitDurable(pool), then look for your row by a key of your own. Run it again only if the row is not there.'
        : 'Wait until transactionStatus(pool, error.transactionId) is not "in progress", then look for your row by a key of your own. Run it again only if the row is not there.',
      cause,
    });
    this.transactionId = transactionId;
    this.isCommitted = isCommitted;
  }
}

/** The callback ended the transaction by itself (`commit`, `rollback`, `prepare transaction`): the scope promised nothing then. */
export class TransactionEndedError extends SeqctlError {
  constructor(transactionId: string) {
    super('the callback ended the transaction by itself', {
      code: 'TRANSACTION_ENDED',
      detail: `Transaction ${transactionId}. What the callback committed is stored; what it wrote later, without a commit of its own, is rolled back.`,
      hint: 'Leave BEGIN, COMMIT and ROLLBACK to withTransaction() or withNumber(); inside of them use savepoints.',
    });
  }
}

/**
 * The callback returned although a statement of its transaction had failed: PostgreSQL then rolls back, whatever is asked for. The
 * cause is the error of that statement.
 */
export class TransactionRolledBackError extends SeqctlError {
  constructor(cause: unknown) {
    super('the transaction was rolled back: a statement in it had failed, and the callback went on', {
      code: 'TRANSACTION_ROLLED_BACK',
      detail: cause === undefined ? undefined : describe(cause),
      hint: 'Let the error of the statement out of the callback, or put a savepoint before a statement that may fail.',
      cause,
    });
  }
}

/** The connection was lost while the callback ran, before COMMIT was sent: nothing of the transaction is stored. */
export class ConnectionLostError extends SeqctlError {
  constructor(cause: unknown) {
    super('the connection was lost before COMMIT: the transaction is rolled back', {
      code: 'CONNECTION_LOST',
      detail: describe(cause),
      hint: 'Run it again; nothing of it is stored.',
      cause,
    });
  }
}

/** The pool had no connection to lend within its `connectionTimeoutMillis`. Nothing was begun. */
export class PoolExhaustedError extends SeqctlError {
  constructor(pool: { readonly totalCount: number; readonly waitingCount: number }, cause: unknown) {
    super(`no connection became free in the pool: all ${pool.totalCount} are in use`, {
      code: 'POOL_EXHAUSTED',
      detail: `${pool.waitingCount} more callers are waiting; ${describe(cause)}`,
      hint: 'Keep transactions short, raise the max of the pool, and inside a callback use its client instead of the pool.',
      cause,
    });
  }
}

/** The client that was given is in a transaction already. Nothing was begun, and that transaction goes on. */
export class AlreadyInTransactionError extends SeqctlError {
  constructor() {
    super('the client is in a transaction already', {
      code: 'ALREADY_IN_TRANSACTION',
      hint: 'Give a pool, or a client without a transaction. To take a number in the transaction that is there, call nextNumber() or allocate() with the client.',
    });
  }
}

/**
 * A number was asked for outside of a transaction. It would have been committed by itself, and a gap if nothing is written with it. None
 * was taken.
 */
export class NotInTransactionError extends SeqctlError {
  constructor(message: string, cause: unknown) {
    super(message, {
      code: 'NOT_IN_TRANSACTION',
      hint: 'Call withNumber(); or nextNumber() and allocate() with the client that withTransaction() gives to its callback.',
      cause,
    });
  }
}

/** The client lacks what withTransaction() needs to follow its transaction. Nothing was begun. */
export class UnsupportedClientError extends SeqctlError {
  constructor() {
    super('the client is not one of pg 8.23 or newer, or it is that of its native binding', {
      code: 'UNSUPPORTED_CLIENT',
      hint: 'Update pg, and take Pool or Client from pg itself, not from pg.native. nextNumber() and allocate() work with any client.',
    });
  }
}

/** The client of a callback was used after its transaction was over. The statement was not sent. */
export class TransactionOverError extends SeqctlError {
  constructor(what: string) {
    super(`${what} on the client of a transaction that is over`, {
      code: 'TRANSACTION_OVER',
      hint: 'Await everything that the callback does with its client before the callback returns or throws.',
    });
  }
}

/** The callback called `release()`, `end()` or `connect()` of its client. Its transaction is rolled back unless it catches this. */
export class NotForCallbackError extends SeqctlError {
  constructor(method: string) {
    super(`the callback called ${method}() of its client`, {
      code: 'NOT_FOR_CALLBACK',
      hint: 'Leave it out: the connection belongs to withTransaction() or withNumber().',
    });
  }
}

/** The reason with which a callback's signal aborts when the `ttl` of its checkout has run out. The number is still checked out. */
export class CheckoutExpiredError extends SeqctlError {
  constructor({ series, correlationId, number, expiresAt }: CheckoutFacts) {
    super(`the checkout of number ${number} of series '${series}' has expired`, {
      code: 'CHECKOUT_EXPIRED',
      detail: `Correlation id '${correlationId}'; expired ${expiresAt.toISOString()}.`,
      hint: 'Give a longer ttl, or end the callback when its signal aborts.',
    });
  }
}

/**
 * The callback did its work with a number that was taken away from it meanwhile: somebody released it, or it had expired and the series
 * has `ttl_action` `release`. Nothing was stored. The number may stand on another document by now, so the callback's must not be used.
 */
export class CheckoutReleasedError extends SeqctlError {
  constructor({ series, correlationId, number }: CheckoutFacts, cause: unknown) {
    super(`number ${number} of series '${series}' was released while the callback used it`, {
      code: 'CHECKOUT_RELEASED',
      detail: `Correlation id '${correlationId}'; ${describe(cause)}`,
      hint: 'Throw away what was made with the number, and begin again: the same correlation id gets a new one. Give a longer ttl if it had expired.',
      cause,
    });
  }
}

/**
 * The number is still checked out, and holds up the numbers after it: the callback did not end when its signal aborted (the cause
 * is the signal's reason), or the database could not be reached to finalize or to release it (the cause is the last error). As `suppressed`
 * of an error that the callback threw: the number could not be released.
 */
export class CheckoutUnsettledError extends SeqctlError {
  readonly series: string;
  readonly correlationId: string;
  readonly number: bigint;

  constructor({ series, correlationId, number, expiresAt }: CheckoutFacts, cause: unknown) {
    super(`number ${number} of series '${series}' is still checked out`, {
      code: 'CHECKOUT_UNSETTLED',
      detail: `Correlation id '${correlationId}', until ${expiresAt.toISOString()}; ${describe(cause)}`,
      hint: 'Call withCheckout() again with the same correlation id, which goes on with the number, or settle it: seqctl lease finalize, seqctl lease release.',
      cause,
    });
    this.series = series;
    this.correlationId = correlationId;
    this.number = number;
  }
}

/**
 * The connection was lost after COMMIT of a checkout's step was sent, and the database could not be asked again: nobody can tell from here
 * whether the number is checked out, finalized or released.
 *
 * To find out, ask again when the database can be reached: call `withCheckout()` with the same correlation id. It goes on where this
 * one stopped, and if that was after the finalization it says so instead of running the callback.
 */
export class CheckoutUnknownError extends SeqctlError {
  readonly series: string;
  readonly correlationId: string;
  readonly step: 'checkout' | 'finalize' | 'release';

  constructor(
    step: 'checkout' | 'finalize' | 'release',
    { series, correlationId }: { readonly series: string; readonly correlationId: string },
    cause: unknown,
  ) {
    super(`the outcome of the ${step} is unknown: COMMIT was sent, and no answer came`, {
      code: 'CHECKOUT_UNKNOWN',
      detail: `Series '${series}', correlation id '${correlationId}'; ${describe(cause)}`,
      hint: 'When the database can be reached, call withCheckout() again with the same correlation id: it goes on where this one stopped. Or look: seqctl lease list.',
      cause,
    });
    this.series = series;
    this.correlationId = correlationId;
    this.step = step;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
