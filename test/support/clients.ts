import { expect } from 'vitest';

import type { TestDatabase } from './database.js';
import type { Session } from './session.js';

/** A generator of its own for each client, so that a run can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The SQLSTATE of an error, `terminated` where the connection is gone. */
export function codeOf(error: unknown): string {
  const { code } = error as { code?: string };
  if (code !== undefined) return code;
  return /terminated|not queryable/.test(String(error)) ? 'terminated' : '';
}

export interface Work {
  readonly random: (below: number) => number;
  /** Runs a statement. */
  readonly query: (sql: string) => Promise<void>;
  readonly session: Session;
}

/**
 * `count` clients at once, each of which runs `transaction` so many times. A client whose backend is killed connects again.
 * Errors other than `expected` and those of a killed backend fail the test. Returns how often each error occurred.
 */
export async function runClients(
  database: TestDatabase,
  count: number,
  transactions: number,
  expected: readonly string[],
  transaction: (work: Work) => Promise<void>,
): Promise<Map<string, number>> {
  const errors = new Map<string, number>();
  const allowed = new Set([...expected, '57P01', 'terminated']);
  const runClient = async (n: number): Promise<void> => {
    const random = randomFrom(count * 1000 + n);
    const open = async (): Promise<Session> => {
      const opened = await database.session(`client ${n}`);
      await opened.query(`set deadlock_timeout = '30ms'`);
      return opened;
    };
    let session = await open();
    for (let k = 0; k < transactions; k += 1) {
      try {
        const current = session;
        const query = async (sql: string): Promise<void> => {
          await current.query(sql);
        };
        await transaction({ random, query, session: current });
      } catch (error) {
        const code = codeOf(error);
        expect(allowed, String(error)).toContain(code);
        errors.set(code, (errors.get(code) ?? 0) + 1);
        if (code === 'terminated' || code === '57P01') session = await open();
        else await session.query('rollback');
      }
    }
  };
  await Promise.all(Array.from({ length: count }, (_, n) => runClient(n)));
  return errors;
}

/** Ends a transaction in one of the ways transactions end: mostly COMMIT, also ROLLBACK, an error, a killed backend. */
export async function end({ random, query, session }: Work): Promise<void> {
  const how = random(20);
  if (how === 0) {
    if (random(2) === 0) await session.kill();
    await query('select pg_terminate_backend(pg_backend_pid())');
  } else if (how === 1) {
    await query('select 1 / 0');
  } else {
    await query(how < 6 ? 'rollback' : 'commit');
  }
}
