import { expect, test } from 'vitest';

import type { TestDatabase } from '../support/database.js';
import { settingsOf } from '../support/installer.js';
import {
  allGaps,
  inDatabase,
  invoices,
  unprotectedInvoices,
  untriggered,
  verifyUrl,
} from '../support/verify.js';

const checkout = (id: string): string =>
  `select seqctl.checkout('invoice', '${id}', 'acme', '2026-03-09', '1 hour');`;
const expire = (id: string): string =>
  `update seqctl.checkout set expires_at = opened_at - interval '1 s' where correlation_id = '${id}';`;

/** `severity kind: what`, with times as `T`. */
async function findingsOf(database: TestDatabase): Promise<{ ok: boolean; findings: string[] }> {
  const { ok, findings } = await verifyUrl(database.url);
  return {
    ok,
    findings: findings.map(({ severity, kind, what }) =>
      `${severity} ${kind}: ${what}`.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'T'),
    ),
  };
}

test('a number that is out is shown though nothing is missing yet; an expired one is an error', () =>
  inDatabase(`${invoices} ${checkout('order-1')}`, async (database) => {
    expect(await findingsOf(database)).toEqual({
      ok: true,
      findings: ['info checked_out: number 4 is checked out for order-1, until T UTC'],
    });
    expect(await verifyUrl(database.url)).toMatchObject({ ok: true, explained: 0, errors: 0 });
    await database.execute(expire('order-1'));
    expect(await findingsOf(database)).toEqual({
      ok: false,
      findings: ['error expired_checkout: number 4 is checked out for order-1, until T UTC: it has expired'],
    });
    const report = await verifyUrl(database.url);
    expect(report.findings[0]).toMatchObject({
      object: 'invoice / acme / 2026',
      hint: expect.stringContaining('seqctl lease finalize invoice') as string,
    });
    await database.execute(`select seqctl.release('invoice', 'order-1')`);
    expect(await findingsOf(database)).toEqual({ ok: true, findings: [] });
  }));

test('finalized: explained as long as no row has it, with its reference; then nothing is to be said', () =>
  inDatabase(
    `${invoices} ${checkout('order-1')} select seqctl.finalize('invoice', 'order-1', 'mail of 9 March');
     insert into invoices (company_id, issued_on) values ('acme', '2026-03-10');
     ${checkout('order-2')} select seqctl.finalize('invoice', 'order-2');`,
    async (database) => {
      expect(await findingsOf(database)).toEqual({
        ok: true,
        findings: [
          'info finalized_number: number 4 was finalized for order-1, no row has it, reference mail of 9 March',
          'info finalized_number: number 6 was finalized for order-2, no row has it',
        ],
      });
      const gaps = await allGaps(settingsOf(database.url), { limit: 10 });
      expect(gaps).toMatchObject({ ok: true, unexplained: 0, explained: 2, omitted: 0 });
      expect(gaps.gaps[0]).toMatchObject({
        from: 4n,
        to: 4n,
        explanation: { kind: 'finalized', recordedBy: 'postgres' },
        before: { number: 3n },
        after: { number: 5n },
      });
      await database.execute(
        `insert into invoices (company_id, issued_on, number) values ('acme', '2026-03-09', 4), ('acme', '2026-03-09', 6)`,
      );
      expect(await findingsOf(database)).toEqual({ ok: true, findings: [] });
    },
  ));

test('recycle: each piece of a gap has its own explanation, the register before the checkout', () =>
  inDatabase(
    `${unprotectedInvoices} select seqctl.alter_series('invoice', on_checkout => 'recycle');
     ${[1, 2, 3, 4, 5, 6].map((n) => checkout(`order-${n}`)).join('\n')}
     select seqctl.finalize('invoice', 'order-1'), seqctl.release('invoice', 'order-2'), seqctl.finalize('invoice', 'order-5');
     select seqctl.void('invoice', 'acme', '2026-03-09', 8, null, 'spoiled');
     insert into invoices (company_id, issued_on) values ('acme', '2026-03-10'), ('acme', '2026-03-10');
     delete from invoices where number in (2, 10) and company_id = 'acme' and issued_on > '2026-01-01';
     ${expire('order-4')} ${expire('order-6')}`,
    async (database) => {
      // 4 and 8 finalized, 5 taken by a row, 6 open, 7 and 9 expired, 10 deleted.
      expect(await findingsOf(database)).toEqual({
        ok: false,
        findings: [
          'error missing_numbers: number 2 is missing, between 1 (2026-01-01) and 3 (2026-01-04)',
          'error expired_checkout: number 7 is checked out for order-4, until T UTC: it has expired',
          'error expired_checkout: number 9 is checked out for order-6, until T UTC: it has expired',
          'error counter_ahead: the counter is at 10, the highest number in the table is 5 (2026-03-10): number 10 is missing',
          'info finalized_number: number 4 was finalized for order-1, no row has it',
          'info checked_out: number 6 is checked out for order-3, until T UTC',
          'info voided_numbers: number 8 is void: spoiled',
        ],
      });
      const gaps = await allGaps(settingsOf(database.url), { limit: 10 });
      expect(gaps).toMatchObject({ ok: false, unexplained: 4, explained: 3, omitted: 0 });
      const few = await allGaps(settingsOf(database.url), { limit: 2 });
      expect(few).toMatchObject({ ok: false, unexplained: 4, explained: 3, omitted: 3 });
      await database.execute(`select seqctl.release('invoice', 'order-3')`);
      expect((await findingsOf(database)).findings).toContain(
        'info released_number: number 6 was released by order-3, waits to be given again',
      );
    },
  ));

test('a counter that is stopped without a reason, or goes on in spite of one', () =>
  inDatabase(
    `${invoices} ${checkout('order-1')} ${untriggered(
      `update seqctl.counter set stopped = not stopped where group_key in ('acme', 'zeta') and period = '2026-01-01'`,
    )}`,
    async (database) => {
      expect(await findingsOf(database)).toEqual({
        ok: false,
        findings: [
          'info checked_out: number 4 is checked out for order-1, until T UTC',
          'error stopped_differs: a number is checked out or the period is closed, but the counter still gives numbers',
          'error stopped_differs: the counter is stopped, but its period is open and no number is checked out',
        ],
      });
      // One that is stopped for no reason goes on by itself.
      await database.execute(`insert into invoices (company_id, issued_on) values ('zeta', '2026-03-09')`);
      expect((await findingsOf(database)).findings).toHaveLength(2);
    },
  ));

test('a series without a table: its checkouts are shown all the same', () =>
  inDatabase(
    `select seqctl.create_series('invoice', reset => 'never', on_checkout => 'recycle');
     select seqctl.checkout('invoice', 'order-1'); select seqctl.checkout('invoice', 'order-2'); ${expire('order-2')}`,
    async (database) => {
      expect(await findingsOf(database)).toEqual({
        ok: false,
        findings: [
          'error expired_checkout: number 2 is checked out for order-2, until T UTC: it has expired',
          'info checked_out: number 1 is checked out for order-1, until T UTC',
        ],
      });
    },
  ));
