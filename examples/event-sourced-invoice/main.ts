import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type pg from 'pg';

import { append, installEventStore, readStream, streamsOf } from './event-store.js';
import type { InvoiceEvent, InvoiceRequest } from './invoice.js';
import { type Documents, runInvoices } from './saga.js';

export async function setUp(pool: pg.Pool): Promise<void> {
  await installEventStore(pool);
  await pool.query(`select seqctl.create_series('invoice', format => '{group}-{year}-{number:4}')`);
}

export async function requestInvoice(pool: pg.Pool, id: string, request: InvoiceRequest): Promise<void> {
  const event: InvoiceEvent = { type: 'InvoiceRequested', data: request };
  await append(pool, { name: `invoice-${id}`, version: -1 }, event);
}

/** A service that makes text files. It refuses what has no amount. */
export function documentsIn(folder: string): Documents {
  return {
    make: async (documentNumber, { company, date, cents }) => {
      if (cents <= 0) return { refused: 'there is nothing to pay' };
      await mkdir(folder, { recursive: true });
      const file = path.join(folder, `${documentNumber}.txt`);
      // All of the file is there, or none of it.
      const draft = `${file}.${randomUUID()}`;
      await writeFile(draft, `${documentNumber}: ${company}, ${date}, ${cents}\n`);
      await rename(draft, file);
      return { file: path.basename(file) };
    },
  };
}

export async function main(pool: pg.Pool, print: (line: string) => void): Promise<void> {
  await setUp(pool);
  const folder = await mkdtemp(path.join(tmpdir(), 'invoices-'));
  try {
    await requestInvoice(pool, '1', { company: 'acme', date: '2026-03-09', cents: 12_000 });
    await requestInvoice(pool, '2', { company: 'acme', date: '2026-03-09', cents: 0 });
    await requestInvoice(pool, '3', { company: 'acme', date: '2026-03-10', cents: 8_000 });
    await runInvoices({ pool, documents: documentsIn(folder) });
    for (const name of await streamsOf(pool, 'invoice')) {
      print(`${name}:`);
      for (const { type, data } of (await readStream<InvoiceEvent>(pool, name)).events)
        print(`  ${type} ${JSON.stringify(data)}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
