import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { inDatabase, verifyUrl } from '../support/verify.js';
import { sectionOf, tableRows } from './markdown.js';

const title = '# Rules of ten countries, and the settings that serve them';
const rows = tableRows(sectionOf(readFileSync('docs/rules-by-country.md', 'utf8'), title));

/** What the settings make of two documents of one year, one of the next, and, in India, one of its fiscal year. */
const expected: Record<string, readonly string[][]> = {
  'European Union': [['INV-2026-00001', 'INV-2026-00002', 'INV-2027-00001', 'INV-2027-00002']],
  France: [['F2026-000001', 'F2026-000002', 'F2027-000001', 'F2027-000002']],
  Germany: [['RE-2026-00001', 'RE-2026-00002', 'RE-2027-00001', 'RE-2027-00002']],
  Italy: [
    ['1', '2', '3', '4'],
    ['1/2026', '2/2026', '1/2027', '2/2027'],
  ],
  Spain: [
    ['A-2026-00001', 'A-2026-00002', 'A-2027-00001', 'A-2027-00002'],
    ['R-2026-00001', 'R-2026-00002', 'R-2027-00001', 'R-2027-00002'],
  ],
  Portugal: [['FT A2026/1', 'FT A2026/2', 'FT A2026/3', 'FT A2026/4']],
  Poland: [['FV/1/2026', 'FV/2/2026', 'FV/1/2027', 'FV/2/2027']],
  India: [['INV/2026/00001', 'INV/2026/00002', 'INV/2026/00003', 'INV/2027/00001']],
  Brazil: [['1', '2', '3', '4']],
  Switzerland: [['2026-1', '2026-2', '2027-1', '2027-2']],
};

test('there are ten countries', () => {
  expect(rows.map(([country]) => country)).toEqual(Object.keys(expected));
});

test.each(rows)(
  '%s: the settings make the numbers that the rule asks for',
  async (country = '', _says, _rule, create = '', attach = '') => {
    const [attachOptions = ''] = codeOf(attach);
    const made: string[][] = [];
    for (const options of codeOf(create)) {
      await inDatabase(
        `select seqctl.create_series('invoice', ${options});
       create table invoices (issued_on date not null, number bigint, document_number text);
       select seqctl.attach('invoices', 'invoice', ${attachOptions});`,
        async (database) => {
          const documents = await database.rows<{ number: string; document_number: string | null }>(
            `insert into invoices (issued_on) values ('2026-05-04'), ('2026-12-31'), ('2027-01-01'), ('2027-04-01')
           returning number, document_number`,
          );
          made.push(documents.map((row) => row.document_number ?? row.number));
          expect((await verifyUrl(database.url)).findings).toEqual([]);
          const isOrdered = attachOptions.includes('chronology');
          const back = database.rows(`insert into invoices (issued_on) values ('2027-03-31')`);
          if (isOrdered) await expect(back).rejects.toMatchObject({ code: 'SQ021' });
          else await back;
          const remove = database.rows('delete from invoices');
          if (attachOptions.includes('protect => false')) await remove;
          else await expect(remove).rejects.toMatchObject({ code: 'SQ022' });
        },
      );
    }
    expect(made).toEqual(expected[country]);
  },
);

test('India: what would be longer than 16 characters is refused when the series is created', () =>
  inDatabase('', async (database) => {
    const [options = ''] = codeOf(rows.find(([country]) => country === 'India')?.[3] ?? '');
    await expect(
      database.rows(`select seqctl.create_series('invoice', ${options.replace('9999999', '10000000')})`),
    ).rejects.toMatchObject({ code: 'SQ002' });
  }));

function codeOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}
