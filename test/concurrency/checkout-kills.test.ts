import { setTimeout as delay } from 'node:timers/promises';

import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { install } from '../../cli/installer/install.js';
import { embeddedMajors } from '../../embedded/binaries.js';
import { type EmbeddedServer, startEmbeddedServer } from '../../embedded/server.js';
import { randomFrom } from '../support/clients.js';
import { settingsOf } from '../support/installer.js';
import { expectExactOn } from '../support/numbering.js';
import { type Fate, startProxy } from '../support/proxy.js';
import { TestProcess } from '../support/test-process.js';

// A server of its own, because it crashes.
let server: EmbeddedServer;

beforeAll(async () => {
  const major = embeddedMajors.find((known) => String(known) === process.env['SEQCTL_TEST_PG']) ?? 18;
  server = await startEmbeddedServer({ major, durable: true });
  await install(settingsOf(server.url));
  await withServer((client) =>
    client.query(`
      create table invoices (company text not null, number bigint not null, order_id text primary key);
      select seqctl.create_series('invoice', reset => 'never');
      select seqctl.attach('invoices', 'invoice', group_columns => '{company}')`),
  );
});

afterAll(() => server.stop());

async function withServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const maker = (orders: readonly string[], env: Record<string, string> = {}): TestProcess =>
  new TestProcess('document-maker.js', { DATABASE_URL: server.url, ORDERS: JSON.stringify(orders), ...env });

/** The orders that a process said are done, with their numbers. */
const told = ({ lines }: TestProcess): [string, string][] =>
  lines.flatMap((line) => {
    const [, order, number] = /^done (\S+ \S+) (\d+) /.exec(line) ?? [];
    return order === undefined || number === undefined ? [] : [[order, number]];
  });

/** Whether it has a number out, as far as its output tells. */
function isWorking({ lines }: TestProcess): boolean {
  const last = new Map(
    lines.map((line) => line.split(' ')).map(([what, ...order]) => [order.slice(0, 2).join(' '), what]),
  );
  return [...last.values()].includes('working');
}

/** What is stored, by order: exactly the numbers that were finalized, of each company 1 to n. */
async function stored(): Promise<Map<string, string>> {
  return withServer(async (client) => {
    await expectExactOn(client);
    const { rows: invoices } = await client.query<{ order: string; number: string }>(
      'select order_id as order, number from invoices',
    );
    const { rows: register } = await client.query<{ order: string; number: string; state: string }>(
      `select correlation_id as order, number, state from seqctl.checkouts where state <> 'released'`,
    );
    expect(register.filter(({ state }) => state !== 'finalized')).toEqual([]);
    const numbers = new Map(invoices.map(({ order, number }) => [order, number]));
    expect(new Map(register.map(({ order, number }) => [order, number]))).toEqual(numbers);
    return numbers;
  });
}

describe('a process is killed, and another one makes the same document', () => {
  // What is sent, the how many-th time, when the process dies, and whether the server still gets it.
  const moments: [string, number, Fate, { FAILURES?: string }][] = [
    ['seqctl.checkout(', 1, 'cut', {}],
    ['seqctl.checkout(', 1, 'cut after it', {}],
    ['commit\0', 1, 'cut', {}],
    ['commit\0', 1, 'cut after it', {}],
    ['seqctl.finalize(', 1, 'cut', {}],
    ['seqctl.finalize(', 1, 'cut after it', {}],
    ['insert into invoices', 1, 'cut', {}],
    ['insert into invoices', 1, 'cut after it', {}],
    ['commit\0', 2, 'cut', {}],
    ['commit\0', 2, 'cut after it', {}],
    // Its callback throws.
    ['seqctl.release(', 1, 'cut', { FAILURES: '1' }],
    ['seqctl.release(', 1, 'cut after it', { FAILURES: '1' }],
    ['commit\0', 2, 'cut', { FAILURES: '1' }],
    ['commit\0', 2, 'cut after it', { FAILURES: '1' }],
  ];

  test.each(moments.map((moment, index) => [`step${index}`, ...moment] as const))(
    '%s: at %j, number %i of them, %s',
    async (company, text, nth, fate, env) => {
      let seen = 0;
      const { port } = await startProxy(server.url, {
        decide: (sent) => {
          if (!sent.includes(text) || (seen += 1) !== nth) return 'forward';
          child.kill();
          return fate;
        },
      });
      const url = new URL(server.url);
      url.port = String(port);
      const child = maker([`${company} 1`], { DATABASE_URL: url.href, FAIL_RATE: '1', ...env });
      expect(await child.end(), child.errors).toBe('SIGKILL');
      expect(told(child)).toEqual([]);
      const second = maker([`${company} 1`, `${company} 2`]);
      expect(await second.end(), second.errors).toBe(0);
      const numbers = await stored();
      expect(new Map(told(second))).toEqual(
        new Map([...numbers].filter(([order]) => order.startsWith(`${company} `))),
      );
    },
  );
});

test('processes and the server are killed at any time, under load: what was told is stored, nothing is missing or there twice', async () => {
  const random = randomFrom(Number(process.env['SEQCTL_TEST_SEED'] ?? 7));
  const acknowledged = new Map<string, string>();
  const note = (child: TestProcess): void => {
    for (const [order, number] of told(child)) {
      expect(acknowledged.get(order) ?? number).toBe(number);
      acknowledged.set(order, number);
    }
  };
  const counts = { killed: 0, whileWorking: 0, crashed: 0 };
  const isOver = (): boolean => counts.killed >= 12 && counts.whileWorking >= 4 && counts.crashed >= 3;
  const run = async (n: number): Promise<void> => {
    const orders: string[] = [];
    const left = (): string[] => orders.filter((order) => !acknowledged.has(order));
    for (;;) {
      while (!isOver() && left().length < 12)
        orders.push(`company${orders.length % 3} ${n}-${orders.length}`);
      if (left().length === 0) return;
      const child = maker(left(), { WORK_MS: '8', FAILURES: '3' });
      // On a busy machine it takes its time until it has a number.
      await child.printed(random(4) === 0 ? 'ready' : 'working');
      await Promise.race([delay(random(150)), child.end()]);
      if (!isOver()) child.kill();
      const how = await child.end();
      note(child);
      if (how === 0) continue;
      expect(how, child.errors).toBe('SIGKILL');
      counts.killed += 1;
      if (isWorking(child)) counts.whileWorking += 1;
    }
  };
  const crash = async (): Promise<void> => {
    while (!isOver()) {
      await delay(400 + random(400));
      await server.crash();
      counts.crashed += 1;
    }
  };
  // To the end, also if one fails: the server must not be stopped while it starts.
  const ends = await Promise.allSettled([run(1), run(2), run(3), crash()]);
  expect(ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))).toEqual([]);
  const numbers = await stored();
  expect(new Map([...numbers].filter(([order]) => order.startsWith('company')))).toEqual(acknowledged);
}, 180_000);
