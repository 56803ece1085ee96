import { renderPage } from '../../cli/report/page.js';
import { makeReport, type Report } from '../../cli/report/report.js';
import { settingsOf } from './installer.js';
import { untriggered } from './verify.js';

/** As the command makes it for a page. */
export function reportOn(url: string, series?: string, limit = 1000): Promise<Report> {
  return makeReport(settingsOf(url), { series, limit });
}

export async function pageOf(url: string, series?: string): Promise<string> {
  return renderPage(await reportOn(url, series));
}

/** 400 invoices of acme in 2026 (16 are missing: 4 of them nobody knows why) and 90 of globex in 2025 (none is missing). */
export const fourHundred = `
  select seqctl.create_series('invoice', format => 'INV-{year}-{number:5}', purpose => 'Invoices to customers');
  create table invoices (
    id bigint generated always as identity primary key,
    company_id text not null,
    issued_on date not null,
    number bigint,
    document_number text
  );
  select seqctl.attach('invoices', 'invoice', 'number', 'issued_on', '{company_id}', 'document_number', protect => false);
  insert into invoices (company_id, issued_on) select 'acme', date '2026-01-01' + n / 2 from generate_series(1, 400) n;
  insert into invoices (company_id, issued_on) select 'globex', date '2025-03-01' + n from generate_series(0, 89) n;
  delete from invoices
  where company_id = 'acme' and number in (17, 42, 43, 44, 131, 250, 251, 252, 253, 254, 255, 256, 257, 258, 300, 400);
  select seqctl.void('invoice', 'acme', '2026-01-01', 42, 44, 'printer jam; the sheets are in the file');
  select seqctl.void('invoice', 'acme', '2026-01-01', 250, 258, 'batch sent twice, ticket 4711');
  select seqctl.void('invoice', 'acme', '2026-01-01', 100, reason => 'annulled: credit note 3');
  select seqctl.close_period('invoice', '2025-01-01');`;

const markup = `</title></style></script><script>alert(1)</script><img src=x onerror="alert('2')">&amp;\u202e`;

/** Names, groups, document numbers, formats and reasons that would be markup if they were not escaped. */
export const hostile = `
  select seqctl.create_series('<b onclick="alert(3)">&lt;''', format => '<i>{number}</i>"''', purpose => '${quoted(markup)}',
    external_code => '<u>');
  create table "<t>""&" (id bigint generated always as identity primary key, "<g>" text not null, d date not null, "n'<" bigint, doc text);
  select seqctl.attach('"<t>""&"', '<b onclick="alert(3)">&lt;''', 'n''<', 'd', '{<g>}', 'doc', protect => false);
  insert into "<t>""&" ("<g>", d) select '${quoted(markup)}', '2026-03-09' from generate_series(1, 9);
  delete from "<t>""&" where "n'<" in (3, 5);
  update "<t>""&" set doc = '${quoted(markup)}' where "n'<" = 7;
  select seqctl.void('<b onclick="alert(3)">&lt;''', '${quoted(markup)}', '2026-03-09', 3, reason => '${quoted(markup)}');
  select seqctl.close_period('<b onclick="alert(3)">&lt;''', '2026-03-09');
  select seqctl.reopen_period('<b onclick="alert(3)">&lt;''', '2026-03-09', reason => '${quoted(markup)}');`;

/** A series "million" whose table has the numbers that `numbers`, a SELECT of one column, gives; the counter is at `last`. */
export function million(numbers: string, last: number): string {
  return `
    select seqctl.create_series('million', format => '{year}-{number}');
    create table million (d date not null, number bigint);
    select seqctl.attach('million', 'million', date_column => 'd');
    ${untriggered(`insert into million select date '2026-01-01' + (n * 365 / ${last + 1})::int, n from (${numbers}) as x (n)`)}
    insert into seqctl.counter (series_id, group_key, period, last_number) values (1, '', '2026-01-01', ${last});
    analyze million;`;
}

function quoted(text: string): string {
  return text.replaceAll("'", "''");
}
