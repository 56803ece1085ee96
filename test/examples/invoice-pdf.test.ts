import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { issueInvoice, schema } from '../../examples/invoice-pdf/issue-invoice.js';
import type { Order } from '../../examples/invoice-pdf/pdf.js';
import { randomFrom } from '../support/clients.js';
import { useDatabase } from '../support/database.js';
import { TestProcess } from '../support/test-process.js';
import { expectExact } from '../support/numbering.js';
import { usePools } from '../support/pool.js';

const database = useDatabase();
const openPool = usePools(database);
let folder = '';

beforeAll(async () => {
  await database.execute(schema);
});

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'seqctl-pdf-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const orderOf = (id: string, company: string): Order => ({
  id,
  company,
  date: '2026-03-09',
  lines: [{ text: 'Consulting', cents: 12_000 }],
});

/** Every invoice of these companies has a PDF that bears its number, and there is nothing else. */
async function expectPublished(companies: readonly string[]): Promise<number> {
  const rows = await database.rows<{
    document_number: string;
    file: string;
    state: string;
    reference: string;
  }>(
    `select i.document_number, i.file, c.state, c.reference
     from invoice i join seqctl.checkouts c on c.correlation_id = i.order_id and c.number = i.number
     where i.company = any ($1) and c.state <> 'released'`,
    [companies],
  );
  expect((await readdir(folder)).sort()).toEqual(rows.map(({ file }) => file).sort());
  for (const { document_number, file, state, reference } of rows) {
    expect([state, reference]).toEqual(['finalized', file]);
    const pdf = await readFile(path.join(folder, file), 'latin1');
    expect(pdf.startsWith('%PDF-')).toBe(true);
    expect(pdf.trimEnd().endsWith('%%EOF')).toBe(true);
    expect(pdf).toContain(`\n(${document_number})\n`);
  }
  await expectExact(database);
  return rows.length;
}

test('an invoice that cannot be stored leaves no PDF, and its number is the next one', async () => {
  const pool = openPool();
  expect(await issueInvoice(pool, folder, orderOf('a1', 'acme'))).toEqual({
    documentNumber: 'INV-acme-2026-00001',
    file: 'INV-acme-2026-00001.pdf',
  });
  await database.execute('alter table invoice add constraint no_globex check (company <> $$globex$$)');
  await expect(issueInvoice(pool, folder, orderOf('g1', 'globex'))).rejects.toMatchObject({ code: '23514' });
  await database.execute('alter table invoice drop constraint no_globex');
  expect(await expectPublished(['acme', 'globex'])).toBe(1);
  expect((await issueInvoice(pool, folder, orderOf('g2', 'globex'))).documentNumber).toBe(
    'INV-globex-2026-00001',
  );
  expect((await issueInvoice(pool, folder, orderOf('g1', 'globex'))).documentNumber).toBe(
    'INV-globex-2026-00002',
  );
  expect(await expectPublished(['acme', 'globex'])).toBe(3);
});

test('a PDF that cannot be written', async () => {
  const failing = issueInvoice(openPool(), path.join(folder, 'nowhere'), orderOf('n1', 'nowhere'));
  await expect(failing).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await expectPublished(['nowhere'])).toBe(0);
});

test('killed at any time, again and again, and begun again: what was told is there, and every order has one invoice', async () => {
  const random = randomFrom(Number(process.env['SEQCTL_TEST_SEED'] ?? 6));
  const told = new Map<string, string>();
  const start = (orders: Order[]): TestProcess =>
    new TestProcess('pdf-issuer.js', {
      DATABASE_URL: database.url,
      FOLDER: folder,
      ORDERS: JSON.stringify(orders),
    });
  const note = (child: TestProcess): void => {
    for (const line of child.lines.filter((it) => it !== 'ready')) {
      const [id = '', documentNumber = ''] = line.split(' ');
      expect(told.get(id) ?? documentNumber).toBe(documentNumber);
      told.set(id, documentNumber);
    }
  };
  const companies = ['red', 'green'];
  const ordersOf = (company: string): Order[] =>
    Array.from({ length: 40 }, (_, n) => orderOf(`${company}${n + 1}`, company));
  await Promise.all(
    companies.map(async (company) => {
      for (let kill = 0; kill < 20; kill += 1) {
        const child = start(ordersOf(company));
        await child.printed('ready');
        await delay(random(120));
        child.kill();
        await child.end();
        note(child);
      }
      const last = start(ordersOf(company));
      expect(await last.end(), last.errors).toBe(0);
      note(last);
    }),
  );
  expect(told.size).toBe(80);
  const rows = await database.rows<{ order_id: string; document_number: string }>(
    'select order_id, document_number from invoice where company = any ($1)',
    [companies],
  );
  expect(new Map(rows.map(({ order_id, document_number }) => [order_id, document_number]))).toEqual(told);
  expect(await expectPublished(companies)).toBe(80);
});
