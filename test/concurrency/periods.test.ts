import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact, makeInvoices, numbersOf } from '../support/numbering.js';
import { type Session, waitUntilBlocked } from '../support/session.js';

const database = useDatabase();

const levels = ['read committed', 'repeatable read', 'serializable'];
const nameFor = (prefix: string, level: string): string => `${prefix}_${level.replace(' ', '_')}`;

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );

/** Whoever commits after the closing has no number in the period, and the first to start anew says so. */
const expectClosed = async (t: string, company = 'acme'): Promise<void> => {
  expect(
    await codeOf(database.rows(`insert into ${t} (company, issued_on) values ('${company}', '2025-06-01')`)),
  ).toBe('SQ020');
};

test.each(levels)(
  'an uncommitted INSERT: close waits for it, then the period is closed; %s',
  async (level) => {
    const t = await makeInvoices(database, nameFor('held', level));
    await database.rows(`insert into ${t} (issued_on) values ('2025-01-01')`);
    const a = await database.session('A');
    const c = await database.session('C');
    for (const [end, numbers] of [
      ['commit', '1 2'],
      ['rollback', '1 2'],
    ] as const) {
      await a.query(`begin isolation level ${level}`);
      await a.query(`insert into ${t} (issued_on) values ('2025-01-02')`);
      const closing = c.start(`select seqctl.close_period('${t}', '2025-01-01')`);
      await waitUntilBlocked(c, a);
      // The holder goes on in the counter that it holds.
      await a.query(`savepoint s`);
      await a.query(`insert into ${t} (issued_on) values ('2025-01-02')`);
      await a.query(`rollback to s`);
      await a.query(end);
      await closing.result;
      expect(await numbersOf(database, t)).toEqual({ 'acme 2025': numbers });
      await expectClosed(t);
      await c.query(`select seqctl.reopen_period('${t}', '2025-01-01', 'again')`);
    }
    await expectExact(database);
  },
);

test.each(levels)(
  'the first number of a new group, uncommitted: close waits, and closes it too; %s',
  async (level) => {
    const t = await makeInvoices(database, nameFor('creator', level));
    await database.rows(`insert into ${t} (issued_on) values ('2025-01-01')`);
    const a = await database.session('A');
    const c = await database.session('C');
    await a.query(`begin isolation level ${level}`);
    await a.query(`insert into ${t} (company, issued_on) values ('new', '2025-01-02')`);
    const closing = c.start<{ counters: string }>(`select * from seqctl.close_period('${t}', '2025-01-01')`);
    await waitUntilBlocked(c, a);
    await a.query('commit');
    expect((await closing.result).rows).toMatchObject([{ counters: '2' }]);
    await expectClosed(t);
    await expectClosed(t, 'new');
    await expectExact(database);
  },
);

test.each(levels)('the first number of a new group while a closing is uncommitted; %s', async (level) => {
  const t = await makeInvoices(database, nameFor('late_creator', level));
  await database.rows(`insert into ${t} (issued_on) values ('2025-01-01')`);
  const a = await database.session('A');
  const c = await database.session('C');
  const insert = `insert into ${t} (company, issued_on) values ('new', '2025-01-02')`;
  for (const [end, expected] of [
    ['rollback', 'ok'],
    ['commit', level === 'read committed' ? 'SQ020' : '40001'],
  ] as const) {
    await c.query('begin');
    await c.query(`select seqctl.close_period('${t}', '2025-01-01')`);
    await a.query(`begin isolation level ${level}`);
    const inserting = a.start(insert);
    await waitUntilBlocked(a, c);
    await c.query(end);
    expect(await codeOf(inserting.result)).toBe(expected);
    await a.query('rollback');
  }
  // Again, with a snapshot of now.
  await a.query(`begin isolation level ${level}`);
  expect(await codeOf(a.query(insert))).toBe('SQ020');
  await a.query('rollback');
  expect(await database.rows(`select distinct group_key from seqctl.counters where series = '${t}'`)).toEqual(
    [{ group_key: 'acme' }],
  );
  await expectExact(database);
});

test.each(levels)('an INSERT that waits for a closing of its counter; %s', async (level) => {
  const t = await makeInvoices(database, nameFor('waiting', level));
  await database.rows(`insert into ${t} (issued_on) values ('2025-01-01')`);
  const a = await database.session('A');
  const c = await database.session('C');
  for (const sql of [
    `insert into ${t} (issued_on) values ('2025-01-02')`,
    `insert into ${t} (issued_on) select '2025-01-02' from generate_series(1, 30)`,
    `select seqctl.next_number('${t}', 'acme', '2025-01-02')`,
    `select seqctl.allocate('${t}', 'acme', '2025-01-02', 5)`,
  ]) {
    await c.query('begin');
    await c.query(`select seqctl.close_period('${t}', '2025-01-01')`);
    await a.query(`begin isolation level ${level}`);
    const inserting = a.start(sql);
    await waitUntilBlocked(a, c);
    await c.query('commit');
    expect(await codeOf(inserting.result), sql).toBe(level === 'read committed' ? 'SQ020' : '40001');
    await a.query('rollback');
    await c.query(`select seqctl.reopen_period('${t}', '2025-01-01', 'again')`);
  }
  await expectExact(database);
});

test.each(levels)(
  'a transaction whose snapshot is older than a closing or a reopening; %s',
  async (level) => {
    const t = await makeInvoices(database, nameFor('snapshot', level));
    await database.rows(`insert into ${t} (issued_on) values ('2025-01-01')`);
    const isCommitted = level === 'read committed';
    const a = await database.session('A');
    const attempt = async (company: string, change: string, expected: string): Promise<void> => {
      await a.query(`begin isolation level ${level}`);
      await a.query('select from seqctl.series');
      await database.rows(`select seqctl.${change}`);
      expect(
        await codeOf(a.query(`insert into ${t} (company, issued_on) values ('${company}', '2025-01-02')`)),
        `${company} after ${change}`,
      ).toBe(expected);
      await a.query('rollback');
    };
    const reopen = `reopen_period('${t}', '2025-01-01', 'x')`;
    for (const company of ['acme', 'new']) {
      await attempt(company, `close_period('${t}', '2025-01-01')`, isCommitted ? 'SQ020' : '40001');
      await attempt(company, reopen, isCommitted ? 'ok' : '40001');
      await attempt(
        company,
        `close_period('${t}', '2025-01-01', '${company}')`,
        isCommitted ? 'SQ020' : '40001',
      );
      await attempt(company, reopen, isCommitted ? 'ok' : '40001');
    }
    // Another period is not in the way of a counter that exists.
    await attempt('acme', `close_period('${t}', '2020-01-01')`, 'ok');
    await expectExact(database);
  },
);

test.each(levels)(
  '16 sessions insert into old and new groups while the period is closed and reopened; %s',
  async (level) => {
    const t = await makeInvoices(database, nameFor('crowd', level));
    const sessions = await Promise.all(Array.from({ length: 16 }, (_, n) => database.session(`client ${n}`)));
    const c = await database.session('C');
    let stop = false;
    const outcomes = new Map<string, number>();
    const work = async (session: Session, n: number): Promise<void> => {
      for (let round = 0; !stop; round += 1) {
        const company = round % 3 === 0 ? `new ${n} ${round}` : `c${round % 4}`;
        const outcome = await codeOf(
          (async () => {
            await session.query(`begin isolation level ${level}`);
            await session.query(
              `insert into ${t} (company, issued_on) select '${company}', '2025-06-01' from generate_series(1, ${1 + (round % 3)})`,
            );
            await session.query(round % 5 === 0 ? 'rollback' : 'commit');
          })(),
        );
        if (outcome !== 'ok') await session.query('rollback');
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    };
    const working = Promise.all(sessions.map(work));
    try {
      for (let round = 0; round < 8; round += 1) {
        await c.query(`select seqctl.close_period('${t}', '2025-01-01')`);
        const counted = async (): Promise<unknown> =>
          c.value(`select count(*) || ' ' || (select sum(last_number) from seqctl.counter) from ${t}`);
        // Closed is closed, from the moment at which close_period returned.
        const then = await counted();
        const refused = outcomes.get('SQ020') ?? 0;
        await expect
          .poll(() => outcomes.get('SQ020') ?? 0, { timeout: 20_000 })
          .toBeGreaterThan(refused + 32);
        expect(await counted()).toBe(then);
        expect(await c.rows(`select from seqctl.counters where series = '${t}' and not closed`)).toEqual([]);
        await c.query(`select seqctl.reopen_period('${t}', '2025-01-01', 'round ${round}')`);
        const landed = outcomes.get('ok') ?? 0;
        await expect.poll(() => outcomes.get('ok') ?? 0, { timeout: 20_000 }).toBeGreaterThan(landed + 16);
      }
    } finally {
      stop = true;
      await working;
    }
    expect([...outcomes.keys()].filter((key) => !['ok', 'SQ020', '40001'].includes(key))).toEqual([]);
    await expectExact(database);
  },
);

test('two close at once: the second says that it was done', async () => {
  const t = await makeInvoices(database, 'two_closers');
  const c = await database.session('C');
  const d = await database.session('D');
  await c.query('begin');
  await c.query(`select seqctl.close_period('${t}', '2025-01-01')`);
  const second = d.start(`select changed from seqctl.close_period('${t}', '2025-01-01')`);
  await waitUntilBlocked(d, c);
  await c.query('commit');
  expect((await second.result).rows).toEqual([{ changed: false }]);
});

test('close takes the counters in one order: it does not deadlock with writers who do so, too', async () => {
  const t = await makeInvoices(database, 'ordered');
  const companies = ['a', 'B', 'ä', 'z', 'Z', '10', '9'];
  await database.rows(`insert into ${t} (company, issued_on) select unnest($1::text[]), '2025-01-01'`, [
    companies,
  ]);
  const a = await database.session('A');
  const c = await database.session('C');
  const sorted = [...companies].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
  await a.query('begin');
  await a.query(`insert into ${t} (company, issued_on) values ($1, '2025-01-01')`, [sorted[3]]);
  const closing = c.start(`select seqctl.close_period('${t}', '2025-01-01')`);
  await waitUntilBlocked(c, a);
  // It holds those before, and none after.
  for (const company of sorted.slice(4)) {
    await a.query(`insert into ${t} (company, issued_on) values ($1, '2025-01-01')`, [company]);
  }
  await a.query('commit');
  await closing.result;
  await expectClosed(t, 'a');
  await expectExact(database);
});

test('a killed closer leaves the period open', async () => {
  const t = await makeInvoices(database, 'killed_closer');
  await database.rows(`insert into ${t} (issued_on) values ('2025-01-01')`);
  const c = await database.session('C');
  const a = await database.session('A');
  await c.query('begin');
  await c.query(`select seqctl.close_period('${t}', '2025-01-01')`);
  const inserting = a.start(`insert into ${t} (issued_on) values ('2025-01-02')`);
  await waitUntilBlocked(a, c);
  await c.kill();
  await inserting.result;
  expect(await numbersOf(database, t)).toEqual({ 'acme 2025': '1 2' });
});

test('PREPARE TRANSACTION: close waits for a prepared number, and a prepared closing holds the counter', async () => {
  const t = await makeInvoices(database, 'prepared_close');
  const a = await database.session('A');
  const c = await database.session('C');
  await a.query('begin');
  await a.query(`insert into ${t} (issued_on) values ('2025-01-01')`);
  await a.query(`prepare transaction 'periods_insert'`);
  await c.query(`set lock_timeout = '50ms'`);
  expect(await codeOf(c.query(`select seqctl.close_period('${t}', '2025-01-01')`))).toBe('55P03');
  await a.query(`commit prepared 'periods_insert'`);
  await c.query('begin');
  await c.query(`select seqctl.close_period('${t}', '2025-01-01')`);
  await c.query(`prepare transaction 'periods_close'`);
  const inserting = a.start(`insert into ${t} (issued_on) values ('2025-01-02')`);
  await waitUntilBlocked(a);
  await c.query(`commit prepared 'periods_close'`);
  expect(await codeOf(inserting.result)).toBe('SQ020');
});

test.each(['before', 'after'])(
  'a writer that makes a new counter %s one that exists: close waits for it, without a deadlock',
  async (when) => {
    const t = await makeInvoices(database, `no_deadlock_${when}`);
    await database.rows(`insert into ${t} (issued_on) values ('2025-01-01')`);
    const insert = (company: string): string =>
      `insert into ${t} (company, issued_on) values ('${company}', '2025-01-01')`;
    const [first, second] = when === 'before' ? (['new', 'acme'] as const) : (['acme', 'new'] as const);
    const a = await database.session('A');
    const c = await database.session('C');
    await a.query('begin');
    await a.query(insert(first));
    const closing = c.start<{ counters: string }>(`select * from seqctl.close_period('${t}', '2025-01-01')`);
    await waitUntilBlocked(c, a);
    await a.query(insert(second));
    await a.query('commit');
    expect((await closing.result).rows).toMatchObject([{ counters: '2' }]);
    await expectClosed(t);
    await expectExact(database);
  },
);

test('a transaction that stays long: close waits as long as its lock_timeout says', async () => {
  const t = await makeInvoices(database, 'long_holder');
  const a = await database.session('A');
  const c = await database.session('C');
  const insert = `insert into ${t} (issued_on) values ('2025-01-01')`;
  await a.query(insert);
  await a.query('begin');
  await a.query(insert);
  for (const timeout of ['20ms', '400ms']) {
    await c.query(`set lock_timeout = '${timeout}'`);
    expect(await codeOf(c.query(`select seqctl.close_period('${t}', '2025-01-01')`))).toBe('55P03');
    expect(await c.value('show lock_timeout')).toBe(timeout);
  }
  await c.query('begin');
  await a.query('commit');
  await c.query(`select seqctl.close_period('${t}', '2025-01-01')`);
  expect(await c.value('show lock_timeout')).toBe('400ms');
  await c.query('commit');
  await expectClosed(t);
});
