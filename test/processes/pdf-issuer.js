// Issues all of ORDERS as examples/invoice-pdf does, one after the other, and says which are done.
import pg from 'pg';

import { issueInvoice } from '../../dist/examples/invoice-pdf/issue-invoice.js';

const { DATABASE_URL, FOLDER, ORDERS } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL });

console.log('ready');
for (const order of JSON.parse(ORDERS)) {
  const { documentNumber } = await issueInvoice(pool, FOLDER, order);
  console.log(`${order.id} ${documentNumber}`);
}
await pool.end();
