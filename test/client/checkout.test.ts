import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import {
  CheckoutExpiredError,
  type CheckoutOutcome,
  CheckoutReleasedError,
  CheckoutUnknownError,
  CheckoutUnsettledError,
  checkout,
  finalize,
  nextNumber,
  release,
  SeqctlError,
  TransactionEndedError,
  withCheckout,
  withTransaction,
} from '../../client/index.js';
import { type Cut, poolCutAt } from '../support/cut.js';
import { useDatabase } from '../support/database.js';
import { usePools } from '../support/pool.js';
import { useRoles } from '../support/roles.js';

const createRole = useRoles();
const database = useDatabase();
const openPool = usePools(database);

let series = '';
let seriesMade = 0;
let ids = 0;

beforeAll(async () => {
  // Numbers that ended up on a document, as expectExact knows them.
  await database.execute(
    'create table taken (series text, group_key text, period date, number bigint, correlation_id text unique)',
  );
});

beforeEach(async () => {
  series = `invoice ${(seriesMade += 1)}`;
  await database.rows(`select seqctl.create_series($1, format => 'INV-{number:3}', reset => 'never')`, [
    series,
  ]);
});

/** What holds after every test: the numbers on documents and those still checked out are 1, 2, 3 … as far as the counter says. */
afterEach(async () => {
  const [exact] = await database.rows<{ used: string; given: string; unused: string }>(
    `select coalesce(string_agg(u.number::text, ' ' order by u.number), '') as used,
       coalesce((
         select string_agg(n::text, ' ' order by n)
         from seqctl.counters c, generate_series(1, c.last_number) n
         where c.series = $1
       ), '') as given
     from (
       select number from taken where series = $1
       union all
       select c.number from seqctl.checkout c join seqctl.series s on s.id = c.series_id
       where s.name = $1 and c.state = 'open'
     ) u`,
    [series],
  );
  expect(exact?.used).toBe(exact?.given);
});

const quick = { attempts: 20, baseDelayMs: 5, maxDelayMs: 20 };

/** A correlation id of its own, with what every call has. */
const request = (): { series: string; correlationId: string; retry: typeof quick } => ({
  series,
  correlationId: `order ${(ids += 1)}`,
  retry: quick,
});

/** What `store` does in these tests: the document is noted. */
const store = async (
  client: pg.ClientBase,
  { number, correlationId }: { number: bigint; correlationId: string },
): Promise<void> => {
  await client.query(`insert into taken values ($1, '', '-infinity', $2, $3)`, [
    series,
    number,
    correlationId,
  ]);
};

interface CheckoutState extends Record<string, unknown> {
  number: string;
  state: string;
  reference: string | null;
}

/** All that were ever made for this series, in their order. */
async function states(): Promise<string[]> {
  const rows = await database.rows<CheckoutState>(
    `select c.number, c.state, c.reference from seqctl.checkout c join seqctl.series s on s.id = c.series_id
     where s.name = $1 order by c.id`,
    [series],
  );
  return rows.map(({ number, state, reference }) =>
    [number, state, reference].filter((it) => it !== null).join(' '),
  );
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the way of a number', () => {
  test('checked out, used without a connection, finalized together with its row', async () => {
    const pool = openPool({ max: 1 });
    const outcome = await withCheckout(
      pool,
      { ...request(), store, reference: (result: string) => `file:///${result}` },
      async ({ number, documentNumber, correlationId, expiresAt, signal }) => {
        expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
        expect(await states()).toEqual(['1 open']);
        expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(14 * 60_000);
        expect(signal.aborted).toBe(false);
        return `${number} ${documentNumber} ${correlationId}`;
      },
    );
    expect(outcome).toMatchObject({
      alreadyFinalized: false,
      series,
      correlationId: `order ${ids}`,
      number: 1n,
      documentNumber: 'INV-001',
      result: `1 INV-001 order ${ids}`,
    });
    expect(await states()).toEqual([`1 finalized file:///1 INV-001 order ${ids}`]);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  });

  test('a connected client does, too', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { number } = await withCheckout(client, { ...request(), store, reference: 'here' }, async () => {
      expect(client.getTransactionStatus()).toBe('I');
      await client.query('select 1');
    });
    await client.end();
    expect(number).toBe(1n);
    expect(await states()).toEqual(['1 finalized here']);
  });

  test.each([
    ['an error', new Error('mine')],
    ['an error that looks like one of PostgreSQL', Object.assign(new Error('mine'), { code: '40001' })],
    ['an error that looks like a lost connection', Object.assign(new Error('mine'), { code: 'ECONNRESET' })],
    ['a text', 'mine'],
  ])('the callback throws %s: released, thrown as it is, and not run again', async (_, mine) => {
    const pool = openPool();
    let runs = 0;
    const failing = withCheckout(pool, { ...request(), store }, () => {
      runs += 1;
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what callbacks do
      throw mine;
    });
    expect(await caught(failing)).toBe(mine);
    expect(mine).not.toHaveProperty('suppressed');
    expect(runs).toBe(1);
    expect(await states()).toEqual(['1 released']);
    expect((await withCheckout(pool, { ...request(), store }, () => Promise.resolve())).number).toBe(1n);
  });

  test.each([
    ['store', { store: () => Promise.reject(new Error('mine')) }],
    [
      'store, at once',
      {
        store: () => {
          throw new Error('mine');
        },
      },
    ],
    [
      'store, as if a connection were lost',
      { store: () => Promise.reject(Object.assign(new Error('mine'), { code: 'ECONNREFUSED' })) },
    ],
    [
      'reference',
      {
        store,
        reference: () => {
          throw new Error('mine');
        },
      },
    ],
  ])('%s throws: nothing is stored, and the number is released', async (_, options) => {
    const pool = openPool();
    let runs = 0;
    const failing = withCheckout(pool, { ...request(), ...options }, () => Promise.resolve((runs += 1)));
    await expect(failing).rejects.toThrow('mine');
    expect(runs).toBe(1);
    expect(await states()).toEqual(['1 released']);
  });

  test('store is run again after 40001 from its own connection, the callback is not', async () => {
    const pool = openPool();
    let runs = 0;
    let stores = 0;
    const outcome = await withCheckout(
      pool,
      {
        ...request(),
        store: async (client, taken, result: string) => {
          stores += 1;
          expect(result).toBe('made');
          await store(client, taken);
          if (stores === 1) await client.query(`do $$ begin raise exception using errcode = '40001'; end $$`);
        },
      },
      () => {
        runs += 1;
        return Promise.resolve('made');
      },
    );
    expect([outcome.number, runs, stores]).toEqual([1n, 1, 2]);
  });

  test('store that commits by itself: told, and the number stays given', async () => {
    const pool = openPool();
    const ended = withCheckout(
      pool,
      {
        ...request(),
        store: async (client, taken) => {
          await store(client, taken);
          await client.query('commit');
        },
      },
      () => Promise.resolve(),
    );
    const error = await caught(ended);
    expect(error).toBeInstanceOf(TransactionEndedError);
    expect(error).not.toHaveProperty('suppressed');
    expect(await states()).toEqual(['1 finalized']);
  });
});

describe('called again', () => {
  test('after the finalization: says so, with the number and the reference, and runs nothing', async () => {
    const pool = openPool();
    const options = { ...request(), store, reference: 'shelf 4' };
    await withCheckout(pool, options, () => Promise.resolve());
    let runs = 0;
    const again: CheckoutOutcome<number> = await withCheckout(pool, options, () =>
      Promise.resolve((runs += 1)),
    );
    expect(again).toMatchObject({
      alreadyFinalized: true,
      number: 1n,
      documentNumber: 'INV-001',
      reference: 'shelf 4',
    });
    expect(again).not.toHaveProperty('result');
    expect(runs).toBe(0);
  });

  test('after a crash of the process: goes on with the same number', async () => {
    const pool = openPool();
    const options = { ...request(), store };
    // What the process got done.
    await checkout(pool, options);
    const outcome = await withCheckout(pool, options, ({ documentNumber }) =>
      Promise.resolve(documentNumber),
    );
    expect(outcome).toMatchObject({ alreadyFinalized: false, number: 1n, result: 'INV-001' });
    expect(await states()).toEqual(['1 finalized']);
  });

  test('after a release: begins anew', async () => {
    const pool = openPool();
    const options = { ...request(), store };
    await expect(withCheckout(pool, options, () => Promise.reject(new Error('mine')))).rejects.toThrow(
      'mine',
    );
    await withCheckout(pool, { ...request(), store }, () => Promise.resolve());
    expect((await withCheckout(pool, options, () => Promise.resolve())).number).toBe(2n);
  });

  test('after the ttl has run out: goes on, with the time that it had at first', async () => {
    const pool = openPool();
    const options = { ...request(), ttl: '1 second', store };
    await checkout(pool, options);
    await delay(1050);
    expect(await database.rows('select from seqctl.checkouts where state = $1', ['expired'])).toHaveLength(1);
    const outcome = await withCheckout(pool, options, async ({ signal }) => {
      await delay(200);
      signal.throwIfAborted();
    });
    expect(outcome).toMatchObject({ alreadyFinalized: false, number: 1n });
  });

  test('while somebody else finalizes it, with a reference of their own: says so', async () => {
    const pool = openPool();
    const options = request();
    const outcome = await withCheckout(pool, { ...options, store, reference: 'mine' }, async () => {
      await withTransaction(pool, {}, async (client) => {
        await finalize(client, { ...options, reference: 'theirs' });
        await store(client, { ...options, number: 1n });
      });
    });
    expect(outcome).toMatchObject({ alreadyFinalized: true, number: 1n, reference: 'theirs' });
    expect(await states()).toEqual(['1 finalized theirs']);
  });

  test('by two at a time: both work, one stores', async () => {
    const pool = openPool();
    const options = { ...request(), store };
    let running = 0;
    const both = async (): Promise<void> => {
      running += 1;
      while (running < 2) await delay(5);
    };
    const outcomes = await Promise.all([
      withCheckout(pool, options, both),
      withCheckout(pool, options, both),
    ]);
    expect(outcomes.map(({ number }) => number)).toEqual([1n, 1n]);
    expect(outcomes.map(({ alreadyFinalized }) => alreadyFinalized).sort()).toEqual([false, true]);
    expect(await states()).toEqual(['1 finalized']);
  });

  test('by two at a time, of which one gives up: its number is taken away from the other, who is told', async () => {
    const pool = openPool();
    const options = { ...request(), store };
    const error = await caught(
      withCheckout(pool, options, async () => {
        await caught(withCheckout(pool, options, () => Promise.reject(new Error('mine'))));
      }),
    );
    expect(error).toBeInstanceOf(CheckoutReleasedError);
    expect(error).toMatchObject({
      code: 'CHECKOUT_RELEASED',
      cause: { code: expect.stringMatching(/^SQ/) as unknown },
    });
    expect(await states()).toEqual(['1 released']);
  });
});

describe('time', () => {
  test('the ttl runs out: the signal aborts, and a callback that listens gives its number back', async () => {
    const pool = openPool();
    const reasons: unknown[] = [];
    const error = await caught(
      withCheckout(pool, { ...request(), ttl: '1 second', store }, async ({ signal }) => {
        await delay(10_000, undefined, { signal }).catch(() => reasons.push(signal.reason));
        throw signal.reason;
      }),
    );
    expect(error).toBeInstanceOf(CheckoutExpiredError);
    expect(reasons).toEqual([error]);
    expect(await states()).toEqual(['1 released']);
  });

  test('a callback that is late, but ends: finalized, because nobody took the number away', async () => {
    const pool = openPool();
    const outcome = await withCheckout(pool, { ...request(), ttl: '1 second', store }, async ({ signal }) => {
      while (!signal.aborted) await delay(5);
      await delay(50);
    });
    expect(outcome).toMatchObject({ alreadyFinalized: false, number: 1n });
  });

  test('a callback that hangs: given up, and the number, which it may still use, stays checked out', async () => {
    const pool = openPool();
    const options = { ...request(), ttl: '1 second' };
    let end: () => void = () => undefined;
    const error = await caught(
      withCheckout(pool, { ...options, store }, () => new Promise<void>((resolve) => (end = resolve))),
    );
    if (!(error instanceof CheckoutUnsettledError)) throw error;
    expect(error).toMatchObject({
      code: 'CHECKOUT_UNSETTLED',
      series,
      correlationId: options.correlationId,
      number: 1n,
      cause: expect.any(CheckoutExpiredError) as unknown,
    });
    end();
    expect(await states()).toEqual(['1 open']);
    // It is settled by hand, or by going on.
    expect(await release(pool, options)).toBe(1n);
  });

  test('the number of a late callback was given to somebody else (ttl_action release): nothing is stored', async () => {
    const pool = openPool();
    await database.rows(`select seqctl.alter_series($1, ttl_action => 'release')`, [series]);
    const other = request();
    const options = { ...request(), ttl: '1 second', store };
    const error = await caught(
      withCheckout(pool, options, async ({ signal }) => {
        while (!signal.aborted) await delay(5);
        expect(await withCheckout(pool, { ...other, store }, () => Promise.resolve())).toMatchObject({
          number: 1n,
        });
      }),
    );
    expect(error).toBeInstanceOf(CheckoutReleasedError);
    expect(error).toMatchObject({
      message: `number 1 of series '${series}' was released while the callback used it`,
      detail: expect.stringContaining('expired') as unknown,
    });
    expect(await states()).toEqual(['1 released', '1 finalized']);
    // Begins anew.
    expect(await withCheckout(pool, options, () => Promise.resolve())).toMatchObject({ number: 2n });
  });

  test('the correlation id stands for another number by now: that one is left alone', async () => {
    const pool = openPool();
    await database.rows(`select seqctl.alter_series($1, ttl_action => 'release')`, [series]);
    const options = { ...request(), ttl: '1 second', store };
    for (const how of ['returns', 'throws', 'returns late']) {
      const error = await caught(
        withCheckout(pool, options, async ({ signal, number }) => {
          while (!signal.aborted) await delay(5);
          // Another process took the number for work of its own; a third one goes on with this id, and has another number.
          expect(await withCheckout(pool, { ...request(), store }, () => Promise.resolve())).toMatchObject({
            number,
          });
          const next = await checkout(pool, { ...options, ttl: '1 hour' });
          expect(next.number).toBe(number + 1n);
          if (how === 'returns late') {
            await finalize(pool, next);
            await database.rows('insert into taken (series, number) values ($1, $2)', [series, next.number]);
          }
          if (how === 'throws') throw new Error('no document');
        }),
      );
      if (how === 'throws')
        expect(error).toMatchObject({ message: 'no document', suppressed: { code: 'SQ038' } });
      else expect(error).toBeInstanceOf(CheckoutReleasedError);
      const standing = await database.rows<{ state: string }>(
        `select state from seqctl.checkouts where series = $1 and correlation_id = $2 order by number desc limit 1`,
        [series, options.correlationId],
      );
      expect(standing, how).toEqual([{ state: how === 'returns late' ? 'finalized' : 'open' }]);
      if (how !== 'returns late') expect(await release(pool, options)).toBeGreaterThan(0n);
    }
  });

  test('an expired checkout of somebody else is in the way: told at once', async () => {
    const pool = openPool();
    const holder = { ...request(), ttl: '1 second' };
    await checkout(pool, holder);
    await delay(1050);
    const error = await caught(withCheckout(pool, request(), () => Promise.resolve()));
    expect(error).toMatchObject({
      name: 'SeqctlError',
      code: 'SQ035',
      hint: expect.stringContaining('lease') as unknown,
    });
    await release(pool, holder);
  });

  test('signal: while waiting, nothing is checked out', async () => {
    const pool = openPool();
    const holder = request();
    await checkout(pool, holder);
    const controller = new AbortController();
    const mine = new Error('mine');
    const waiting = withCheckout(pool, { ...request(), signal: controller.signal }, () => Promise.resolve());
    const queued = withCheckout(pool, { ...request(), signal: controller.signal }, () => Promise.resolve());
    await delay(50);
    controller.abort(mine);
    expect(await caught(waiting)).toBe(mine);
    expect(await caught(queued)).toBe(mine);
    const aborted = withCheckout(pool, { ...request(), signal: AbortSignal.abort(mine) }, () =>
      Promise.resolve(),
    );
    expect(await caught(aborted)).toBe(mine);
    expect(await states()).toEqual(['1 open']);
    await release(pool, holder);
  });

  test('signal: while the callback works, it decides', async () => {
    const pool = openPool();
    const mine = new Error('mine');
    const aborting = (after: (signal: AbortSignal) => void): Promise<unknown> => {
      const controller = new AbortController();
      const work = ({ signal }: { signal: AbortSignal }): Promise<void> => {
        controller.abort(mine);
        expect(signal.reason).toBe(mine);
        after(signal);
        return Promise.resolve();
      };
      return withCheckout(pool, { ...request(), signal: controller.signal, store }, work);
    };
    expect(await caught(aborting((signal) => signal.throwIfAborted()))).toBe(mine);
    await aborting(() => undefined);
    expect(await states()).toEqual(['1 released', '1 finalized']);
  });

  test('waitMs is over: 55P03', async () => {
    const pool = openPool();
    const holder = request();
    await checkout(pool, holder);
    const start = performance.now();
    const error = await caught(withCheckout(pool, { ...request(), waitMs: 250 }, () => Promise.resolve()));
    expect(error).toMatchObject({ code: '55P03' });
    expect(performance.now() - start).toBeGreaterThan(250);
    await release(pool, holder);
  });
});

test('more callers than connections: nobody holds one while somebody else works, and all get on', async () => {
  const pool = openPool({ max: 2 });
  const order: bigint[] = [];
  let working = 0;
  const outcomes = await Promise.all(
    Array.from({ length: 24 }, (_, n) =>
      withCheckout(pool, { ...request(), store }, async ({ number }) => {
        working += 1;
        expect(working).toBe(1);
        await delay(2);
        // The work needs connections as well.
        await Promise.all([pool.query('select 1'), pool.query('select 2')]);
        working -= 1;
        order.push(number);
        if (n % 5 === 0) throw new Error('mine');
        return number;
      }).catch(() => undefined),
    ),
  );
  const numbers = outcomes.flatMap((outcome) => (outcome === undefined ? [] : [outcome.number]));
  expect(numbers.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 19 }, (_, n) => n + 1));
  expect(order).toHaveLength(24);
  expect(pool.waitingCount).toBe(0);
});

describe('the series says what others get meanwhile', () => {
  test('on_checkout fail: SQ034 at once', async () => {
    const pool = openPool();
    await database.rows(`select seqctl.alter_series($1, on_checkout => 'fail')`, [series]);
    await withCheckout(pool, { ...request(), store }, async () => {
      const error = await caught(withCheckout(pool, { ...request(), store }, () => Promise.resolve()));
      expect(error).toMatchObject({ name: 'SeqctlError', code: 'SQ034' });
    });
    expect(await states()).toEqual(['1 finalized']);
  });

  test('on_checkout recycle: several work at a time, and what one gives back is the next number', async () => {
    const pool = openPool();
    await database.rows(`select seqctl.alter_series($1, on_checkout => 'recycle')`, [series]);
    let working = 0;
    const together = async (): Promise<void> => {
      working += 1;
      while (working < 4) await delay(5);
    };
    const numbers: bigint[] = [];
    let free = 0n;
    await Promise.all(
      [1, 2, 3, 4].map((n) =>
        withCheckout(pool, { ...request(), store }, async ({ number }) => {
          await together();
          numbers.push(number);
          if (n !== 2) return;
          free = number;
          throw new Error('mine');
        }).catch(() => undefined),
      ),
    );
    expect(numbers.sort()).toEqual([1n, 2n, 3n, 4n]);
    expect((await withCheckout(pool, { ...request(), store }, () => Promise.resolve())).number).toBe(free);
  });
});

test('level issue is enough, with INSERT on an attached table', async () => {
  const role = await createRole('issuer');
  await database.execute(`
    create table document (number bigint, order_id text);
    select seqctl.attach('document', '${series}');
    grant insert on document to ${role.name};
    select seqctl.grant_access('${role.name}', 'issue')`);
  const pool = openPool({ connectionString: database.urlAs(role.name, role.password) });
  const options = {
    ...request(),
    store: async (
      client: pg.ClientBase,
      { number, correlationId }: { number: bigint; correlationId: string },
    ) => {
      await client.query('insert into document values ($1, $2)', [number, correlationId]);
    },
  };
  await withCheckout(pool, options, () => Promise.resolve());
  expect(await withCheckout(pool, options, () => Promise.resolve())).toMatchObject({
    alreadyFinalized: true,
  });
  expect(await database.rows('select * from document')).toEqual([
    { number: '1', order_id: options.correlationId },
  ]);
  await expect(pool.query(`insert into document values (5, 'mine')`)).rejects.toMatchObject({
    code: 'SQ012',
  });
  // For what holds after every test.
  await database.rows(`insert into taken select $1, '', '-infinity', number, order_id from document`, [
    series,
  ]);
});

describe('a connection that is lost', () => {
  const commits = { checkout: 1, finalize: 2, release: 2 };

  test.each([
    ['checkout', 'cut'],
    ['checkout', 'cut after it'],
    ['finalize', 'cut'],
    ['finalize', 'cut after it'],
    ['release', 'cut'],
    ['release', 'cut after it'],
  ] as const)('COMMIT of the %s is %s: asked again, and answered', async (step, fate) => {
    const pool = await poolCutAt(database, openPool, { text: 'commit\0', fate, nth: commits[step] });
    const mine = new Error('mine');
    let runs = 0;
    const outcome = withCheckout(pool, { ...request(), store }, () => {
      runs += 1;
      return step === 'release' ? Promise.reject(mine) : Promise.resolve('made');
    });
    if (step === 'release') expect(await caught(outcome)).toBe(mine);
    else expect(await outcome).toMatchObject({ alreadyFinalized: false, number: 1n, result: 'made' });
    expect(mine).not.toHaveProperty('suppressed');
    expect(runs).toBe(1);
    expect(await states()).toEqual([step === 'release' ? '1 released' : '1 finalized']);
  });

  test.each([
    ['seqctl.checkout(', 1],
    ['seqctl.finalize(', 1],
    ['insert into taken', 1],
  ])('before %s is sent: asked again', async (text, nth) => {
    const pool = await poolCutAt(database, openPool, { text, fate: 'cut', nth });
    const outcome = await withCheckout(pool, { ...request(), store }, () => Promise.resolve());
    expect(outcome).toMatchObject({ alreadyFinalized: false, number: 1n });
    expect(await states()).toEqual(['1 finalized']);
  });

  const few = { attempts: 3, baseDelayMs: 1 };
  const cutForever = (cut: Omit<Cut, 'forever'>): Promise<pg.Pool> =>
    poolCutAt(database, openPool, { ...cut, forever: true });

  test('for good, at COMMIT of the checkout: unknown, and the next call finds out', async () => {
    const options = { ...request(), store };
    const pool = await cutForever({ text: 'commit\0', fate: 'cut after it' });
    const error = await caught(withCheckout(pool, { ...options, retry: few }, () => Promise.resolve()));
    if (!(error instanceof CheckoutUnknownError)) throw error;
    expect(error).toMatchObject({
      code: 'CHECKOUT_UNKNOWN',
      step: 'checkout',
      correlationId: options.correlationId,
    });
    expect(await states()).toEqual(['1 open']);
    expect(await withCheckout(openPool(), options, () => Promise.resolve())).toMatchObject({ number: 1n });
  });

  test.each([
    ['cut', false],
    ['cut after it', true],
  ] as const)(
    'for good, at COMMIT of the finalization (%s): unknown, and the next call finds out',
    async (fate, isDone) => {
      const options = { ...request(), store };
      const pool = await cutForever({ text: 'commit\0', fate, nth: 2 });
      const error = await caught(withCheckout(pool, { ...options, retry: few }, () => Promise.resolve()));
      if (!(error instanceof CheckoutUnknownError)) throw error;
      expect(error).toMatchObject({ step: 'finalize', correlationId: options.correlationId });
      const again = await withCheckout(openPool(), options, () => Promise.resolve());
      expect(again).toMatchObject({ number: 1n, alreadyFinalized: isDone });
    },
  );

  test('for good, before the finalization is committed: still checked out, and told so', async () => {
    const options = { ...request(), store };
    const pool = await cutForever({ text: 'seqctl.finalize(', fate: 'cut' });
    const error = await caught(withCheckout(pool, { ...options, retry: few }, () => Promise.resolve()));
    if (!(error instanceof CheckoutUnsettledError)) throw error;
    expect(error).toMatchObject({ number: 1n, cause: { message: expect.any(String) as unknown } });
    expect(await withCheckout(openPool(), options, () => Promise.resolve())).toMatchObject({ number: 1n });
  });

  test.each([
    ['seqctl.release(', CheckoutUnsettledError],
    ['commit\0', CheckoutUnknownError],
  ])(
    'for good, at the release (%s): the error of the callback, with what it suppressed',
    async (text, type) => {
      const options = { ...request(), store };
      const mine = new Error('mine');
      const pool = await cutForever({ text, fate: 'cut', nth: text === 'commit\0' ? 2 : 1 });
      const failing = withCheckout(pool, { ...options, retry: few }, () => Promise.reject(mine));
      expect(await caught(failing)).toBe(mine);
      expect(mine).toMatchObject({ suppressed: expect.any(type) as unknown });
      expect(await states()).toEqual(['1 open']);
      expect(await withCheckout(openPool(), options, () => Promise.resolve())).toMatchObject({ number: 1n });
    },
  );

  test('a pool that lends nothing for a moment: the finalization waits for it', async () => {
    const pool = openPool({ max: 1, connectionTimeoutMillis: 20 });
    let hog: pg.PoolClient | undefined;
    const outcome = await withCheckout(
      pool,
      {
        ...request(),
        store,
        retry: {
          attempts: 50,
          baseDelayMs: 5,
          onRetry: (_, attempt) => {
            if (attempt === 2) hog?.release();
          },
        },
      },
      async () => {
        hog = await pool.connect();
      },
    );
    expect(outcome).toMatchObject({ alreadyFinalized: false, number: 1n });
  });
});

describe('the three steps by themselves', () => {
  test('in transactions of the caller', async () => {
    const pool = openPool();
    const key = request();
    const undone = withTransaction(pool, {}, async (client) => {
      expect(await checkout(client, key)).toMatchObject({
        series,
        correlationId: key.correlationId,
        number: 1n,
        documentNumber: 'INV-001',
      });
      throw new Error('mine');
    });
    await expect(undone).rejects.toThrow('mine');
    expect(await states()).toEqual([]);

    expect(await checkout(pool, { ...key, ttl: '1 hour' })).toMatchObject({ number: 1n });
    expect(await checkout(pool, key)).toMatchObject({ number: 1n, documentNumber: 'INV-001' });
    expect(await release(pool, key)).toBe(1n);
    expect(await release(pool, key)).toBe(1n);
    await withTransaction(pool, {}, async (client) => {
      expect(await nextNumber(client, { series })).toBe(1n);
      await client.query(`insert into taken values ($1, '', '-infinity', 1)`, [series]);
    });

    expect(await checkout(pool, key)).toMatchObject({ number: 2n });
    await withTransaction(pool, {}, async (client) => {
      expect(await finalize(client, { ...key, reference: 'here' })).toBe(2n);
      await store(client, { ...key, number: 2n });
    });
    expect(await finalize(pool, key)).toBe(2n);
    expect(await states()).toEqual(['1 released', '2 finalized here']);
  });

  test('what is refused comes as a SeqctlError, before the callback is run', async () => {
    const pool = openPool();
    let runs = 0;
    const run = (options: Partial<Parameters<typeof checkout>[1]> & { waitMs?: number }): Promise<unknown> =>
      caught(withCheckout(pool, { ...request(), ...options }, () => Promise.resolve((runs += 1))));
    expect(await run({ series: 'nowhere' })).toMatchObject({ name: 'SeqctlError', code: 'SQ001' });
    expect(await run({ group: 'x'.repeat(2000) })).toBeInstanceOf(SeqctlError);
    expect(await run({ date: '9.3.2026' })).toBeInstanceOf(TypeError);
    expect(await run({ ttl: '0' })).toMatchObject({ code: 'SQ033' });
    expect(await run({ ttl: '1 year' })).toMatchObject({ code: 'SQ033' });
    expect(await run({ waitMs: -1 })).toBeInstanceOf(RangeError);
    expect(await caught(finalize(pool, request()))).toBeInstanceOf(SeqctlError);
    expect(await caught(release(pool, request()))).toBeInstanceOf(SeqctlError);
    expect(runs).toBe(0);
    expect(await states()).toEqual([]);
  });

  test('one correlation id for two groups, two dates; the same for another series', async () => {
    const pool = openPool();
    const key = { ...request(), group: 'acme', date: '2026-03-09' };
    await checkout(pool, key);
    expect(await caught(checkout(pool, { ...key, group: 'globex' }))).toMatchObject({ code: 'SQ038' });
    expect(await caught(checkout(pool, { ...key, date: '2026-03-10' }))).toMatchObject({ code: 'SQ038' });
    const mine = key.series;
    await database.rows(`select seqctl.create_series($1, reset => 'never')`, [`${mine} too`]);
    expect(await checkout(pool, { ...key, series: `${mine} too` })).toMatchObject({ number: 1n });
    await release(pool, key);
    await release(pool, { ...key, series: `${mine} too` });
  });
});
