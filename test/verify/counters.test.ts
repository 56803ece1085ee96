import { expect, test } from 'vitest';

import { settingsOf } from '../support/installer.js';
import { useRoles } from '../support/roles.js';
import {
  allGaps,
  briefly,
  inDatabase,
  invoices,
  unprotectedInvoices,
  untriggered,
  verifyUrl,
} from '../support/verify.js';

const makeRole = useRoles();

test('a counter that does not say what the history of its period says', () =>
  inDatabase(
    `${invoices}
     select seqctl.close_period('invoice', '2025-01-01');
     select seqctl.reopen_period('invoice', '2025-01-01', 'once more');
     select seqctl.close_period('invoice', '2026-01-01', 'zeta');`,
    async (database) => {
      expect(await verifyUrl(database.url)).toMatchObject({ ok: true, findings: [] });
      await database.execute('update seqctl.counter set closed = not closed, stopped = not closed');
      expect((await verifyUrl(database.url)).findings.map(briefly)).toEqual([
        'error closed_differs invoice / acme / 2025',
        'error closed_differs invoice / acme / 2026',
        'error closed_differs invoice / zeta / 2026',
      ]);
    },
  ));

test('near the limit: a warning a counter, the fewest left first, and a reader may ask', async () => {
  const reader = await makeRole('limit_reader');
  await inDatabase(
    `${invoices}
     select seqctl.alter_series('invoice', max_number => 3);
     select seqctl.grant_access('${reader.name}', 'read');
     grant select on invoices to ${reader.name};`,
    async (database) => {
      for (const url of [database.url, database.urlAs(reader.name, reader.password)]) {
        const report = await verifyUrl(url, 'invoice');
        expect(report).toMatchObject({ ok: true, errors: 0, warnings: 1 });
        expect(report.findings).toMatchObject([
          {
            kind: 'near_limit',
            object: 'invoice / acme / 2026',
            what: 'no number is left: 3 is the last that max_number allows',
            counter: { from: 3n, to: 3n },
          },
        ]);
      }
      await database.execute(`
        select seqctl.alter_series('invoice', max_number => 10);
        insert into invoices (company_id, issued_on)
        select 'g' || g, '2026-01-01' from generate_series(1, 150) g cross join generate_series(1, 9)`);
      const { findings, warnings } = await verifyUrl(database.url);
      expect(warnings).toBe(101);
      expect(findings.at(-1)).toMatchObject({
        object: 'series invoice',
        what: '50 more counters have used 90 % of their numbers',
      });
    },
  );
});

test('corrected counters: who, when and why, and no false alarm; a reader is told, too', async () => {
  const reader = await makeRole('correction_reader');
  await inDatabase(
    `${unprotectedInvoices}
     select seqctl.grant_access('${reader.name}', 'read');
     grant select on invoices to ${reader.name};
     delete from invoices where number = 3 or company_id = 'zeta';`,
    async (database) => {
      expect((await verifyUrl(database.url)).findings.map(briefly)).toEqual([
        'error counter_ahead invoice / acme / 2026',
        'error counter_ahead invoice / zeta / 2026',
      ]);
      await database.execute(`
        select seqctl.lower_counter('invoice', 'acme', '2026-01-01', 2, 'a test import');
        select seqctl.remove_counter('invoice', 'zeta', '2026-01-01', 'misspelt')`);
      for (const url of [database.url, database.urlAs(reader.name, reader.password)]) {
        const report = await verifyUrl(url);
        expect(report).toMatchObject({ ok: true, errors: 0, warnings: 0, explained: 0 });
        expect(report.findings).toMatchObject([
          {
            severity: 'info',
            kind: 'counter_removed',
            object: 'invoice / zeta / 2026',
            what: 'the counter was removed, at 1: misspelt',
            hint: expect.stringMatching(/^Recorded by postgres on 20\d\d-.* UTC\.$/) as string,
          },
          {
            severity: 'info',
            kind: 'counter_lowered',
            object: 'invoice / acme / 2026',
            what: 'the counter was lowered from 3 to 2: a test import',
            counter: { from: 2n, to: 3n },
          },
        ]);
        expect(await allGaps(settingsOf(url), { limit: 10 })).toMatchObject({
          unexplained: 0,
          explained: 0,
          gaps: [],
        });
      }
      await database.execute(`
        insert into invoices (company_id, issued_on) values ('acme', '2026-02-01'), ('zeta', '2026-02-01');
        select seqctl.allocate('invoice', 'x', '2026-01-01', 150);
        select seqctl.lower_counter('invoice', 'x', '2026-01-01', n, 'once more')
        from (select n from generate_series(1, 149) n order by n desc) n`);
      const { ok, findings } = await verifyUrl(database.url);
      // x has a number that is in no table.
      expect(ok).toBe(false);
      expect(findings.filter(({ severity }) => severity === 'info')).toHaveLength(101);
      expect(findings.at(-1)).toMatchObject({ what: '51 more corrections of counters' });
    },
  );
});

test.each<[what: string, setup: string, series: string, finding: string]>([
  [
    'the void register',
    `select seqctl.void('lone', from_number => 9, reason => 'x')`,
    '',
    'the counter is at 5, but number 9 is void',
  ],
  [
    'a finalized checkout',
    `select seqctl.checkout('lone', 'id', ttl => '1 hour'); select seqctl.finalize('lone', 'id')`,
    '',
    'the counter is at 5, but number 11 was checked out and is finalized',
  ],
  [
    'an open checkout that others may pass',
    `select seqctl.checkout('lone', 'id', ttl => '1 hour')`,
    `, on_checkout => 'recycle'`,
    'the counter is at 5, but number 11 was checked out and is open',
  ],
  [
    'a number that waits to be given again',
    `select seqctl.checkout('lone', 'id', ttl => '1 hour'); select seqctl.release('lone', 'id')`,
    `, on_checkout => 'recycle'`,
    'the counter is at 5, but number 11 was checked out and is released',
  ],
  ['a hash chain', '', ', chain => true', 'the counter is at 5, but number 10 has a link in the hash chain'],
  [
    'a correction',
    `select seqctl.lower_counter('lone', last_number => 9, reason => 'x')`,
    '',
    'the counter is at 5, but number 9 was its last when it was lowered',
  ],
])('a counter that was lowered by hand, below %s', (_what, setup, series, finding) =>
  inDatabase(
    `select seqctl.create_series('lone', reset => 'never'${series});
     select seqctl.allocate('lone', how_many => 10);
     ${setup}`,
    async (database) => {
      expect(await verifyUrl(database.url)).toMatchObject({ ok: true, errors: 0 });
      await database.execute('update seqctl.counter set last_number = 5');
      const { findings } = await verifyUrl(database.url);
      expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
        { kind: 'counter_behind', object: 'lone', what: finding },
      ]);
    },
  ),
);

test('a counter that was deleted behind the triggers, though a number of it is void', () =>
  inDatabase(
    `select seqctl.create_series('lone'); select seqctl.allocate('lone', 'acme', '2026-01-01', 3);
     select seqctl.void('lone', 'acme', '2026-01-01', 2, 3, 'x'); ${untriggered('delete from seqctl.counter')}`,
    async (database) => {
      const { findings } = await verifyUrl(database.url);
      expect(findings).toMatchObject([
        {
          kind: 'counter_missing',
          object: 'lone / acme / 2026',
          what: 'there is no counter, but number 3 is void',
        },
      ]);
    },
  ));
