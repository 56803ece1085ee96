import { sqlstateOf } from '../cli/errors.js';
import type { Lab } from './lab.js';

/** In a session, waits a millisecond before each flush, which makes a fast disk as slow as many are. */
export const slowFlushes = 'set commit_delay = 1000; set commit_siblings = 0';

/** Why this server cannot be asked to; undefined if it can. */
export async function findSlowFlushObstacle(lab: Lab): Promise<string | undefined> {
  return lab.withClient(async (client) => {
    try {
      await client.query(slowFlushes);
      return undefined;
    } catch (error) {
      if (sqlstateOf(error) !== '42501') throw error;
      return 'the role may not set commit_delay, which makes a flush take 1 ms';
    }
  });
}
