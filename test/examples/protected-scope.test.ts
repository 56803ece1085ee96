import { beforeAll, expect, test } from 'vitest';

import { setUp, writeReceipt } from '../../examples/protected-scope/main.js';
import { defineSequence, useSequence, valuesOf } from '../../examples/protected-scope/use-sequence.js';
import { useDatabase } from '../support/database.js';
import { usePools } from '../support/pool.js';

const database = useDatabase();
const openPool = usePools(database);

beforeAll(async () => {
  await setUp(openPool());
});

test('16 at a time, of which some are declined and some are killed: each customer has 1 to n', async () => {
  const pool = openPool({ max: 16 });
  const written: { customer: string; documentNumber: string }[] = [];
  await Promise.all(
    Array.from({ length: 16 }, async (_, client) => {
      for (let n = 0; n < 8; n += 1) {
        const customer = `customer ${(client + n) % 3}`;
        const documentNumber = await (
          n === 5
            ? useSequence(pool, 'receipt', customer, async (number, connection) => {
                await connection.query('insert into receipt values ($1, $2, $3)', [
                  customer,
                  'killed',
                  number,
                ]);
                await connection.query('select pg_terminate_backend(pg_backend_pid())');
                return number;
              })
            : writeReceipt(pool, customer, n % 4 === 2 ? 'declined' : 'paid')
        ).catch(() => undefined);
        if (documentNumber !== undefined) written.push({ customer, documentNumber });
      }
    }),
  );
  expect(written).toHaveLength(16 * 5);
  for (const customer of ['customer 0', 'customer 1', 'customer 2']) {
    const told = written.filter((it) => it.customer === customer).map(({ documentNumber }) => documentNumber);
    const expected = told.map((__, index) => `R-${String(index + 1).padStart(6, '0')}`);
    expect(told.sort()).toEqual(expected);
    const stored = await database.rows<{ document_number: string }>(
      'select document_number from receipt where customer = $1 order by 1',
      [customer],
    );
    expect(stored.map(({ document_number }) => document_number)).toEqual(expected);
    const last = BigInt(expected.length);
    expect(await valuesOf(pool, 'receipt', customer)).toEqual({ appliedValue: last, nextValue: last + 1n });
  }
});

test('a prefix with braces in it; a customer without a document', async () => {
  const pool = openPool();
  await defineSequence(pool, { name: 'odd', prefix: '{x}-', numberOfDigits: 3 });
  expect(await valuesOf(pool, 'odd', 'nobody')).toEqual({ appliedValue: 0n, nextValue: 1n });
  expect(await useSequence(pool, 'odd', 'acme', (documentNumber) => Promise.resolve(documentNumber))).toBe(
    '{x}-001',
  );
});
