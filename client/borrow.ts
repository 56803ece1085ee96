import { abortable } from './abortable.js';
import { AlreadyInTransactionError, PoolExhaustedError, UnsupportedClientError } from './errors.js';
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

/** @throws PoolExhaustedError, AlreadyInTransactionError, UnsupportedClientError, the signal's reason, or what pg says of a failed connection */
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
  for (;;) {
    const client = await connect(pool, signal);
    // Somebody released it in the middle of a transaction, which must not be committed together with this one.
    const isLeftOver = isSupported(client) && isInTransaction(client);
    if (isSupported(client) && !isLeftOver) return { client, giveBack: (isFit) => release(client, isFit) };
    release(client, false);
    if (!isLeftOver) throw new UnsupportedClientError();
  }
}

async function connect<C extends PgClient>(pool: PgPool<C>, signal: AbortSignal | undefined): Promise<C> {
  const connected = guarded(pool);
  try {
    return await abortable(connected, signal);
  } catch (error) {
    // It may still come, for nobody.
    connected.then(
      (client) => release(client, true),
      () => undefined,
    );
    throw isTimeout(error) ? new PoolExhaustedError(pool, error) : error;
  }
}

/**
 * A connection of the pool that has a listener for errors from the very moment when the pool takes off its own. A promise would come a
 * moment later: when a server that dies says so in one packet with its welcome, the error would end the process.
 */
function guarded<C extends PgClient>(pool: PgPool<C>): Promise<C> {
  return new Promise((resolve, reject) => {
    const take = (error: Error | undefined, client: C | undefined): void => {
      client?.on('error', ignore);
      if (client === undefined) reject(error ?? new Error('the pool gave no connection'));
      else resolve(client);
    };
    pool.connect(take as (error: never, client: never) => void);
  });
}

const ignore = (): void => undefined;

function borrowClient<C extends PgClient>(client: C): Loan<C> {
  if (!isSupported(client)) throw new UnsupportedClientError();
  if (isInTransaction(client)) throw new AlreadyInTransactionError();
  return {
    client,
    giveBack: (isFit) => {
      if (!isFit) client.end().catch(() => undefined);
    },
  };
}

function isInTransaction(client: PgClient): boolean {
  return ['T', 'E'].includes(client.getTransactionStatus() ?? '');
}

function isSupported(client: Partial<PgClient>): boolean {
  return typeof client.getTransactionStatus === 'function' && client.connection !== undefined;
}

/** What a pool lends has this method; its client type need not say so. */
function release(client: PgClient, isFit: boolean): void {
  client.removeListener('error', ignore);
  (client as PgClient & { release(destroy: boolean): void }).release(!isFit);
}

/** pg's pool has no error class for it. A server that does not answer gives another text. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect';
}
