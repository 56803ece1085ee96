import { expect, test } from 'vitest';

import type { TestDatabase } from '../support/database.js';
import { settingsOf } from '../support/installer.js';
import { useRoles } from '../support/roles.js';
import {
  allGaps,
  inDatabase,
  invoices,
  unprotectedInvoices,
  untriggered,
  verifyUrl,
} from '../support/verify.js';

const makeRole = useRoles();

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

test('rows that have a number which is out, or waits, or left with another document number', () =>
  inDatabase(
    `${unprotectedInvoices} select seqctl.alter_series('invoice', on_checkout => 'recycle');
     ${["o'1", 'order-2', 'order-3', 'order-4', 'order-5'].map((id) => checkout(id.replaceAll("'", "''"))).join('\n')}
     select seqctl.release('invoice', 'order-2'), seqctl.finalize('invoice', 'order-3'), seqctl.finalize('invoice', 'order-4'),
       seqctl.finalize('invoice', 'order-5');
     insert into invoices (company_id, issued_on, number) values ('acme', '2026-03-09', 6), ('acme', '2026-03-09', 8);
     -- Other counters, with the same numbers.
     insert into invoices (company_id, issued_on) select c, d::date from (values ('zeta'), ('acme')) c (c), (values ('2024-01-01')) d (d),
       generate_series(1, 9);
     ${untriggered(`
       update invoices set document_number = 'INV-2026-00099' where number = 6 and issued_on > '2026-01-01';
       insert into invoices (company_id, issued_on, number, document_number) values
         ('acme', '2026-03-09', 4, 'INV-2026-00004'), ('acme', '2026-03-09', 5, 'INV-2026-00005'), ('acme', '2026-03-09', 7, 'inv 7')`)}`,
    async (database) => {
      const reader = await makeRole('checkout_auditor');
      await database.execute(
        `select seqctl.grant_access('${reader.name}', 'read'); grant select on invoices to ${reader.name}`,
      );
      const ours = ['open_number_stored', 'waiting_number_stored', 'other_document_number'];
      for (const url of [database.url, database.urlAs(reader.name, reader.password)]) {
        const { findings } = await verifyUrl(url);
        expect(findings.filter(({ kind }) => ours.includes(kind))).toMatchObject([
          {
            severity: 'error',
            kind: 'open_number_stored',
            object: 'invoice / acme / 2026',
            what: "a row of public.invoices has number 4, which is checked out for o'1 and not finalized",
            hint: expect.stringContaining(`seqctl lease finalize invoice 'o'\\''1'`) as string,
            counter: { series: 'invoice', group: 'acme', period: '2026', from: 4n, to: 4n },
          },
          {
            kind: 'waiting_number_stored',
            what: 'a row of public.invoices has number 5, which order-2 released and which waits to be given again',
          },
          {
            kind: 'other_document_number',
            what: `a row of public.invoices has number 6 as 'INV-2026-00099'; it was checked out for order-3 as 'INV-2026-00006'`,
          },
          {
            kind: 'other_document_number',
            what: `a row of public.invoices has number 7 as 'inv 7'; it was checked out for order-4 as 'INV-2026-00007'`,
          },
        ]);
      }
      // What the hints say helps.
      const { findings } = await verifyUrl(database.url);
      const hint = findings.find(({ kind }) => kind === 'waiting_number_stored')?.hint ?? '';
      await database.execute(/update seqctl\..*;/.exec(hint)?.[0] ?? 'no statement');
      await database.execute(`
        select seqctl.finalize('invoice', 'o''1');
        insert into invoices (company_id, issued_on) values ('acme', '2026-03-10');
        ${untriggered(`update invoices set document_number = 'INV-2026-0000' || number where number in (6, 7) and issued_on > '2026-01-01'`)}`);
      expect(await findingsOf(database)).toEqual({ ok: true, findings: [] });
    },
  ));

test('many of them are counted; without a column for document numbers, none is compared', () =>
  inDatabase(
    `${unprotectedInvoices.replace(`, 'document_number', protect`, ', protect')}
     select seqctl.alter_series('invoice', on_checkout => 'recycle');
     select seqctl.checkout('invoice', 'order-' || i, 'acme', '2026-03-09') from generate_series(1, 130) i;
     select seqctl.finalize('invoice', 'order-130');
     ${untriggered(`insert into invoices (company_id, issued_on, number, document_number)
       select 'acme', '2026-03-09', i, 'x' from generate_series(4, 133) i`)}`,
    async (database) => {
      const { findings } = await verifyUrl(database.url);
      const stored = findings.filter(({ kind }) => kind === 'open_number_stored');
      expect(findings.filter(({ kind }) => kind === 'other_document_number')).toEqual([]);
      expect(stored).toHaveLength(101);
      expect(stored.at(-1)).toMatchObject({
        object: 'series invoice',
        what: '29 more rows have a number of a checkout that is not theirs',
      });
    },
  ));

test('groups of any kind: those of the columns, and keys that no row can have', () =>
  inDatabase(
    `create type region as enum ('north', 'south');
     select seqctl.create_series('a', on_checkout => 'recycle'), seqctl.create_series('b', reset => 'never', on_checkout => 'recycle');
     select seqctl.checkout('a', 'before attach', 'not a number', '2026-03-09');
     create table k (shop int, i text, issued_at timestamptz, number int);
     create table pairs (shop uuid, region region, number int);
     select seqctl.attach('k', 'a', 'number', 'issued_at', '{shop}'),
       seqctl.attach('pairs', 'b', 'number', group_columns => '{shop,region}');
     select seqctl.checkout('a', 'order-1', '7', '2026-03-09'),
       seqctl.checkout('b', 'order-1', seqctl.group_key('00000000-0000-0000-0000-000000000007', 'south'));
     ${untriggered(`insert into k values (8, '', '2026-03-09', 1), (7, '', '2025-03-09', 1);
       insert into pairs values ('00000000-0000-0000-0000-000000000007', 'north', 1)`)}`,
    async (database) => {
      const stored = async (): Promise<string[]> =>
        (await verifyUrl(database.url)).findings
          .filter(({ kind }) => kind === 'open_number_stored')
          .map(({ what }) => what);
      expect(await stored()).toEqual([]);
      await database.execute(
        untriggered(`insert into k values (7, '', '2026-03-09', 1);
          insert into pairs values ('00000000-0000-0000-0000-000000000007', 'south', 1)`),
      );
      expect(await stored()).toEqual([
        'a row of public.k has number 1, which is checked out for order-1 and not finalized',
        'a row of public.pairs has number 1, which is checked out for order-1 and not finalized',
      ]);
    },
  ));
