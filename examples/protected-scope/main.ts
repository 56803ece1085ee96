import type pg from 'pg';

import { defineSequence, useSequence, valuesOf } from './use-sequence.js';

export async function setUp(pool: pg.Pool): Promise<void> {
  await defineSequence(pool, { name: 'receipt', prefix: 'R-', numberOfDigits: 6 });
  await pool.query(`
    create table receipt (
      customer text not null,
      payment text not null,
      document_number text not null,
      primary key (customer, document_number)
    )`);
}

export async function writeReceipt(pool: pg.Pool, customer: string, payment: string): Promise<string> {
  return useSequence(pool, 'receipt', customer, async (documentNumber, client) => {
    await client.query('insert into receipt values ($1, $2, $3)', [customer, payment, documentNumber]);
    if (payment === 'declined') throw new Error('the payment was declined');
    return documentNumber;
  });
}

export async function main(pool: pg.Pool, print: (line: string) => void): Promise<void> {
  await setUp(pool);
  print(`acme: ${await writeReceipt(pool, 'acme', 'paid')}`);
  print(`globex: ${await writeReceipt(pool, 'globex', 'paid')}, from a sequence of its own`);
  await writeReceipt(pool, 'acme', 'declined').catch((error: unknown) => print(`acme: ${String(error)}`));
  const { appliedValue, nextValue } = await valuesOf(pool, 'receipt', 'acme');
  print(`acme: applied ${appliedValue}, next ${nextValue}`);
  // Whoever comes at the same time waits for a moment; nobody gets a number that another one has.
  const payments = ['paid', 'paid', 'declined', 'paid'];
  const written = await Promise.allSettled(payments.map((payment) => writeReceipt(pool, 'acme', payment)));
  const numbers = written.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  print(`acme: ${numbers.sort().join(', ')}`);
}
