import type pg from 'pg';

import type { TestDatabase } from './database.js';
import { type Fate, startProxy } from './proxy.js';

export interface Cut {
  /** What is sent when it happens: `commit\0`. */
  readonly text: string;
  readonly fate: Fate;
  /** The first time, or the nth; from then on the server cannot be reached any more if `forever`. */
  readonly nth?: number;
  readonly forever?: boolean;
}

/** A pool whose connections are cut when `text` is sent over one of them. It needs the `openPool` of `usePools`. */
export async function poolCutAt(
  database: TestDatabase,
  openPool: (options?: pg.PoolConfig) => pg.Pool,
  { text, fate, nth = 1, forever = false }: Cut,
): Promise<pg.Pool> {
  let seen = 0;
  const decide = (sent: Buffer): Fate => {
    if (forever && seen >= nth) return 'cut';
    if (!sent.includes(text)) return 'forward';
    seen += 1;
    return seen === nth ? fate : 'forward';
  };
  const { port } = await startProxy(database.url, { decide });
  const url = new URL(database.url);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return openPool({ connectionString: url.href });
}
