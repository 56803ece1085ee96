import { expect, test } from 'vitest';

import {
  briefly,
  inDatabase,
  unprotectedInvoices as invoices,
  untriggered,
  verifyUrl,
} from '../support/verify.js';

/** Rows that are put in by hand need no document number. */
const undocumented = invoices.replace(`, 'document_number', protect`, ', protect');

test.each<[what: string, defect: string, findings: string[]]>([
  [
    'numbers missing in the middle, as one range',
    `insert into invoices (company_id, issued_on) select 'acme', '2026-05-01' from generate_series(1, 7);
     delete from invoices where company_id = 'acme' and number between 4 and 8`,
    [
      'missing_numbers invoice / acme / 2026: numbers 4 to 8 are missing, between 3 (2026-01-04) and 9 (2026-05-01)',
    ],
  ],
  [
    'two gaps and the start',
    `insert into invoices (company_id, issued_on) select 'acme', '2026-05-01' from generate_series(1, 7);
     delete from invoices where company_id = 'acme' and number in (1, 5, 6, 8)`,
    [
      // acme's one invoice of 2025 has number 1, too.
      'counter_ahead invoice / acme / 2025: the counter is at 1, the highest number in the table is none: number 1 is missing',
      'missing_numbers invoice / acme / 2026: number 1 is missing, before 2 (2026-01-02)',
      'missing_numbers invoice / acme / 2026: numbers 5 to 6 are missing, between 4 (2026-05-01) and 7 (2026-05-01)',
      'missing_numbers invoice / acme / 2026: number 8 is missing, between 7 (2026-05-01) and 9 (2026-05-01)',
    ],
  ],
  [
    'the last ones missing',
    `delete from invoices where number in (2, 3)`,
    [
      'counter_ahead invoice / acme / 2026: the counter is at 3, the highest number in the table is 1 (2026-01-01): numbers 2 to 3 are missing',
    ],
  ],
  [
    'all of a counter missing',
    `delete from invoices where company_id = 'zeta'`,
    [
      'counter_ahead invoice / zeta / 2026: the counter is at 1, the highest number in the table is none: number 1 is missing',
    ],
  ],
  [
    'duplicates',
    `drop index invoices_number_seqctl_key;
     ${untriggered(`insert into invoices (company_id, issued_on, number) values ('acme', '2026-07-01', 2), ('acme', '2026-07-01', 2), ('zeta', '2026-07-01', 1)`)}
     create unique index invoices_number_seqctl_key on invoices (company_id, number, id)`,
    [
      'index_changed public.invoices: index invoices_number_seqctl_key is another one now and does not back the promise',
      'duplicate_numbers invoice / acme / 2026: number 2 stands on 3 rows',
      'duplicate_numbers invoice / zeta / 2026: number 1 stands on 2 rows',
    ],
  ],
  [
    'a counter that is behind',
    'update seqctl.counter set last_number = 2 where last_number = 3',
    ['counter_behind invoice / acme / 2026: the counter is at 2, but the table has numbers up to 3'],
  ],
  [
    'a counter that is ahead',
    'update seqctl.counter set last_number = 9 where last_number = 3',
    [
      'counter_ahead invoice / acme / 2026: the counter is at 9, the highest number in the table is 3 (2026-01-04): numbers 4 to 9 are missing',
    ],
  ],
  [
    'no counter',
    untriggered(`delete from seqctl.counter where group_key = 'zeta'`),
    ['counter_missing invoice / zeta / 2026: there is no counter, but the table has numbers up to 1'],
  ],
  [
    'numbers below the first',
    untriggered(
      `insert into invoices (company_id, issued_on, number) values ('zeta', '2026-07-01', 0), ('acme', '2026-07-01', -9223372036854775808)`,
    ),
    [
      'number_below_first invoice / acme / 2026: number -9223372036854775808 is below the first number of the series, 1',
      'number_below_first invoice / zeta / 2026: number 0 is below the first number of the series, 1',
    ],
  ],
  [
    'the largest number there is',
    untriggered(
      `insert into invoices (company_id, issued_on, number) values ('zeta', '2026-07-01', 9223372036854775807)`,
    ),
    [
      'counter_behind invoice / zeta / 2026: the counter is at 1, but the table has numbers up to 9223372036854775807',
      'missing_numbers invoice / zeta / 2026: numbers 2 to 9223372036854775806 are missing, between 1 (2026-01-03) and 9223372036854775807 (2026-07-01)',
    ],
  ],
  [
    'a counter below the first number',
    `insert into seqctl.counter (series_id, group_key, period, last_number) values (1, 'x', '2026-01-01', -5)`,
    ['counter_below_first invoice / x / 2026: the counter is at -5, below the first number of the series, 1'],
  ],
  [
    'a row that lost its group and one that lost its date',
    `alter table invoices alter company_id drop not null, alter issued_on drop not null;
     update invoices set company_id = null where company_id = 'zeta';
     update invoices set issued_on = null where number = 3`,
    [
      'counter_ahead invoice / acme / 2026: the counter is at 3, the highest number in the table is 2 (2026-01-02): number 3 is missing',
      'number_without_counter invoice / acme / (no date): a number up to 3 stands on a row without a date',
      'counter_ahead invoice / zeta / 2026: the counter is at 1, the highest number in the table is none: number 1 is missing',
      'number_without_counter invoice / (no group) / 2026: a number up to 1 stands on a row without a group',
    ],
  ],
  [
    'a row moved to another period',
    `update invoices set issued_on = '2025-03-01' where number = 3`,
    [
      'number_in_wrong_period invoice / acme / 2025: the counter is at 1, but a row has number 3, which is missing in invoice / acme / 2026',
      'missing_numbers invoice / acme / 2025: number 2 is missing, between 1 (2025-12-31) and 3 (2025-03-01)',
      'counter_ahead invoice / acme / 2026: the counter is at 3, the highest number in the table is 2 (2026-01-02): number 3 is missing',
    ],
  ],
  [
    'a row moved to another group, which had none',
    `update invoices set company_id = 'new' where number = 3`,
    [
      'counter_ahead invoice / acme / 2026: the counter is at 3, the highest number in the table is 2 (2026-01-02): number 3 is missing',
      'missing_numbers invoice / new / 2026: numbers 1 to 2 are missing, before 3 (2026-01-04)',
      'number_in_wrong_group invoice / new / 2026: there is no counter here, but a row has number 3, which is missing in invoice / acme / 2026',
    ],
  ],
])('finds %s, and nothing else', (what, defect, findings) =>
  inDatabase(undocumented, async (database) => {
    await database.execute(defect);
    const report = await verifyUrl(database.url);
    expect(
      report.findings.map((one) => `${one.kind} ${one.object}: ${one.what}`),
      what,
    ).toEqual(findings);
    expect(report).toMatchObject({ ok: false, errors: findings.length, omitted: 0 });
  }),
);

test('a row without a number is worth a warning where its INSERT should have brought it', () =>
  inDatabase(
    `${invoices} ${untriggered(`insert into invoices (company_id, issued_on) values ('acme', '2026-01-01')`)}`,
    async (database) => {
      const report = await verifyUrl(database.url);
      expect(report).toMatchObject({ ok: true, errors: 0, warnings: 1 });
      expect(report.findings.map(briefly)).toEqual(['warning rows_without_number public.invoices']);
    },
  ));

test('drafts, and rows that wait for number_pending(), are as they should be', () =>
  inDatabase(
    `select seqctl.create_series('drafts');
     create table drafts (id int primary key, status text, d date, number bigint);
     select seqctl.attach('drafts', 'drafts', date_column => 'd', issue_when => $$status = 'issued'$$);
     create table waiting (id int primary key, d date, number bigint);
     select seqctl.attach('waiting', 'drafts', date_column => 'd', assign => 'manual');
     create table late (id int primary key, status text, d date, number bigint);
     select seqctl.attach('late', 'drafts', date_column => 'd', assign => 'commit', issue_when => $$status = 'issued'$$);
     insert into drafts values (1, 'draft', '2026-01-01'), (2, 'issued', '2026-01-01'), (3, null, '2026-01-01');
     insert into late values (1, 'draft', '2026-01-01'), (2, 'issued', '2026-01-01');
     insert into waiting values (1, '2026-01-01');`,
    async (database) => {
      expect((await verifyUrl(database.url)).findings).toEqual([]);
      await database.execute(
        untriggered(`update drafts set status = 'issued'; update late set status = 'issued'`),
      );
      expect((await verifyUrl(database.url)).findings.map((one) => `${briefly(one)}: ${one.what}`)).toEqual([
        'warning rows_without_number public.drafts: 2 rows are due and have no number in number',
        'warning rows_without_number public.late: 1 row is due and has no number in number',
      ]);
      await database.execute(
        'select seqctl.number_pending($$drafts$$); select seqctl.number_pending($$late$$)',
      );
      expect((await verifyUrl(database.url)).findings).toEqual([]);
    },
  ));

test.each([
  ['date', '2026-02-01', '2026-03-01', '2026-02-15', '2026-02-15', '2026-03-01'],
  [
    'timestamp',
    '2026-02-01 10:00',
    '2026-03-01',
    '2026-02-28 23:59:59.5',
    '2026-02-28 23:59:59.500000',
    '2026-03-01',
  ],
  [
    'timestamptz',
    '2026-02-01 10:00+00',
    '2026-03-01 12:00+02',
    '2026-03-01 09:59:59+00',
    '2026-03-01 09:59:59',
    '2026-03-01 10:00:00',
  ],
])('dates that go back against numbers, %s', (type, first, second, back, shownBack, shownLatest) =>
  inDatabase(
    `select seqctl.create_series('dated');
     create table a (id int primary key, g text, d ${type}, number bigint);
     create table b (id int primary key, g text, d ${type}, number bigint);
     select seqctl.attach('a', 'dated', date_column => 'd', group_columns => '{g}', chronology => 'enforce');
     select seqctl.attach('b', 'dated', date_column => 'd', group_columns => '{g}', chronology => 'enforce');
     insert into a values (1, 'x', '${first}'), (2, 'x', '${second}'), (3, 'y', '${first}');
     insert into b values (4, 'x', '${second}'), (5, 'x', '${second}'), (6, 'x', '${second}');`,
    async (database) => {
      expect((await verifyUrl(database.url)).findings).toEqual([]);
      await database.execute(untriggered(`update b set d = '${back}' where id = 5`));
      const one = await verifyUrl(database.url);
      expect(one).toMatchObject({ ok: false, errors: 1, warnings: 0 });
      expect(one.findings.map(({ kind, object, what }) => [kind, object, what])).toEqual([
        [
          'inverted_dates',
          'dated / x / 2026',
          `number 4 is dated ${shownBack}, an earlier number ${shownLatest}`,
        ],
      ]);
      await database.execute(untriggered(`update b set d = '${first}' where id = 6`));
      const two = await verifyUrl(database.url);
      expect(two.errors).toBe(1);
      expect(two.findings[0]?.what).toMatch(
        /^2 of the numbers 4 to 5 are dated from .* on, an earlier number /,
      );
      // As many as fit, and the rest is counted.
      await database.execute(untriggered(`update a set d = '2026-12-12' where id = 1`));
      const limited = await verifyUrl(database.url, 'dated', 1);
      expect(limited).toMatchObject({ ok: false, errors: 1, omitted: 0 });
      await database.execute(`select seqctl.detach('a', 'number'); select seqctl.detach('b', 'number')`);
    },
  ),
);

const shared = `
  select seqctl.create_series('receipt', reset => 'never', first_number => 10);
  create table a (number bigint);
  create table b (number integer);
  select seqctl.attach('a', 'receipt');
  select seqctl.attach('b', 'receipt');
  insert into a select from generate_series(1, 3);
  insert into b select from generate_series(1, 3);
  insert into a select from generate_series(1, 3);`;

test('the tables of one series are one line of numbers', () =>
  inDatabase(shared, async (database) => {
    expect((await verifyUrl(database.url)).findings).toEqual([]);
    await database.execute(untriggered('update b set number = 18 where number = 15'));
    const report = await verifyUrl(database.url, 'receipt');
    expect(report.findings.map(({ kind, counter }) => [kind, counter])).toEqual([
      ['missing_numbers', { series: 'receipt', group: '', period: '', from: 15n, to: 15n }],
      ['duplicate_numbers', { series: 'receipt', group: '', period: '', from: 18n, to: 18n }],
    ]);
  }));

test('numbers that were taken by hand are missing in the tables, and the hint says so', () =>
  inDatabase(
    `${shared} select seqctl.next_number('receipt'); insert into a default values`,
    async (database) => {
      const { findings } = await verifyUrl(database.url);
      expect(findings.map(({ what }) => what)).toEqual(['number 19 is missing, between 18 and 20']);
      expect(findings[0]?.hint).toMatch(/next_number\(\) or allocate\(\)/);
    },
  ));

test('a series without a table has nothing to be compared with', () =>
  inDatabase(
    `select seqctl.create_series('hand'); select seqctl.next_number('hand', on_date => '2026-01-01')`,
    async (database) => {
      const report = await verifyUrl(database.url);
      expect(report).toMatchObject({ findings: [], ok: true });
      expect(report.series).toEqual([
        { name: 'hand', tables: [], counters: 1, numbers: 1n, compared: false },
      ]);
    },
  ));

test('groups of every odd character', async () => {
  const groups = [
    '',
    ' ',
    `x'; drop table odd; --`,
    '<b>&amp;</b>',
    'a\nb\t\\',
    '{"a":[1]}',
    'ÄÖ€😀',
    '"',
    '$1',
    '%s',
    '\u001b[31m',
  ];
  await inDatabase(
    `select seqctl.create_series('odd');
     create table odd (g text, h text, d date, number bigint);
     select seqctl.attach('odd', 'odd', 'number', 'd', '{g,h}');`,
    async (database) => {
      for (const group of groups) {
        await database.rows(`insert into odd select $1, 'h', '2026-01-01' from generate_series(1, 3)`, [
          group,
        ]);
      }
      expect((await verifyUrl(database.url)).findings).toEqual([]);
      await database.execute(untriggered('delete from odd where number = 2'));
      const { findings } = await verifyUrl(database.url);
      expect(findings.map(({ counter }) => (JSON.parse(counter?.group ?? '') as string[])[0]).sort()).toEqual(
        [...groups].sort(),
      );
    },
  );
});

test('findings about numbers are limited, and the rest is counted', () =>
  inDatabase(invoices, async (database) => {
    await database.execute(`
      insert into invoices (company_id, issued_on) select 'acme', '2026-05-01' from generate_series(1, 97);
      delete from invoices where number % 2 = 0`);
    const report = await verifyUrl(database.url, undefined, 10);
    // 49 numbers between two others, and the last one.
    expect(report).toMatchObject({ errors: 50, omitted: 40 });
    expect(report.findings).toHaveLength(10);
    expect(report.findings.map(briefly)[0]).toBe('error missing_numbers invoice / acme / 2026');
  }));

test('rows and counters of one moment: writers give no false alarm', () =>
  inDatabase(invoices, async (database) => {
    const writers = await Promise.all([1, 2, 3].map((n) => database.session(`writer ${n}`)));
    let running = true;
    const writing = writers.map(async (writer) => {
      while (running)
        await writer.query(`insert into invoices (company_id, issued_on) values ('acme', '2026-01-01')`);
    });
    for (let round = 0; round < 5; round++) expect((await verifyUrl(database.url)).findings).toEqual([]);
    running = false;
    await Promise.all(writing);
  }));

/** Numbers 1 to 6 of x, 4 and 6 dated before earlier ones, and of y without such; adopted with their chronology. */
const adoptedBackwards = `
  select seqctl.create_series('old', format => '{year}-{number}');
  create table old (id bigserial primary key, g text, d date, number bigint);
  insert into old (g, d, number) values
    ('x', '2026-01-05', 1), ('x', '2026-01-06', 2), ('x', '2026-02-01', 3), ('x', '2026-01-07', 4), ('x', '2026-03-01', 5), ('x', '2026-02-28', 6),
    ('y', '2026-01-05', 1), ('y', '2026-01-06', 2);
  select seqctl.adopt('old', 'old', date_column => 'd', group_columns => '{g}', chronology => 'enforce', apply => true, reason => 'the old shop');`;

test('dates that ran against numbers before a table was adopted have its reason; new ones are named', () =>
  inDatabase(adoptedBackwards, async (database) => {
    const kept = {
      severity: 'info',
      kind: 'inverted_before_adoption',
      object: 'series old',
      what: '2 rows are dated before an earlier number in 1 counter since before adoption: the old shop',
    };
    const clean = await verifyUrl(database.url);
    expect(clean).toMatchObject({ ok: true, errors: 0, warnings: 0, explained: 0, findings: [kept] });
    expect(clean.findings[0]?.hint).toMatch(/^Recorded by \w+ on .* UTC\.$/);

    await database.execute(`
      insert into old (g, d) values ('x', '2026-03-05'), ('x', '2026-03-06'), ('y', '2026-01-07'), ('y', '2026-01-08');
      ${untriggered(`update old set d = '2026-03-01' where g = 'x' and number = 8; update old set d = '2026-01-01' where g = 'y' and number = 4`)}`);
    const later = await verifyUrl(database.url);
    expect(later).toMatchObject({ ok: false, errors: 2 });
    expect(later.findings.map(({ kind, object, what }) => [kind, object, what])).toEqual([
      ['inverted_dates', 'old / x / 2026', 'number 8 is dated 2026-03-01, an earlier number 2026-03-05'],
      ['inverted_dates', 'old / y / 2026', 'number 4 is dated 2026-01-01, an earlier number 2026-01-07'],
      [kept.kind, kept.object, kept.what],
    ]);
  }));

test.each([
  ['one more', `update old set d = '2026-01-01' where g = 'x' and number = 2`, 3],
  ['one less', `update old set d = '2026-02-02' where g = 'x' and number = 4`, 1],
])('more or fewer of them than were adopted is an error: %s', (_what, change, count) =>
  inDatabase(adoptedBackwards, async (database) => {
    await database.execute(untriggered(change));
    const { findings } = await verifyUrl(database.url);
    expect(findings.map(({ severity, kind, object, what }) => [severity, kind, object, what])).toEqual([
      [
        'error',
        'adopted_dates_changed',
        'old / x / 2026',
        `of the numbers up to 6, ${count} are dated before an earlier one; when they were adopted it was 2`,
      ],
    ]);
  }),
);

test('a second table of the series is adopted: its counters are looked at again, and no others', () =>
  inDatabase(
    `${adoptedBackwards}
     create table more (id bigserial primary key, g text, d date, number bigint);
     insert into more (g, d, number) values ('y', '2026-01-01', 3), ('z', '2026-05-05', 1), ('z', '2026-05-04', 2);
     ${untriggered(`update old set d = '2026-01-01' where g = 'x' and number = 2`)}
     select seqctl.adopt('more', 'old', date_column => 'd', group_columns => '{g}', chronology => 'enforce', apply => true, reason => 'the other shop');`,
    async (database) => {
      const { findings } = await verifyUrl(database.url);
      expect(findings.map(({ kind, object, what }) => `${kind} ${object}: ${what}`)).toEqual([
        'adopted_dates_changed old / x / 2026: of the numbers up to 6, 3 are dated before an earlier one; when they were adopted it was 2',
        'inverted_before_adoption series old: 2 rows are dated before an earlier number in 2 counters since before adoption: the other shop',
      ]);
    },
  ));
