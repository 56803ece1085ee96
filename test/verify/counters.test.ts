import { expect, test } from 'vitest';

import { useRoles } from '../support/roles.js';
import { briefly, inDatabase, invoices, verifyUrl } from '../support/verify.js';

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
