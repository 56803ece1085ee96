import type pg from 'pg';
import { checkout, finalize, type Queryable, release, withTransaction } from 'seqctl';

import { append, readStream, StreamMovedError, streamsOf } from './event-store.js';
import { type Invoice, type InvoiceEvent, invoiceOf, type InvoiceRequest } from './invoice.js';

/** Who makes documents, outside of the database. Asked again for the same number and request, the answer is the same. */
export interface Documents {
  make(
    documentNumber: string,
    request: InvoiceRequest,
  ): Promise<{ readonly file: string } | { readonly refused: string }>;
}

export interface SagaOptions {
  readonly pool: pg.Pool;
  readonly documents: Documents;
  /** For a log: told of each event before it is stored, and afterwards. */
  readonly onStep?: (step: `${'before' | 'after'} ${InvoiceEvent['type']}`) => void;
}

/** Other invoices of the company wait while one has a number that is not settled: they ask again every now and then. */
const retry = { attempts: 100, maxDelayMs: 200 };

/**
 * Brings an invoice to its end: issued or rejected. It can be stopped anywhere, also by SIGKILL, and begun again, and several can
 * work on one invoice.
 *
 * Each round reads the events, does what comes next, and stores the event that says so. What it does with the number is in one
 * transaction with the event: so the events tell how far the invoice is, and a round that somebody else was faster with is rolled back.
 */
export async function runInvoice(options: SagaOptions, name: string): Promise<Invoice> {
  const { pool, documents, onStep = () => undefined } = options;
  for (;;) {
    const stream = await readStream<InvoiceEvent>(pool, name);
    const invoice = invoiceOf(stream.events);
    // Outside of a transaction, because it may take long. Nobody else gets a number of the company meanwhile.
    const made = invoice.status === 'numbered' ? await makeDocument(documents, invoice) : undefined;
    try {
      const event = await withTransaction(pool, { retry }, async (client: pg.PoolClient) => {
        const next = made ?? (await settle(client, name, invoice));
        if (next === undefined) return undefined;
        onStep(`before ${next.type}`);
        await append(client, stream, next);
        return next;
      });
      if (event === undefined) return invoice;
      onStep(`after ${event.type}`);
    } catch (error) {
      if (!(error instanceof StreamMovedError)) throw error;
    }
  }
}

async function makeDocument(
  documents: Documents,
  { documentNumber, request }: Extract<Invoice, { status: 'numbered' }>,
): Promise<InvoiceEvent> {
  const made = await documents.make(documentNumber, request);
  return 'file' in made
    ? { type: 'DocumentMade', data: made }
    : { type: 'DocumentRefused', data: { reason: made.refused } };
}

/** What comes next with the number; nothing when the invoice is at its end. The stream's name is the correlation id. */
async function settle(client: Queryable, name: string, invoice: Invoice): Promise<InvoiceEvent | undefined> {
  const key = { series: 'invoice', correlationId: name };
  switch (invoice.status) {
    case 'requested': {
      const { company, date } = invoice.request;
      await client.query(`set local lock_timeout = '200ms'`);
      const { documentNumber } = await checkout(client, { ...key, group: company, date });
      return { type: 'NumberCheckedOut', data: { documentNumber } };
    }
    case 'made':
      await finalize(client, { ...key, reference: invoice.file });
      return { type: 'InvoiceIssued', data: { documentNumber: invoice.documentNumber } };
    case 'refused':
      await release(client, key);
      return { type: 'InvoiceRejected', data: { reason: invoice.reason } };
    default:
      return undefined;
  }
}

/** All invoices that were requested, the oldest first: so what a saga left behind when it died comes before what is new. */
export async function runInvoices(options: SagaOptions): Promise<void> {
  for (const name of await streamsOf(options.pool, 'invoice')) await runInvoice(options, name);
}
