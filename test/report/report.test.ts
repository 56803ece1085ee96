import { performance } from 'node:perf_hooks';

import { expect, test } from 'vitest';

import { renderCsv } from '../../cli/report/csv.js';
import { renderPage } from '../../cli/report/page.js';
import { makeReport } from '../../cli/report/report.js';
import { withClient } from '../support/connect.js';
import { settingsOf } from '../support/installer.js';
import { checkedOut, fourHundred, hostile, million, pageOf, reportOn } from '../support/report.js';
import { useRoles } from '../support/roles.js';
import { inDatabase, invoices, untriggered } from '../support/verify.js';

const makeRole = useRoles();

/** What of a page is said to a reader: no markup, no style, no script. */
function textOf(page: string): string {
  return page
    .replaceAll(/<(style|script)>.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
}

test('an empty database makes a sensible page', () =>
  inDatabase('', async ({ url }) => {
    const page = await pageOf(url);
    expect(textOf(page)).toContain(
      'There is nothing to check. There is no series with an attached table yet',
    );
    expect(page).toContain('<h2 id="about-title">About this report</h2>');
    expect(textOf(page)).not.toMatch(/undefined|NaN|\[object/);
  }));

test('a series without a table, without a number, and without dates', () =>
  inDatabase(
    `select seqctl.create_series('quote');
     select seqctl.create_series('taken', reset => 'never'); select seqctl.next_number('taken');
     select seqctl.create_series('receipt', reset => 'never');
     create table receipts (id int, number bigint); select seqctl.attach('receipts', 'receipt');
     insert into receipts (id) values (1), (2);`,
    async ({ url }) => {
      const { series } = await reportOn(url);
      expect(
        series.map(({ series: { name }, missing, given, months }) => [name, missing, given, months]),
      ).toEqual([
        ['quote', null, 0n, { years: [], undated: 0n }],
        ['receipt', { explained: 0n, unexplained: 0n }, 2n, { years: [], undated: 2n }],
        ['taken', null, 1n, { years: [], undated: 0n }],
      ]);
      const text = textOf(await pageOf(url));
      expect(text).toContain(
        'Yes, where it was compared. Every number from the first to the last is there, and none twice. 1 series was not',
      );
      expect(text).toContain('2 rows have no date (a table without a date column, or an empty one)');
      expect(text).toContain('the counters say that 1 number was given, and there is nothing to compare');
    },
  ));

test('400 numbers: sums, months, gaps with their reasons, maps, voids, closings', () =>
  inDatabase(fourHundred, async ({ url }) => {
    const report = await reportOn(url);
    expect(report).toMatchObject({ ok: false, errors: 4, warnings: 0, omitted: 0, findings: [] });
    const [one] = report.series;
    if (one === undefined) throw new Error('there is no series');
    expect(one).toMatchObject({
      given: 490n,
      missing: { explained: 12n, unexplained: 4n },
      counters: { total: 2 },
      gaps: { total: 6 },
      voids: { total: 3 },
      closings: { total: 1, entries: [{ action: 'close', period: '2025', group: null }] },
    });
    expect(one.periods.entries).toMatchObject([
      { period: '2026', counters: 1, given: 400n, closed: 0 },
      { period: '2025', counters: 1, given: 90n, closed: 1 },
    ]);
    expect(
      one.gaps.entries.map(({ from, to, explanation }) => [from, to, explanation?.reason ?? null]),
    ).toEqual([
      [17n, 17n, null],
      [131n, 131n, null],
      [300n, 300n, null],
      [400n, 400n, null],
      [42n, 44n, 'printer jam; the sheets are in the file'],
      [250n, 258n, 'batch sent twice, ticket 4711'],
    ]);
    expect(one.months.years.map(({ label }) => label)).toEqual(['2026', '2025']);
    expect(one.months.years[1]?.months.map(({ numbers }) => Number(numbers))).toEqual([
      0, 0, 31, 30, 29, 0, 0, 0, 0, 0, 0, 0,
    ]);
    expect(one.map?.counters).toMatchObject([
      {
        group: 'acme',
        period: '2026',
        first: 1n,
        last: 400n,
        cellWidth: 1n,
        gaps: 6,
        missing: 16n,
        explained: 12n,
      },
    ]);
    expect(one.map?.counters[0]?.cells.map(({ index }) => index + 1)).toEqual([
      17, 42, 43, 44, 131, 250, 251, 252, 253, 254, 255, 256, 257, 258, 300, 400,
    ]);

    const page = renderPage(report);
    const text = textOf(page);
    expect(text).toContain(
      'No. 4 numbers are missing without a recorded reason. 12 more have a recorded reason.',
    );
    expect(page.match(/<rect\s+class="open"[^>]*\srole="img"/g)).toHaveLength(4);
    expect(page.match(/<rect\s+class="known"[^>]*\srole="img"/g)).toHaveLength(12);
    expect(page).toContain(
      'aria-label="Number 17 is missing: unexplained; after 16 (2026-01-09), before 18 (2026-01-10)"',
    );
    expect(page).toContain(
      'aria-label="Numbers 42 to 44 are missing: void, printer jam; the sheets are in the file"',
    );
    expect(text).toMatch(/42 to 44 3 void printer jam; the sheets are in the file recorded by \S+, 2\d{3}-/);
    expect(text).toContain('not protected');
    expect(Buffer.byteLength(page)).toBeLessThan(60_000);
  }));

test('checkouts: who has a number, until when, and what became of it; what is past its time is not explained', () =>
  inDatabase(checkedOut, async ({ url }) => {
    const report = await reportOn(url);
    const [one] = report.series;
    expect(one).toMatchObject({
      missing: { explained: 4n, unexplained: 2n },
      checkouts: { total: 4, open: 1, expired: 1, withoutRow: 1, waiting: 1, finalized: 2, released: 1 },
    });
    expect(one?.checkouts.entries.map(({ number, state }) => [number, state])).toEqual([
      [6n, 'expired'],
      [4n, 'open'],
      [10n, 'released'],
      [8n, 'finalized'],
    ]);
    expect(one?.gaps.entries.map(({ from, explanation }) => [from, explanation?.kind ?? null])).toEqual([
      [6n, 'expired checkout'],
      [11n, null],
      [2n, 'void'],
      [4n, 'checked out'],
      [8n, 'finalized'],
      [10n, 'released'],
    ]);

    const page = renderPage(report);
    const text = textOf(page);
    expect(text).toContain('Checked out now 2');
    expect(text).toContain(
      '2 numbers are checked out, 1 of them past its time. 2 were finalized, 1 without a row in an attached table. 1 was released, 1 waits to be given again.',
    );
    expect(text).toMatch(
      /6 2026 expired order-6 \S+ \S+ UTC by \S+ .* 4 2026 checked out order-4 \S+ \S+ UTC by \S+ \S+ \S+ UTC 10 2026 released, waits order-10 .* 8 2026 finalized, no row order-8 reference on paper, folder 3/,
    );
    const squares = [
      ...page.matchAll(/<rect\s+class="(\w+)"[^>]*\srole="img"\s+aria-label="([^:]+): (\w+ ?\w*)/g),
    ];
    expect(squares.map(([, tone, which, state]) => [tone, which, state])).toEqual([
      ['known', 'Number 2 is missing', 'void'],
      ['out', 'Number 4 is missing', 'checked out'],
      ['late', 'Number 6 is missing', 'expired checkout'],
      ['known', 'Number 8 is missing', 'finalized'],
      ['out', 'Number 10 is missing', 'released'],
      ['open', 'Number 11 is missing', 'unexplained'],
    ]);
    expect(text).toContain('checked out, past its time');
    expect(text).toContain(
      'While a number is checked out others get the next ones; a released number is given again',
    );
    expect(text).toContain('When its time is over it stays out until somebody settles it');

    const rows = renderCsv(report).split('\r\n');
    expect(
      rows.filter((row) => row.startsWith('checkout,')).map((row) => row.replaceAll(/\d{4}-[^,]*Z/g, 'T')),
    ).toEqual([
      expect.stringMatching(
        /^checkout,tax,,2026,6,6,1,expired,,\w+,T,,,,,"seqctl lease finalize tax order-6, or release",order-6,T,$/,
      ),
      expect.stringMatching(/^checkout,tax,,2026,4,4,1,checked out,,\w+,T,,,,,,order-4,T,$/),
      expect.stringMatching(/^checkout,tax,,2026,10,10,1,"released, waits",,\w+,T,,,,,,order-10,T,$/),
      expect.stringMatching(
        /^checkout,tax,,2026,8,8,1,"finalized, no row","on paper, folder 3",\w+,T,,,,,,order-8,T,$/,
      ),
    ]);
  }));

test('many checkouts stay within the page; a series without a table does not say which ones have no row', () =>
  inDatabase(
    `select seqctl.create_series('loose', on_checkout => 'recycle');
     select count(c.number) from generate_series(1, 3000) n, seqctl.checkout('loose', repeat('"<&>"', 20) || n, on_date => '2026-03-10') c;
     select seqctl.finalize('loose', repeat('"<&>"', 20) || 1);`,
    async ({ url }) => {
      const report = await reportOn(url);
      expect(report.series[0]?.checkouts).toMatchObject({
        total: 2999,
        open: 2999,
        finalized: 1,
        withoutRow: null,
      });
      expect(report.series[0]?.checkouts.entries).toHaveLength(1000);
      const page = renderPage(report);
      expect(Buffer.byteLength(page)).toBeLessThan(500_000);
      expect(textOf(page)).toMatch(/… and [\d,]+ more: seqctl lease list --series loose --all/);
      expect(textOf(page)).toContain('2,999 numbers are checked out. 1 was finalized.');
      expect(renderCsv(report)).toContain(
        'more,loose,,,,,1999,checkouts,,,,,,,,seqctl lease list --series loose --all,,,',
      );
    },
  ));

test('counters that were lowered or removed: who, when and why, on the page and in CSV', () =>
  inDatabase(
    `${fourHundred}
     select seqctl.allocate('invoice', 'acmee', '2026-01-01', 3);
     select seqctl.remove_counter('invoice', 'acmee', '2026-01-01', '<b>misspelt</b>');
     select seqctl.void('invoice', 'acme', '2026-01-01', 300, reason => 'x');
     select seqctl.lower_counter('invoice', 'acme', '2026-01-01', 399, '=a test import');`,
    async ({ url }) => {
      const report = await reportOn(url);
      expect(report.series[0]).toMatchObject({
        given: 489n,
        missing: { unexplained: 2n },
        corrections: {
          total: 2,
          entries: [
            { group: 'acme', kind: 'lowered', from: 400n, to: 399n },
            { group: 'acmee', kind: 'removed', from: 3n, to: null },
          ],
        },
      });
      const page = renderPage(report);
      expect(textOf(page)).toMatch(
        /Corrected counters Period Group Was Last number Reason Recorded 2026 acme lowered 400, then 399 =a test import \S+ \S+ UTC by \w+ 2026 acmee removed 3, then none /,
      );
      expect(page).toContain('&lt;b&gt;misspelt&lt;/b&gt;');
      const rows = renderCsv(report).split('\r\n');
      expect(rows.filter((row) => row.startsWith('correction,'))).toEqual([
        expect.stringMatching(
          /^correction,invoice,acme,2026,400,399,,lowered,'=a test import,\w+,2[^,]*Z(,){8}$/,
        ),
        expect.stringMatching(
          /^correction,invoice,acmee,2026,3,,,removed,<b>misspelt<\/b>,\w+,2[^,]*Z(,){8}$/,
        ),
      ]);
    },
  ));

test('hash chains: the head of each counter, what it covers, and a row that was altered', () =>
  inDatabase(checkedOut, async (database) => {
    const { rows } = await withClient(database.url, (client) =>
      client.query<{ hash: string; ordinal: string }>('select hash, ordinal from seqctl.chain_heads'),
    );
    const report = await reportOn(database.url);
    // Missing without a reason; the chain says that a row had it.
    expect(report.findings).toMatchObject([{ kind: 'chain_row_removed', counter: { from: 11n } }]);
    expect(report.series[0]?.heads).toMatchObject({
      total: 1,
      entries: [{ hash: rows[0]?.hash, number: 13n }],
    });
    const page = renderPage(report);
    const digits = /<code class="hash">(.*?)<\/code>/s.exec(page)?.[1]?.replaceAll(/<[^>]*>|\s/g, '');
    expect(digits).toBe(rows[0]?.hash);
    expect(textOf(page)).toContain('Hash chain kept: each number that is issued adds a link');
    expect(textOf(page)).toContain('The chain covers number, document number, date, customer, total');
    expect(renderCsv(report)).toMatch(
      new RegExp(
        `\r\nchain_head,tax,,2026,,13,${rows[0]?.ordinal ?? ''},,,,[^,]+Z,,,,,,,,${rows[0]?.hash ?? ''}\r\n`,
      ),
    );

    await database.execute(untriggered(`update tax_invoices set total = 1 where number = 3`));
    const altered = await reportOn(database.url);
    expect(altered.findings.map(({ severity, kind }) => `${severity} ${kind}`)).toEqual([
      'error chain_row_altered',
      'error chain_row_removed',
    ]);
    expect(altered.series[0]?.heads?.entries[0]?.hash).toBe(rows[0]?.hash);
    expect(textOf(renderPage(altered))).toContain(
      'numbers tax / 2026 number 3 of public.tax_invoices was altered after it was issued: its customer or its total is another one',
    );
    expect(renderCsv(altered)).toMatch(/\r\nfinding,tax,,2026,3,3,,error,/);
  }));

test('a chain without a link, and thousands of heads', () =>
  inDatabase(
    `select seqctl.create_series('none yet', chain => true); select seqctl.create_series('many', chain => true);
     create table many (g int not null, d date not null, number bigint);
     select seqctl.attach('many', 'many', date_column => 'd', group_columns => '{g}');
     insert into many (g, d) select g, '2026-01-01' from generate_series(1, 3000) g;`,
    async ({ url }) => {
      const report = await reportOn(url);
      expect(report.series.map(({ heads }) => [heads?.entries.length, heads?.total])).toEqual([
        [1000, 3000],
        [0, 0],
      ]);
      const page = renderPage(report);
      expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
      expect(textOf(page)).toContain('None yet: no number was issued since the chain is kept.');
      expect(textOf(page)).toMatch(/… and 2,\d\d\d more: seqctl chain-heads --series many/);
    },
  ));

test('explained gaps are no fault; limited to one series, others are not in it', () =>
  inDatabase(
    `${fourHundred} select seqctl.create_series('elsewhere');
     select seqctl.void('invoice', 'acme', '2026-01-01', n, reason => 'found in the archive') from unnest(array[17, 131, 300, 400]) n;`,
    async ({ url }) => {
      const page = await pageOf(url, 'invoice');
      expect(textOf(page)).toContain(
        'Yes, with explained gaps. 16 numbers are missing, each with a recorded reason',
      );
      expect(page).not.toContain('elsewhere');
      await expect(pageOf(url, 'nothing')).rejects.toMatchObject({
        message: 'series "nothing" does not exist',
        exitCode: 4,
      });
    },
  ));

test('what was found besides gaps is there, with the next step; a damaged installation makes a page, too', () =>
  inDatabase(
    `${invoices} alter table invoices disable trigger user;
     drop index invoices_number_seqctl_key; update invoices set number = 1 where company_id = 'acme' and number = 2 and issued_on > '2026-01-01';`,
    async (database) => {
      const text = textOf(await pageOf(database.url));
      expect(text).toContain('invoice / acme / 2026 number 1 stands on 2 rows Find them in public.invoices');
      expect(text).toMatch(/error attached table public\.invoices/);
      await database.execute('drop view seqctl.voids');
      const damaged = textOf(await pageOf(database.url));
      expect(damaged).toContain('It could not be checked. The installation is damaged');
      expect(damaged).toContain('view seqctl.voids is missing');
    },
  ));

test('fiscal years have their own months, also those that start within one', () =>
  inDatabase(
    `select seqctl.create_series('april', format => '{fiscal_year}/{number}', fiscal_year_start => '04-06');
     create table docs (d date not null, number bigint);
     select seqctl.attach('docs', 'april', date_column => 'd');
     insert into docs (d) values ('2025-04-05'), ('2025-04-06'), ('2025-12-31'), ('2026-04-05'), ('2026-04-06');`,
    async ({ url }) => {
      const { series } = await reportOn(url);
      const years = series[0]?.months.years.map(({ label, months }) => [
        label,
        months.length,
        months.filter(({ numbers }) => numbers > 0n).map(({ month, numbers }) => `${month} ${numbers}`),
      ]);
      expect(years).toEqual([
        ['FY2026', 13, ['2026-04 1']],
        ['FY2025', 13, ['2025-04 1', '2025-12 1', '2026-04 1']],
        ['FY2024', 13, ['2025-04 1']],
      ]);
    },
  ));

test('nothing from the database becomes markup', () =>
  inDatabase(hostile, async ({ url }) => {
    const page = await pageOf(url);
    const tags = new Set([...page.matchAll(/<\/?([a-z0-9!]+)/gi)].map(([, tag]) => tag));
    for (const tag of ['img', 'i', 'u', 't']) expect(tags).not.toContain(tag);
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<\/(style|title)>/g)).toHaveLength(2);
    expect(page.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^>]+\son[a-z]+=/);
    // What would turn a line around is spelled out.
    expect(page).not.toContain('\u202e');
    expect(page).toContain(
      '&lt;/title&gt;&lt;/style&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;',
    );
    expect(page).toContain('&lt;b onclick=&quot;alert(3)&quot;&gt;&amp;lt;&#39;');
  }));

test('the page names its style and its script by their hashes, and loads nothing', () =>
  inDatabase('', async ({ url }) => {
    const page = await pageOf(url);
    expect(page).toMatch(
      /<meta\s+http-equiv="Content-Security-Policy"\s+content="default-src &#39;none&#39;; style-src &#39;sha256-[^;]+&#39;; script-src &#39;sha256-[^;]+&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"/,
    );
    expect(page).not.toMatch(/\b(src|srcset|action)=|href="(?!#)|url\((?!#)|https?:|@import/);
  }));

test('a million numbers: a small page, soon', () =>
  inDatabase(million('select generate_series(1, 1000000)', 1_000_000), async ({ url }) => {
    const start = performance.now();
    const report = await reportOn(url);
    const page = renderPage(report);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(report).toMatchObject({
      ok: true,
      series: [{ given: 1_000_000n, missing: { explained: 0n, unexplained: 0n } }],
    });
    expect(textOf(page)).toContain('2026 1,000,000 numbers');
    expect(Buffer.byteLength(page)).toBeLessThan(50_000);
  }));

test('a hundred thousand gaps in one counter: summed up, and the page says how to list them', () =>
  inDatabase(
    `${million('select generate_series(1, 199999, 2)', 200_000)}
     select seqctl.void('million', '', '2026-01-01', 50001, 60000, 'a lost week');`,
    async ({ url }) => {
      const report = await reportOn(url);
      const [one] = report.series;
      expect(one).toMatchObject({
        missing: { explained: 5000n, unexplained: 95_000n },
        gaps: { total: 100_000 },
        map: { counters: [{ cellWidth: 500n, gaps: 100_000 }] },
      });
      expect(one?.gaps.entries).toHaveLength(2000);
      expect(one?.map?.counters[0]?.cells).toHaveLength(400);
      const page = renderPage(report);
      expect(Buffer.byteLength(page)).toBeLessThan(300_000);
      const text = textOf(page);
      expect(text).toContain(
        '100,000 gaps are too many for one page. They are summed up here, 500 numbers at a time',
      );
      expect(text).toContain('seqctl gaps --series million --limit 100000');
      expect(text).toContain('Missing, explained 50001 to 50500 : 250 50501 to 51000 : 250');
      expect(page).toContain(
        'aria-label="Numbers 1 to 500: 250 missing, no reason; 250 gaps, summed up here"',
      );
    },
  ));

test('a thousand counters, each with gaps and long texts, stay within the page; one does not hide another', () =>
  inDatabase(
    `select seqctl.create_series('a', format => '{group}{number}'); select seqctl.create_series('b');
     create table a (g int not null, d date not null, number bigint); create table b (d date not null, number bigint);
     select seqctl.attach('a', 'a', date_column => 'd', group_columns => '{g}', protect => false);
     select seqctl.attach('b', 'b', date_column => 'd', protect => false);
     insert into a (g, d) select g, '2026-01-01' from generate_series(1, 1000) g cross join generate_series(1, 12) n;
     insert into b (d) select '2026-01-01' from generate_series(1, 3000);
     delete from a where number % 2 = 0; delete from b where number % 2 = 0;
     select count(seqctl.void('a', g::text, '2026-01-01', 2, reason => repeat('"<&>"', 2000))) from generate_series(1, 1000) g;`,
    async ({ url }) => {
      const report = await reportOn(url);
      const [a, b] = report.series;
      expect(a?.map).toMatchObject({ counterCount: 1000 });
      expect(a?.map?.counters).toHaveLength(100);
      // Five gaps without and one with an explanation of each counter: the limit is shared.
      expect(new Set(a?.gaps.entries.map(({ group }) => group)).size).toBe(1000);
      expect(b?.map?.counters[0]).toMatchObject({ gaps: 1500, cellWidth: 10n });
      const page = renderPage(report);
      expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
      expect(textOf(page)).toMatch(/\d+ more counters with missing numbers would make this page too long/);
    },
  ));

test('numbers at the end of bigint', () =>
  inDatabase(
    `select seqctl.create_series('huge', reset => 'never', first_number => 9223372036854775000);
     create table huge (number bigint); select seqctl.attach('huge', 'huge', protect => false);
     insert into huge select null from generate_series(1, 800);
     delete from huge where number = 9223372036854775799 or number between 9223372036854775100 and 9223372036854775200;`,
    async ({ url }) => {
      const page = await pageOf(url);
      expect(page).toContain('Numbers 9223372036854775100 to 9223372036854775200 are missing: unexplained');
      expect(page).toContain(
        'Number 9223372036854775799 is missing: unexplained; after 9223372036854775798"',
      );
    },
  ));

test('a reader may make a report; who may not read the table gets one that says so', async () => {
  const reader = await makeRole('report_reader');
  await inDatabase(
    `${invoices} alter table invoices owner to current_user; select seqctl.grant_access('${reader.name}', 'read');`,
    async (database) => {
      const url = database.urlAs(reader.name, reader.password);
      const blind = await makeReport(settingsOf(url), { limit: 10 });
      expect(blind).toMatchObject({
        ok: false,
        madeBy: reader.name,
        series: [{ compared: false, missing: null }],
      });
      expect(textOf(renderPage(blind))).toContain(
        'Not every number could be checked. The check found 1 error: see the findings below.',
      );
      expect(textOf(renderPage(blind))).toContain(
        'its numbers were not checked: permission denied for table invoices',
      );
      await database.execute(`grant select on invoices to ${reader.name}`);
      expect(await makeReport(settingsOf(url), { limit: 10 })).toMatchObject({ ok: true });
      await database.execute(`select seqctl.revoke_access('${reader.name}')`);
      await expect(makeReport(settingsOf(url), { limit: 10 })).rejects.toMatchObject({
        exitCode: 4,
        sqlstate: '42501',
      });
      await database.execute(untriggered('truncate invoices'));
    },
  );
});
