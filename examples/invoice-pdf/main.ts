import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type pg from 'pg';

import { issueInvoice, schema } from './issue-invoice.js';
import type { Order } from './pdf.js';

const orderOf = (id: string, company: string, cents = 12_000): Order => ({
  id,
  company,
  date: '2026-03-09',
  lines: [{ text: 'Consulting', cents }],
});

export async function main(pool: pg.Pool, print: (line: string) => void): Promise<void> {
  await pool.query(schema);
  const folder = await mkdtemp(path.join(tmpdir(), 'invoices-'));
  try {
    const orders = [orderOf('order 1', 'acme'), orderOf('order 2', 'globex'), orderOf('order 3', 'acme')];
    for (const order of orders) {
      const { documentNumber } = await issueInvoice(pool, folder, order);
      print(`${order.id} of ${order.company}: ${documentNumber}`);
    }
    const again = await issueInvoice(pool, folder, orderOf('order 1', 'acme'));
    print(`order 1 once more: ${again.documentNumber}, nothing was done`);
    print((await readdir(folder)).sort().join(' '));
  } finally {
    await rm(folder, { recursive: true });
  }
}
