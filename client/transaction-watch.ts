import type { PgClient } from './pg.js';
import { causesOf, isServerError, type ServerError } from './server-error.js';

/**
 * Follows a transaction by the messages of its connection. So it knows an error of the server from one that only looks like it,
 * whoever caught or wrapped it on the way, and sees a transaction that was ended behind its back.
 */
export class TransactionWatch {
  readonly #errors = new Set<unknown>();
  /** How often the server said that a transaction had ended. */
  #endings = 0;
  #hasRolledBack = false;
  #doomedBy: ServerError | undefined;
  #lastError: ServerError | undefined;
  #lost: Error | undefined;

  constructor(private readonly client: PgClient) {
    client.connection.on('errorMessage', this.#onError);
    client.connection.on('commandComplete', this.#onComplete);
    client.connection.on('readyForQuery', this.#onReady);
    // Without a listener, a connection that is lost between two statements would end the process.
    client.on('error', this.#onLost);
  }

  stop(): void {
    const { client } = this;
    client.connection.removeListener('errorMessage', this.#onError);
    client.connection.removeListener('commandComplete', this.#onComplete);
    client.connection.removeListener('readyForQuery', this.#onReady);
    client.removeListener('error', this.#onLost);
  }

  get endings(): number {
    return this.#endings;
  }

  /** A ROLLBACK ran: to a savepoint, or of everything, and another transaction was begun in the same breath. */
  get hasRolledBack(): boolean {
    return this.#hasRolledBack;
  }

  /** The error that made the transaction fail, as long as no savepoint made it good. */
  get doomedBy(): ServerError | undefined {
    return this.#doomedBy;
  }

  /** Set when the connection was lost. */
  get lost(): Error | undefined {
    return this.#lost;
  }

  /** Whether the server reported this very error on this connection. */
  has(error: unknown): error is ServerError {
    return this.#errors.has(error);
  }

  /** The server's own error behind what was thrown; the first one where it complains (25P02) that there was one before. */
  originOf(error: unknown): ServerError | undefined {
    const origin = [...causesOf(error)].find((cause) => this.has(cause));
    return origin?.code === '25P02' ? (this.#doomedBy ?? origin) : origin;
  }

  readonly #onError = (message: unknown): void => {
    this.#errors.add(message);
    if (isServerError(message)) this.#lastError = message;
  };

  readonly #onComplete = (message: unknown): void => {
    const { text } = message as { text: string };
    if (text === 'ROLLBACK') this.#hasRolledBack = true;
    // COMMIT AND CHAIN leaves no moment without a transaction.
    if (text === 'COMMIT') this.#endings += 1;
  };

  readonly #onReady = (message: unknown): void => {
    switch ((message as { status: string }).status) {
      case 'T':
        this.#doomedBy = undefined;
        break;
      case 'E':
        this.#doomedBy ??= this.#lastError;
        break;
      default:
        this.#endings += 1;
    }
  };

  readonly #onLost = (error: Error): void => {
    this.#lost ??= error;
  };
}
