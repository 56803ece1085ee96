import { performance } from 'node:perf_hooks';

import type { Client } from 'pg';

import { withConnection } from '../cli/connection/connect.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { WireClient } from './wire-client.js';

/** How much is measured. */
export interface Scale {
  /** Measured rounds of each side. */
  readonly rounds: number;
  /** Length of a round of concurrent one-row statements. */
  readonly seconds: number;
  /** Rows of a bulk statement, and statements of a long transaction. */
  readonly rows: number;
}

export const fullScale: Scale = { rounds: 5, seconds: 1.5, rows: 100_000 };
export const quickScale: Scale = { rounds: 1, seconds: 0.15, rows: 2_000 };

export const clientCount = 16;

/** What measurements work with. */
export class Lab {
  constructor(
    readonly sandbox: Sandbox,
    readonly scale: Scale,
    readonly signal: AbortSignal,
  ) {}

  /** A connection for what is not measured. */
  withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    return withConnection(this.sandbox.settings, work);
  }

  /** Connections for what is measured, closed at the end and when the run is interrupted. */
  async withWireClients<T>(count: number, work: (clients: readonly WireClient[]) => Promise<T>): Promise<T> {
    const open = (clients: readonly WireClient[]): Promise<T> => {
      this.signal.throwIfAborted();
      return clients.length === count
        ? this.#untilInterrupted(clients, work)
        : withConnection(this.sandbox.settings, (client) => open([...clients, new WireClient(client)]));
    };
    return open([]);
  }

  /** The same for one connection. */
  withWireClient<T>(work: (client: WireClient) => Promise<T>): Promise<T> {
    return this.withWireClients(1, ([client]) => {
      if (client === undefined) throw new Error('no client');
      return work(client);
    });
  }

  async #untilInterrupted<T>(
    clients: readonly WireClient[],
    work: (clients: readonly WireClient[]) => Promise<T>,
  ): Promise<T> {
    const interrupt = (): void => {
      for (const client of clients) client.destroy(new Error('interrupted'));
    };
    this.signal.addEventListener('abort', interrupt);
    try {
      return await work(clients);
    } finally {
      this.signal.removeEventListener('abort', interrupt);
    }
  }

  /**
   * Runs `step` on every client again and again for the length of a round, or until one counts where that takes longer
   * (on a machine that stalls); how many a second counted.
   */
  async drive(clients: readonly WireClient[], step: Step): Promise<number> {
    const start = performance.now();
    const end = start + this.scale.seconds * 1000;
    let done = 0;
    await Promise.all(
      clients.map(async (client, index) => {
        while (done === 0 || performance.now() < end) {
          if (await step(client, index)) done += 1;
        }
      }),
    );
    return done / ((performance.now() - start) / 1000);
  }
}

/** Returns whether it counts. */
export type Step = (client: WireClient, index: number) => Promise<boolean>;

/** e.g. `100k` */
export function shortCount(count: number): string {
  return count >= 1000 && count % 1000 === 0 ? `${count / 1000}k` : String(count);
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
