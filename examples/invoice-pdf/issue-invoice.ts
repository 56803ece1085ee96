import { access, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import type pg from 'pg';
import { withCheckout } from 'seqctl';

import { type Order, writePdf } from './pdf.js';

/** The table is attached: no row gets into it with a number that was not given to it. */
export const schema = `
  create table invoice (
    order_id text primary key,
    company text not null,
    issued_on date not null,
    number bigint not null,
    document_number text not null,
    file text not null
  );
  select seqctl.create_series('invoice', format => 'INV-{group}-{year}-{number:5}');
  select seqctl.attach('invoice', 'invoice', date_column => 'issued_on', group_columns => '{company}',
                       document_number_column => 'document_number')`;

export interface IssuedInvoice {
  readonly documentNumber: string;
  readonly file: string;
}

/**
 * Makes the PDF of an order and stores its invoice. It may be called again for the same order, after a crash for example: it goes on
 * with the same number where it had stopped, and what is done already is not done again.
 */
export async function issueInvoice(pool: pg.Pool, folder: string, order: Order): Promise<IssuedInvoice> {
  const { id, company, date } = order;
  const draft = path.join(folder, `.draft-${encodeURIComponent(id)}.pdf`);
  const outcome = await withCheckout(
    pool,
    {
      series: 'invoice',
      group: company,
      date,
      correlationId: id,
      ttl: '1 minute',
      reference: (file: string) => file,
      store: (client: pg.PoolClient, { number, documentNumber }, file) =>
        client.query(
          `insert into invoice (order_id, company, issued_on, number, document_number, file)
           values ($1, $2, $3, $4, $5, $6)`,
          [id, company, date, number, documentNumber, file],
        ),
    },
    async ({ documentNumber, signal }) => {
      await writePdf(draft, order, documentNumber, signal);
      return `${encodeURIComponent(documentNumber)}.pdf`;
    },
  ).catch(async (error: unknown) => {
    await rm(draft, { force: true });
    throw error;
  });
  const file = outcome.alreadyFinalized ? (outcome.reference ?? '') : outcome.result;
  // Only now, because before the number could still have become another order's.
  await publish(draft, path.join(folder, file));
  return { documentNumber: outcome.documentNumber, file };
}

/** All of the file appears at once. Called again after a crash, it finds the file published. */
async function publish(draft: string, file: string): Promise<void> {
  await rename(draft, file).catch(async (error: unknown) => {
    await access(file).catch(() => {
      throw error;
    });
  });
}
