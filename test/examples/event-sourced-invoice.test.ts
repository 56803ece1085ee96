import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readStream, streamsOf } from '../../examples/event-sourced-invoice/event-store.js';
import { type InvoiceEvent, invoiceOf } from '../../examples/event-sourced-invoice/invoice.js';
import { documentsIn, requestInvoice, setUp } from '../../examples/event-sourced-invoice/main.js';
import { runInvoices } from '../../examples/event-sourced-invoice/saga.js';
import { randomFrom } from '../support/clients.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { TestProcess } from '../support/test-process.js';
import pg from 'pg';

let database: TestDatabase;
let pool: pg.Pool;
let folder = '';

beforeEach(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  // The database is dropped while its connections close.
  pool.on('error', () => undefined);
  folder = await mkdtemp(path.join(tmpdir(), 'seqctl-saga-'));
  await setUp(pool);
});

afterEach(async () => {
  await pool.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

const startSaga = (env: Record<string, string> = {}): TestProcess =>
  new TestProcess('saga.js', { DATABASE_URL: database.url, FOLDER: folder, ...env });

async function expectEnd(child: TestProcess, how: number | NodeJS.Signals): Promise<void> {
  expect(await child.end(), child.errors).toBe(how);
}

/** What events, register, counters and documents say, which must be the same. */
async function expectExact(invoices: number): Promise<void> {
  const issued = new Map<string, { stream: string; company: string; cents: number }>();
  let rejected = 0;
  const streams = await streamsOf(pool, 'invoice');
  for (const stream of streams) {
    const { events } = await readStream<InvoiceEvent>(pool, stream);
    const invoice = invoiceOf(events);
    const [first] = events;
    if (first?.type !== 'InvoiceRequested') throw new Error(`${stream} does not begin with a request`);
    const { company, cents } = first.data;
    if (invoice.status === 'issued') {
      expect(issued.has(invoice.documentNumber)).toBe(false);
      issued.set(invoice.documentNumber, { stream, company, cents });
    } else {
      expect(invoice.status).toBe('rejected');
      rejected += 1;
    }
    expect(invoice.status === 'rejected').toBe(cents === 0);
  }
  expect(issued.size + rejected).toBe(invoices);

  const companies = new Map<string, number>();
  for (const { company } of issued.values()) companies.set(company, (companies.get(company) ?? 0) + 1);
  for (const [company, count] of companies) {
    for (let n = 1; n <= count; n += 1)
      expect(issued.has(`${company}-2026-${String(n).padStart(4, '0')}`)).toBe(true);
  }
  const counters = await database.rows<{ group_key: string; last: string }>(
    'select group_key, last_number::text as last from seqctl.counters',
  );
  expect(new Map(counters.map(({ group_key, last }) => [group_key, Number(last)]))).toEqual(companies);

  const register = await database.rows<{ document_number: string; correlation_id: string; state: string }>(
    `select document_number, correlation_id, state from seqctl.checkouts`,
  );
  expect(register.filter(({ state }) => !['finalized', 'released'].includes(state))).toEqual([]);
  const finalized = register.filter(({ state }) => state === 'finalized');
  expect(new Map(finalized.map((it) => [it.document_number, it.correlation_id]))).toEqual(
    new Map([...issued].map(([documentNumber, { stream }]) => [documentNumber, stream])),
  );
  for (const [documentNumber, { company, cents }] of issued) {
    const text = await readFile(path.join(folder, `${documentNumber}.txt`), 'utf8');
    expect(text).toBe(`${documentNumber}: ${company}, 2026-03-09, ${cents}\n`);
  }
}

const request = (id: number, company: string, cents: number): Promise<void> =>
  requestInvoice(pool, String(id), { company, date: '2026-03-09', cents });

describe('killed and begun again', () => {
  const events = ['NumberCheckedOut', 'DocumentMade', 'DocumentRefused', 'InvoiceIssued', 'InvoiceRejected'];
  const steps = ['document', ...events.flatMap((event) => [`before ${event}`, `after ${event}`])];

  test.each(steps)('at "%s"', async (step) => {
    await request(1, 'acme', 100);
    await request(2, 'acme', 0);
    await request(3, 'acme', 300);
    await expectEnd(startSaga({ KILL_AT: step }), 'SIGKILL');
    await request(4, 'globex', 400);
    await expectEnd(startSaga(), 0);
    await expectExact(4);
  });

  test('at any time, again and again, two at a time', async () => {
    const random = randomFrom(Number(process.env['SEQCTL_TEST_SEED'] ?? 5));
    let invoices = 0;
    let kills = 0;
    for (let round = 0; round < 15; round += 1) {
      for (let n = 0; n < 6; n += 1) {
        invoices += 1;
        await request(invoices, ['acme', 'globex'][random(2)] ?? '', random(3) === 0 ? 0 : invoices * 100);
      }
      const pair = [startSaga(), startSaga()];
      await Promise.all(
        pair.map(async (child) => {
          await child.printed('ready');
          await delay(random(60));
          child.kill();
          if ((await child.end()) === 'SIGKILL') kills += 1;
        }),
      );
    }
    await Promise.all([expectEnd(startSaga(), 0), expectEnd(startSaga(), 0)]);
    await expectExact(invoices);
    expect(kills).toBeGreaterThan(15);
  });
});

test('sixteen sagas at a time on one pool', async () => {
  for (let n = 1; n <= 12; n += 1) await request(n, 'acme', n % 4 === 0 ? 0 : n);
  const options = { pool, documents: documentsIn(folder) };
  await Promise.all(Array.from({ length: 16 }, () => runInvoices(options)));
  await expectExact(12);
});
