import pg from 'pg';
import { afterEach } from 'vitest';

import type { TestDatabase } from './database.js';

/** Call after `useDatabase`: opens pools of the database, as the superuser unless the options say otherwise, closed after the test. */
export function usePools(database: TestDatabase): (options?: pg.PoolConfig) => pg.Pool {
  const pools: pg.Pool[] = [];
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });
  return (options = {}) => {
    const pool = new pg.Pool({ connectionString: database.url, max: 4, ...options });
    // A connection that is lost while nobody uses it is no failure of the test.
    pool.on('error', () => undefined);
    pools.push(pool);
    return pool;
  };
}
