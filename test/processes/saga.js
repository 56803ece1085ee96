// The saga of examples/event-sourced-invoice as a process. KILL_AT: the step at which it kills itself.
import pg from 'pg';

import { documentsIn } from '../../dist/examples/event-sourced-invoice/main.js';
import { runInvoices } from '../../dist/examples/event-sourced-invoice/saga.js';

const { DATABASE_URL, FOLDER, KILL_AT } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL });
const service = documentsIn(FOLDER);
const reach = (step) => {
  if (step === KILL_AT) process.kill(process.pid, 'SIGKILL');
};

const make = async (...request) => {
  const made = await service.make(...request);
  reach('document');
  return made;
};

console.log('ready');
await runInvoices({ pool, documents: { make }, onStep: reach });
await pool.end();
