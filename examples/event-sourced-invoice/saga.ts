import type pg from 'pg';
import { checkout, finalize, release, withTransaction } from 'seqctl';

import { type EventStore, type Stream, StreamMovedError } from './event-store.js';
import { type InvoiceEvent, invoiceOf, type InvoiceRequest } from './invoice.js';

/** Who makes documents, outside of the database; asked twice for one number, the result is the same document. */
export interface Documents {
  make(
    documentNumber: string,
    request: InvoiceRequest,
  ): Promise<{ readonly file: string } | { readonly refused: string }>;
}

export interface SagaOptions {
  readonly pool: pg.Pool;
  readonly events: EventStore<InvoiceEvent>;
  readonly documents: Documents;
  /** Told of each thing that was done and is not yet known to the event store, and of each event; for a log. */
  readonly onStep?: (step: string, stream: string) => void;
}

/**
 * Brings an invoice to its end: issued or rejected. It can be stopped anywhere, also by SIGKILL, and begun again.
 *
 * Each round reads the events, does the one thing that comes next, and appends the event that says so. When it dies in between, the next
 * round does the thing once more, which changes nothing: checkout, finalize and release know the invoice by its stream, the
 * correlation id. Two sagas that work on one invoice find out when they append.
 */
export async function runInvoice(options: SagaOptions, name: string): Promise<InvoiceEvent | undefined> {
  const { events, onStep = () => undefined } = options;
  let last: InvoiceEvent | undefined;
  for (;;) {
    const stream = await events.read(name);
    const event = await nextOf(options, stream);
    if (event === undefined) return last ?? stream.events.at(-1);
    onStep(`before ${event.type}`, name);
    try {
      await events.append(stream, event);
      last = event;
    } catch (error) {
      if (!(error instanceof StreamMovedError)) throw error;
    }
    onStep(`after ${event.type}`, name);
  }
}

/** Does what comes next, and tells what happened; undefined when there is nothing to do any more. */
async function nextOf(
  { pool, documents }: SagaOptions,
  { name, events }: Stream<InvoiceEvent>,
): Promise<InvoiceEvent | undefined> {
  const invoice = invoiceOf(events);
  const key = { series: 'invoice', correlationId: name };
  switch (invoice.status) {
    case 'requested': {
      const { company, date } = invoice.request;
      // Run again as long as another invoice of the company has a number that is not settled.
      const retry = { attempts: 100, maxDelayMs: 200 };
      const { documentNumber } = await withTransaction(pool, { retry }, async (client: pg.PoolClient) => {
        await client.query(`set local lock_timeout = '100ms'`);
        return checkout(client, { ...key, group: company, date });
      });
      return { type: 'NumberCheckedOut', data: { documentNumber } };
    }
    case 'numbered': {
      const made = await documents.make(invoice.documentNumber, invoice.request);
      return 'file' in made
        ? { type: 'DocumentMade', data: made }
        : { type: 'DocumentRefused', data: { reason: made.refused } };
    }
    case 'made': {
      await withTransaction(pool, {}, (client: pg.PoolClient) =>
        finalize(client, { ...key, reference: invoice.file }),
      );
      return { type: 'InvoiceIssued', data: { documentNumber: invoice.documentNumber } };
    }
    case 'refused': {
      await withTransaction(pool, {}, (client: pg.PoolClient) => release(client, key));
      return { type: 'InvoiceRejected', data: { reason: invoice.reason } };
    }
    default:
      return undefined;
  }
}

/** All invoices that were requested, the oldest first: what was under way when the last saga died, then the new ones. */
export async function runInvoices(options: SagaOptions): Promise<void> {
  for (const name of await options.events.streamsOf('invoice')) await runInvoice(options, name);
}
