import { expect, test } from 'vitest';

import { listGaps } from '../../cli/verify/list-gaps.js';
import type { TestDatabase } from '../support/database.js';
import { settingsOf } from '../support/installer.js';
import { useRoles } from '../support/roles.js';
import {
  allGaps,
  briefly,
  inDatabase,
  unprotectedInvoices as invoices,
  untriggered,
  verifyUrl,
} from '../support/verify.js';

const makeRole = useRoles();

/** Acme has numbers 1 to 20 in 2026. */
const twenty = `${invoices}
  insert into invoices (company_id, issued_on) select 'acme', date '2026-02-01' + n from generate_series(1, 17) n;`;

function voidOf(from: number, to: number, reason = 'lost'): string {
  return `select seqctl.void('invoice', 'acme', '2026-01-01', ${from}, ${to}, '${reason}');`;
}

/** `4-5 void between 3 (…) and 6 (…)` of each gap of a series. */
async function gapsOf(database: TestDatabase, limit = 1000): Promise<string[]> {
  const { gaps } = await allGaps(settingsOf(database.url), { series: 'invoice', limit });
  return gaps.map(({ from, to, explanation, before, after }) =>
    [
      `${from}-${to}`,
      explanation === null ? 'unexplained' : `${explanation.kind} (${explanation.reason})`,
      before?.number ?? '',
      after?.number ?? '',
    ].join(' '),
  );
}

test('every missing number is classified, and the numbers next to it are there, with their dates', () =>
  inDatabase(
    `${twenty}
     ${voidOf(4, 5, 'printer')} ${voidOf(7, 7, 'issued, annulled')} ${voidOf(9, 12, 'half of it there')} ${voidOf(19, 20, 'last')}
     delete from invoices where company_id = 'acme' and issued_on > '2026-01-31' and number in (4, 5, 6, 10, 11, 15, 19, 20);
     insert into seqctl.voided_range (series_id, group_key, period, from_number, to_number, kind, reason)
     values (1, 'acme', '2026-01-01', 14, 16, 'before adoption', 'paper books');`,
    async (database) => {
      expect(await gapsOf(database)).toEqual([
        '6-6 unexplained 3 7',
        '4-5 void (printer) 3 7',
        '10-11 void (half of it there) 9 12',
        '15-15 before adoption (paper books) 14 16',
        '19-20 void (last) 18 ',
      ]);
      const report = await verifyUrl(database.url);
      expect(report).toMatchObject({ ok: false, errors: 1, warnings: 0, explained: 4, omitted: 0 });
      expect(report.findings.map(({ severity, kind, what }) => `${severity} ${kind}: ${what}`)).toEqual([
        'error missing_numbers: number 6 is missing, between 3 (2026-01-04) and 7 (2026-02-05)',
        'info voided_numbers: numbers 4 to 5 are void: printer',
        'info voided_numbers: numbers 10 to 11 are void: half of it there',
        'info missing_before_adoption: number 15 is missing since before adoption: paper books',
        'info voided_numbers: numbers 19 to 20 are void: last',
      ]);
      expect(report.findings[1]?.hint).toMatch(/^Recorded by postgres on 20\d\d-\d\d-\d\d \d\d:\d\d UTC\.$/);
      await database.execute(voidOf(6, 6));
      expect(await verifyUrl(database.url)).toMatchObject({ ok: true, errors: 0, warnings: 0, explained: 5 });
    },
  ));

test('a counter that lost every row, and one whose only row was annulled', () =>
  inDatabase(
    `${invoices} delete from invoices where company_id = 'zeta';
     select seqctl.void('invoice', 'acme', '2025-01-01', 1, reason => 'annulled');`,
    async (database) => {
      expect(await gapsOf(database)).toEqual(['1-1 unexplained  ']);
      await database.execute(`select seqctl.void('invoice', 'zeta', '2026-01-01', 1, reason => 'x')`);
      expect(await gapsOf(database)).toEqual(['1-1 void (x)  ']);
    },
  ));

test('no false alarm: cancelled rows, a first number above 1, empty and closed periods, drafts, attached today, other formats before', () =>
  inDatabase(
    `select seqctl.create_series('doc', format => '{year}/{number}', first_number => 1000);
     create table doc (id bigserial primary key, d date, status text default 'issued', number bigint, doc text);
     select seqctl.attach('doc', 'doc', date_column => 'd', document_number_column => 'doc', issue_when => $$status <> 'draft'$$);
     insert into doc (d, status) values ('2025-01-01', 'issued'), ('2025-01-02', 'draft'), ('2026-01-01', 'issued'), ('2026-01-02', 'issued');
     update doc set status = 'cancelled' where id = 3;
     select seqctl.close_period('doc', '2024-01-01');
     select seqctl.close_period('doc', '2025-01-01');
     select seqctl.alter_series('doc', format => 'A-{{{year:2}}}-{number:6}_{random:4}%');
     insert into doc (d) values ('2026-01-03');
     select seqctl.alter_series('doc', format => 'B-{number:6}');
     insert into doc (d) values ('2026-01-04');
     create table late (d date, number bigint);
     insert into late values (null, null);
     select seqctl.create_series('late');
     select seqctl.attach('late', 'late', date_column => 'd', assign => 'insert');
     truncate late;`,
    async (database) => {
      expect((await verifyUrl(database.url)).findings).toEqual([]);
      expect(await allGaps(settingsOf(database.url), { limit: 10 })).toMatchObject({
        ok: true,
        unexplained: 0,
        explained: 0,
        gaps: [],
        omitted: 0,
        problems: [],
        notCompared: [],
      });
    },
  ));

test.each([
  ['another text', `update doc set doc = 'x' where number = 2`, '2', 'document number x', '2026/2-????'],
  ['none', `update doc set doc = null where number = 2`, '2', 'no document number', '2026/2-????'],
  [
    'too short at the end',
    `update doc set doc = left(doc, -1) where number = 2`,
    '2',
    /^document number 2026\/2-\w{3}$/,
    '2026/2-????',
  ],
  [
    'another date',
    `update doc set d = '2027-01-01' where number = 3`,
    '3',
    /^document number 2026/,
    '2027/3-????',
  ],
])('a document number unlike its format: %s', (_what, damage, number, is, expected) =>
  inDatabase(
    `select seqctl.create_series('doc', format => '{year}/{number}-{random:4}', reset => 'never');
     create table doc (id bigserial primary key, d date, number bigint, doc text);
     select seqctl.attach('doc', 'doc', date_column => 'd', document_number_column => 'doc');
     insert into doc (d) select '2026-01-01' from generate_series(1, 3);
     ${untriggered(damage)}`,
    async (database) => {
      const { findings } = await verifyUrl(database.url);
      expect(findings.map(briefly)).toEqual(['error document_number_differs doc']);
      const [start = '', end] = (findings[0]?.what ?? '').split(', by the format it is ');
      expect(start.startsWith(`number ${number} has `)).toBe(true);
      expect(start.replace(`number ${number} has `, '')).toMatch(is);
      expect(end).toBe(expected);
    },
  ),
);

test('document numbers of rows that had numbers before attach are worth a warning only, one for a counter', () =>
  inDatabase(
    `${invoices}
     select seqctl.detach('invoices', 'number');
     update invoices set document_number = 'old ' || number;
     select seqctl.attach('invoices', 'invoice', 'number', 'issued_on', '{company_id}', 'document_number');
     insert into invoices (company_id, issued_on) values ('acme', '2026-05-01');`,
    async (database) => {
      const report = await verifyUrl(database.url);
      expect(report).toMatchObject({ ok: true, errors: 0, warnings: 3 });
      expect(report.findings.map((one) => `${briefly(one)}: ${one.what}`)).toEqual([
        'warning document_number_differs invoice / acme / 2025: number 1 has document number old 1, by the format it is INV-2025-00001',
        'warning document_number_differs invoice / acme / 2026: number 1 has document number old 1, by the format it is INV-2026-00001; 2 more rows differ, too',
        'warning document_number_differs invoice / zeta / 2026: number 1 has document number old 1, by the format it is INV-2026-00001',
      ]);
      expect(report.findings[0]?.hint).toMatch(/before the table was attached/);
    },
  ));

test('a hundred thousand gaps, void and not: ranges, counted, the first of them listed', () =>
  inDatabase(
    `select seqctl.create_series('many', reset => 'never');
     create table many (number bigint);
     select seqctl.attach('many', 'many');
     set session_replication_role = replica;
     insert into many select n from generate_series(1, 200001, 2) n;
     reset session_replication_role;
     insert into seqctl.counter (series_id, group_key, period, last_number) values (1, '', '-infinity', 200001);`,
    async (database) => {
      const settings = settingsOf(database.url);
      const open = await allGaps(settings, { limit: 5 });
      expect(open).toMatchObject({ ok: false, unexplained: 100_000, explained: 0, omitted: 99_995 });
      expect(open.gaps.map(({ from, to }) => `${from}-${to}`)).toEqual(['2-2', '4-4', '6-6', '8-8', '10-10']);
      // Far more of them than are in memory at a time: each once, in order, with its neighbours.
      let next = 2n;
      let pages = 0;
      const all = await listGaps(settings, { limit: 90_000 }, (gaps) => {
        pages += 1;
        for (const { from, to, before, after } of gaps) {
          if (from !== next || to !== next || before?.number !== next - 1n || after?.number !== next + 1n) {
            throw new Error(`${from} to ${to} came where ${next} was expected`);
          }
          next += 2n;
        }
      });
      expect(all).toMatchObject({ ok: false, unexplained: 100_000, omitted: 10_000 });
      expect([next, pages]).toEqual([180_002n, 5]);
      // One entry for half of them, one each for a quarter.
      await database.execute(`
        select seqctl.void('many', from_number => 1, to_number => 100001, reason => 'half');
        insert into seqctl.voided_range (series_id, group_key, period, from_number, to_number, reason)
        select 1, '', '-infinity', n, n, 'each' from generate_series(100002, 150000, 2) n`);
      const report = await verifyUrl(database.url, 'many', 3);
      expect(report).toMatchObject({
        errors: 25_000,
        explained: 75_000,
        omitted: 24_997,
        omittedExplained: 74_900,
      });
      expect(report.findings).toHaveLength(103);
      expect(
        report.findings
          .flatMap(({ gap }) => gap ?? [])
          .map(({ from, explanation }) => [from, explanation?.reason]),
      ).toMatchObject({
        0: [150_002n, undefined],
        2: [150_006n, undefined],
        3: [2n, 'half'],
        102: [200n, 'half'],
      });
    },
  ));

test('one group, and a series without a table', () =>
  inDatabase(
    `${twenty} select seqctl.create_series('hand'); select seqctl.next_number('hand', on_date => '2026-01-01');
     delete from invoices where number in (1, 2);`,
    async (database) => {
      const settings = settingsOf(database.url);
      expect((await allGaps(settings, { limit: 10 })).gaps).toHaveLength(3);
      const one = await allGaps(settings, { group: 'zeta', limit: 10 });
      expect(one.gaps.map(({ group, from }) => [group, from])).toEqual([['zeta', 1n]]);
      // It has no such counter.
      expect(one.notCompared).toEqual([]);
      await expect(allGaps(settings, { group: 'nobody', limit: 10 })).rejects.toMatchObject({ exitCode: 4 });
    },
  ));

test('dates of neighbours are in the time zone of the series', () =>
  inDatabase(
    `select seqctl.create_series('zoned', time_zone => 'Europe/Rome');
     create table zoned (at timestamptz, number integer);
     select seqctl.attach('zoned', 'zoned', date_column => 'at', protect => false);
     insert into zoned values ('2025-12-31 23:30+00'), ('2026-03-01'), ('2026-12-31 22:59+00');
     delete from zoned where number = 2;`,
    async (database) => {
      const { findings } = await verifyUrl(database.url);
      expect(findings.map(({ what }) => what)).toEqual([
        'number 2 is missing, between 1 (2026-01-01) and 3 (2026-12-31)',
      ]);
    },
  ));

test('a reader may verify and list gaps; who may not read the table is told so, and it is no clean bill', async () => {
  const reader = await makeRole('gap_reader');
  await inDatabase(
    `${twenty} ${voidOf(4, 4)} delete from invoices where number = 4;
     select seqctl.grant_access('${reader.name}', 'read');`,
    async (database) => {
      const url = database.urlAs(reader.name, reader.password);
      const blind = await allGaps(settingsOf(url), { limit: 10 });
      expect(blind).toMatchObject({ ok: false, gaps: [], problems: [{ kind: 'numbers_unchecked' }] });
      await database.execute(`grant select on invoices to ${reader.name}`);
      expect(await allGaps(settingsOf(url), { limit: 10 })).toMatchObject({ ok: true, explained: 1 });
      expect(await verifyUrl(url)).toMatchObject({ ok: true, explained: 1 });
    },
  );
});
