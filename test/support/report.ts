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

/**
 * A series with a hash chain whose numbers were checked out: 4 within its time, 6 past it, 8 finalized without a row, 9 finalized with one,
 * 10 released and not given again. 2 is void, 11 is missing without a reason.
 */
export const checkedOut = `
  select seqctl.create_series('tax', format => 'T-{year}-{number:4}', chain => true, on_checkout => 'recycle');
  create table tax_invoices (id bigint generated always as identity primary key, customer text, issued_on date not null, total numeric,
    number bigint, document_number text);
  select seqctl.attach('tax_invoices', 'tax', date_column => 'issued_on', document_number_column => 'document_number',
    chain_columns => '{customer,total}', protect => false);
  create function pg_temp.insert_some(how_many int) returns void language sql as
    $$insert into tax_invoices (customer, issued_on, total) select 'customer ' || n, '2026-03-09', 100 * n from generate_series(1, how_many) n$$;
  select pg_temp.insert_some(3);
  select seqctl.checkout('tax', 'order-4', on_date => '2026-03-10', ttl => '30 days');
  select pg_temp.insert_some(1);
  select seqctl.checkout('tax', 'order-6', on_date => '2026-03-10', ttl => '1 second');
  select pg_temp.insert_some(1);
  select seqctl.checkout('tax', 'order-8', on_date => '2026-03-10'), seqctl.checkout('tax', 'order-9', on_date => '2026-03-10');
  select seqctl.finalize('tax', 'order-8', reference => 'on paper, folder 3'), seqctl.finalize('tax', 'order-9');
  insert into tax_invoices (customer, issued_on, total, number) values ('Ada', '2026-03-10', 90, 9);
  select seqctl.checkout('tax', 'order-10', on_date => '2026-03-10');
  select pg_temp.insert_some(3);
  delete from tax_invoices where number in (2, 11);
  select seqctl.void('tax', on_date => '2026-03-09', from_number => 2, reason => 'deleted by mistake: ticket 4711');
  select seqctl.release('tax', 'order-10');
  update seqctl.checkout set expires_at = opened_at - interval '1 hour' where correlation_id = 'order-6';`;
