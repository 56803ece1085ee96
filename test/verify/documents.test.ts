import { expect, test } from 'vitest';

import type { TestDatabase } from '../support/database.js';
import { inDatabase, untriggered, verifyUrl } from '../support/verify.js';

/** Numbers 1 to 120 of a series in one year, and its document numbers by the format. */
function documents(format: string, type = 'text'): string {
  return `
    select seqctl.create_series('doc', format => '${format}');
    create table doc (g text default 'a', d date default '2026-03-09', number bigint, doc ${type});
    select seqctl.attach('doc', 'doc', date_column => 'd', group_columns => '{g}', document_number_column => 'doc');
    insert into doc select from generate_series(1, 120);`;
}

async function findingsOf(database: TestDatabase): Promise<string[]> {
  const { findings } = await verifyUrl(database.url);
  return findings.map(({ severity, kind, what }) => `${severity} ${kind}: ${what}`);
}

const near: [what: string, text: string, shown?: string][] = [
  ['one digit', 'Inv-2026-00043'],
  ['one more zero', 'Inv-2026-000042'],
  ['one zero less', 'Inv-2026-0042'],
  ['no zeros', 'Inv-2026-42'],
  ['zeros after the number', 'Inv-2026-04200'],
  ['the case', 'INV-2026-00042'],
  ['a blank behind', 'Inv-2026-00042 '],
  ['a blank in front', ' Inv-2026-00042'],
  ['a blank in the place of a zero', 'Inv-2026- 0042'],
  ['a sign in the place of a zero', 'Inv-2026-+0042'],
  ['a line feed behind', 'Inv-2026-00042\n'],
  ['a year', 'Inv-2025-00042'],
  ['a digit of another script', 'Inv-2026-0004２'],
  ['nothing in it', ''],
];

test.each(near)(
  'a document number that differs in %s is found, as text and as varchar',
  async (_what, text) => {
    for (const type of ['text', 'varchar(40)']) {
      await inDatabase(documents('Inv-{year}-{number:5}', type), async (database) => {
        expect(await findingsOf(database)).toEqual([]);
        await database.execute(
          'set session_replication_role = replica; alter table doc disable trigger user',
        );
        await database.rows('update doc set doc = $1 where number = 42', [text]);
        await database.execute('alter table doc enable trigger user');
        expect(await findingsOf(database)).toEqual([
          `error document_number_differs: number 42 has document number ${text}, by the format it is Inv-2026-00042`,
        ]);
      });
    }
  },
);

test('so is one that is missing, and those of a table that lost them all', () =>
  inDatabase(documents('{number}'), async (database) => {
    await database.execute(untriggered('update doc set doc = null where number = 7'));
    const one = 'error document_number_differs: number 7 has no document number, by the format it is 7';
    expect(await findingsOf(database)).toEqual([one]);
    await database.execute(untriggered('update doc set doc = null'));
    expect(await findingsOf(database)).toEqual([
      'error document_number_differs: number 1 has no document number, by the format it is 1; 119 more rows differ, too',
    ]);
  }));

test('a char(n) column is refused, and the blanks that it left behind are found', () =>
  inDatabase(documents('{number:3}'), async (database) => {
    await database.execute(`
      select seqctl.detach('doc', 'number');
      alter table doc alter doc type char(8)`);
    await expect(
      database.rows(
        `select seqctl.attach('doc', 'doc', date_column => 'd', group_columns => '{g}', document_number_column => 'doc')`,
      ),
    ).rejects.toMatchObject({ code: 'SQ006' });
    await database.execute(`
      alter table doc alter doc type text;
      select seqctl.attach('doc', 'doc', date_column => 'd', group_columns => '{g}', document_number_column => 'doc');`);
    await database.execute(untriggered(`update doc set doc = rpad(doc, 8)`));
    expect(await findingsOf(database)).toEqual([
      'warning document_number_differs: number 1 has document number 001     , by the format it is 001; 119 more rows differ, too',
    ]);
  }));

test.each([
  [
    'digits that are random, in the middle',
    '{year}/{random:4}-{number:3}',
    (doc: string) => doc.replace(/-042$/, '-043'),
  ],
  ['… one of them missing', '{year}/{random:4}-{number:3}', (doc: string) => doc.replace(/.-042$/, '-042')],
  ['… one too many', '{year}/{random:4}-{number:3}', (doc: string) => doc.replace(/-042$/, 'A-042')],
  [
    'what means any character to LIKE stands for itself',
    '{year}_{number}%{random:2}\\',
    (doc: string) => doc.replace('_', '-'),
  ],
  ['so does a percent sign', '{year}_{number}%{random:2}\\', (doc: string) => doc.replace('%', '%%')],
  ['and a backslash', '{year}_{number}%{random:2}\\', (doc: string) => doc.replace('\\', '/')],
  ['braces', '{{{number:4}}}', (doc: string) => doc.replace('}', '')],
  ['a number that stands there twice', '{number:3}-{number}', (doc: string) => doc.replace('-42', '-24')],
])('%s', (_what, format, damage) =>
  inDatabase(documents(format), async (database) => {
    expect(await findingsOf(database)).toEqual([]);
    const [row] = await database.rows<{ doc: string }>('select doc from doc where number = 42');
    const text = damage(row?.doc ?? '');
    expect(text).not.toBe(row?.doc);
    await database.execute('alter table doc disable trigger user');
    await database.rows('update doc set doc = $1 where number = 42', [text]);
    await database.execute('alter table doc enable trigger user');
    expect(await findingsOf(database)).toEqual([
      expect.stringMatching(
        /^error document_number_differs: number 42 has document number \S+, by the format it is \S+$/,
      ),
    ]);
  }),
);

test('days of every distance, numbers wider than their padding, and a series that never resets', () =>
  inDatabase(
    `select seqctl.create_series('doc', format => '{group}{day}{month}{year:2}/{number:2}', reset => 'never', first_number => 0);
     create table doc (g text, d timestamptz, number bigint, doc text);
     select seqctl.attach('doc', 'doc', date_column => 'd', group_columns => '{g}', document_number_column => 'doc');
     insert into doc (g, d)
     select 'a_%', d from unnest('{0001-01-01,1900-02-28,1987-06-05,2026-12-31,9999-12-31}'::timestamptz[]) d, generate_series(1, 25);`,
    async (database) => {
      expect(await findingsOf(database)).toEqual([]);
      await database.execute(
        untriggered(`update doc set doc = replace(doc, '/', '_') where number in (9, 124)`),
      );
      expect(await findingsOf(database)).toEqual([
        expect.stringContaining(
          'number 9 has document number a_%010101_09, by the format it is a_%010101/09; 1 more row differs, too',
        ),
      ]);
    },
  ));
