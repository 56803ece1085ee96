// Makes a document for each of ORDERS (`company id`) with withCheckout(), all at a time, and says who works and which are done. The callback
// takes up to WORK_MS and throws at a rate of FAIL_RATE, up to FAILURES times an order; then, and where the database could not be reached, the
// order is tried again: with the same correlation id, as the documentation has it.
import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';
import { SeqctlError, withCheckout } from 'seqctl';

const { DATABASE_URL, ORDERS, WORK_MS = '0', FAILURES = '0', FAIL_RATE = '0.3' } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 3 });
pool.on('error', () => undefined);

const mine = new Error('mine');
const isLost = ({ code = '', message = '' }) =>
  /^(CHECKOUT_UN|CONNECTION_LOST|ECONN|EPIPE|57P0)/.test(code) || message.startsWith('Connection terminated');

async function make(order) {
  const [company] = order.split(' ');
  const options = {
    series: 'invoice',
    group: company,
    correlationId: order,
    waitMs: 120_000,
    retry: { attempts: 8, baseDelayMs: 5, maxDelayMs: 100 },
    store: (client, { number }) =>
      client.query('insert into invoices (company, number, order_id) values ($1, $2, $3)', [
        company,
        number,
        order,
      ]),
  };
  for (let failures = Number(FAILURES); ;) {
    try {
      const { number, alreadyFinalized } = await withCheckout(pool, options, async ({ number }) => {
        console.log(`working ${order} ${number}`);
        await delay(Math.random() * Number(WORK_MS));
        if (failures > 0 && Math.random() < Number(FAIL_RATE)) throw mine;
      });
      console.log(`done ${order} ${number} ${alreadyFinalized}`);
      return;
    } catch (error) {
      if (error !== mine && !isLost(error)) throw error;
      if (error instanceof SeqctlError) console.log(`lost ${order} ${error.code}`);
      if (error === mine) failures -= 1;
      await delay(20);
    }
  }
}

console.log('ready');
await Promise.all(JSON.parse(ORDERS).map(make));
await pool.end();
