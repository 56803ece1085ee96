import type pg from 'pg';

import { main as eventSourcedInvoice } from './event-sourced-invoice/main.js';
import { main as invoicePdf } from './invoice-pdf/main.js';
import { main as protectedScope } from './protected-scope/main.js';

/** Runs in a database where seqctl is installed, and makes what it needs. */
export type Example = (pool: pg.Pool, print: (line: string) => void) => Promise<void>;

/** By the name of their folder. */
export const examples: Readonly<Record<string, Example>> = {
  'protected-scope': protectedScope,
  'invoice-pdf': invoicePdf,
  'event-sourced-invoice': eventSourcedInvoice,
};
