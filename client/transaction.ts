import { abortable } from './abortable.js';
import { awaitDurable } from './await-durable.js';
import {
  ConnectionLostError,
  OutcomeUnknownError,
  TransactionEndedError,
  TransactionRolledBackError,
} from './errors.js';
import type { PgClient, PgResult } from './pg.js';
import { isRetryable } from './retry.js';
import { isNotQueryable, translate } from './server-error.js';
import { TransactionWatch } from './transaction-watch.js';

const isolationLevels = {
  'read committed': 'begin isolation level read committed',
  'repeatable read': 'begin isolation level repeatable read',
  serializable: 'begin isolation level serializable',
};

export type IsolationLevel = keyof typeof isolationLevels;

/**
 * `commit`: COMMIT is answered when everything is on disk, as the session's `synchronous_commit` says, and other transactions get
 * the counter then. `group`: they get it before the flush, and the flush is waited for afterwards, by all of them together.
 */
export type Durability = 'commit' | 'group';

const durabilities = { commit: true, group: true } satisfies Record<Durability, true>;

export interface BeginOptions {
  readonly isolationLevel?: IsolationLevel | undefined;
  readonly durability?: Durability | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Callers without TypeScript may give anything, and nothing of it is ignored silently.
 *
 * @throws RangeError
 */
export function refuseUnknownOptions({ isolationLevel, durability }: BeginOptions): void {
  refuseOther('isolationLevel', isolationLevel, isolationLevels);
  refuseOther('durability', durability, durabilities);
}

function refuseOther(name: string, value: unknown, known: object): void {
  if (value === undefined || (typeof value === 'string' && Object.hasOwn(known, value))) return;
  const names = Object.keys(known).map((one) => `'${one}'`);
  throw new RangeError(`${name} is ${JSON.stringify(value)}; it is one of ${names.join(', ')}`);
}

/** One transaction on a connection, from BEGIN to the answer to COMMIT. */
export class Transaction {
  readonly watch: TransactionWatch;
  #id = '';
  #hasSentCommit = false;

  constructor(
    private readonly client: PgClient,
    private readonly options: BeginOptions,
  ) {
    this.watch = new TransactionWatch(client);
  }

  async begin(): Promise<void> {
    const { isolationLevel, durability } = this.options;
    const begin = isolationLevel === undefined ? 'begin' : isolationLevels[isolationLevel];
    const setting = durability === 'group' ? 'set local synchronous_commit = off;' : '';
    // In one message, which pg answers with a result for each statement.
    const text = `${begin}; ${setting} select pg_catalog.pg_current_xact_id()::text as id`;
    const results: unknown = await this.#send(this.client.query(text));
    this.#id = idIn((results as PgResult[]).at(-1));
  }

  /**
   * @throws OutcomeUnknownError when COMMIT was sent and not answered. After any other error nothing is stored, but for a
   * TransactionEndedError.
   */
  async commit(): Promise<void> {
    await this.#refuseWhatIsNotWhole();
    this.#hasSentCommit = true;
    const { command } = await this.#send(this.client.query('commit')).catch(async (error: unknown) => {
      // An error of the server, on a connection that still works, is a "no": a deferred constraint, a serialization failure.
      if (this.watch.has(error) && (await this.rollback())) throw error;
      throw new OutcomeUnknownError(this.#id, false, error);
    });
    if (command === 'ROLLBACK') throw new TransactionRolledBackError(this.watch.doomedBy);
    // One tag, one change of status: more of them if the callback left a COMMIT of its own in the queue.
    if (this.watch.endings > 2) throw new TransactionEndedError(this.#id);
    if (this.options.durability === 'group') await this.#awaitDurable();
  }

  /** Whether the connection is fit for another transaction. */
  async rollback(): Promise<boolean> {
    if (this.options.signal?.aborted === true) return false;
    return this.#send(this.client.query('rollback')).then(
      () => this.watch.lost === undefined,
      () => false,
    );
  }

  /** Whether the transaction failed for a reason that may be gone the next time, and nothing of it is stored. */
  canRunAgain(error: unknown): boolean {
    const origin = this.watch.originOf(error);
    const isOver = !this.#hasSentCommit && this.watch.endings > 0;
    return (
      origin !== undefined && isRetryable(origin) && !isOver && !(error instanceof TransactionEndedError)
    );
  }

  /** What is told to the caller, once it is rolled back: an error of the connection by its class, anything else as it is. */
  explain(error: unknown): unknown {
    const { lost } = this.watch;
    if (lost !== undefined && (error === lost || this.watch.has(error) || isNotQueryable(error)))
      return new ConnectionLostError(isNotQueryable(error) ? lost : error);
    return this.watch.has(error) ? translate(error) : error;
  }

  async #refuseWhatIsNotWhole(): Promise<void> {
    const { lost, doomedBy, endings, hasRolledBack } = this.watch;
    if (lost !== undefined) throw new ConnectionLostError(lost);
    if (endings > 0) throw new TransactionEndedError(this.#id);
    if (doomedBy !== undefined) throw new TransactionRolledBackError(doomedBy);
    if (!hasRolledBack) return;
    // To a savepoint, most likely. But ROLLBACK AND CHAIN looks the same from here.
    const current = await this.#send(
      this.client.query('select pg_catalog.pg_current_xact_id_if_assigned()::text as id'),
    );
    if (idIn(current) !== this.#id) throw new TransactionEndedError(this.#id);
  }

  async #awaitDurable(): Promise<void> {
    try {
      await this.#send(awaitDurable(this.client));
    } catch (error) {
      throw new OutcomeUnknownError(this.#id, true, error);
    }
  }

  #send<T>(answer: Promise<T>): Promise<T> {
    return abortable(answer, this.options.signal);
  }
}

function idIn(result: PgResult | undefined): string {
  const [row] = (result?.rows ?? []) as { id: string | null }[];
  return row?.id ?? '';
}
