import { abortable } from './abortable.js';
import { AlreadyInTransactionError, PoolExhaustedError } from './errors.js';
import type { PgClient, PgPool, PgSource } from './pg.js';

/** A connection for the time of one transaction. */
export interface Loan<C extends PgClient> {
  readonly client: C;
  /**
   * Ends the loan. A connection that is not fit for others is closed, also if it is the caller's own client: nobody can tell what
   * state it is in.
   */
  giveBack(isFit: boolean): void;
}

/** @throws PoolExhaustedError, AlreadyInTransactionError, the signal's reason, or what pg says of a failed connection */
export async function borrow<C extends PgClient>(
  source: PgSource<C>,
  signal: AbortSignal | undefined,
): Promise<Loan<C>> {
  return isPool(source) ? borrowFromPool(source, signal) : borrowClient(source);
}

function isPool<C extends PgClient>(source: PgSource<C>): source is PgPool<C> {
  return 'totalCount' in source;
}

async function borrowFromPool<C extends PgClient>(
  pool: PgPool<C>,
  signal: AbortSignal | undefined,
): Promise<Loan<C>> {
  const connected = pool.connect();
  try {
    const client = await abortable(connected, signal);
    return { client, giveBack: (isFit) => release(client, isFit) };
  } catch (error) {
    // It may still come, for nobody.
    connected.then(
      (client) => release(client, true),
      () => undefined,
    );
    throw isTimeout(error) ? new PoolExhaustedError(pool, error) : error;
  }
}

/** What a pool lends has this method; its client type need not say so. */
function release(client: PgClient, isFit: boolean): void {
  (client as PgClient & { release(destroy: boolean): void }).release(!isFit);
}

/** pg's pool has no error class for it. A server that does not answer gives another text. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect';
}

function borrowClient<C extends PgClient>(client: C): Loan<C> {
  const status = client.getTransactionStatus();
  if (status === 'T' || status === 'E') throw new AlreadyInTransactionError();
  return {
    client,
    giveBack: (isFit) => {
      if (!isFit) client.end().catch(() => undefined);
    },
  };
}
