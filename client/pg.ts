import type { Queryable } from './queryable.js';

// Described by their shape and not imported from pg, so that an application may have its own version of pg, or none of its types.

/** A connection: `Client` or `PoolClient` of pg 8.23 or newer, already connected. pg's native binding lacks what is needed here. */
export interface PgClient extends Queryable {
  query(text: string, values?: unknown[]): Promise<PgResult>;
  end(): Promise<void>;
  /** `I`: no transaction; `T`: in a transaction; `E`: in one that failed; null: not connected. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  /** The protocol's messages, each an event by its name. */
  readonly connection: PgConnection;
}

/** @internal */
export interface PgConnection {
  on(event: string, listener: (message: unknown) => void): unknown;
  removeListener(event: string, listener: (message: unknown) => void): unknown;
}

export interface PgResult {
  /** The command that ran, e.g. `COMMIT`. */
  readonly command: string;
  readonly rows: unknown[];
}

/** `Pool` of pg. */
export interface PgPool<C extends PgClient> {
  /** Not used. TypeScript finds the client's type in a pool whose methods are overloaded only if these are, too. */
  connect(): Promise<C>;
  /** Called with an error, or with a client. */
  connect(callback: (error: never, client: never, done: never) => void): void;
  /** Connections that are open. */
  readonly totalCount: number;
  /** Of these, the ones that nobody uses. */
  readonly idleCount: number;
  /** Callers that wait for one. */
  readonly waitingCount: number;
}

/** Where a transaction finds its connection: a pool, or a connected client that is in no transaction. */
export type PgSource<C extends PgClient> = PgPool<C> | C;
