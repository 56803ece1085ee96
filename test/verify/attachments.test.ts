import { describe, expect, test } from 'vitest';

import { detach } from '../../cli/operations/attachments.js';
import { settingsOf } from '../support/installer.js';
import { briefly, inDatabase, invoices, partitioned, untriggered, verifyUrl } from '../support/verify.js';

test('attached tables as attach leaves them: no finding', () =>
  inDatabase(
    `${invoices} ${partitioned}
     create table "Odd "" table; drop" ("the, number" integer, a text, b uuid, t timestamptz);
     select seqctl.create_series('pay day', reset => 'monthly', time_zone => 'Europe/Rome', format => '{year}-{month}/{number}');
     select seqctl.attach('"Odd "" table; drop"', 'pay day', 'the, number', 't', '{b,a}');
     insert into "Odd "" table; drop" (a, b, t) select 'x', gen_random_uuid(), now() from generate_series(1, 20);
     select seqctl.create_series('never', reset => 'never');
     create table tickets (number bigint);
     select seqctl.attach('tickets', 'never');
     insert into tickets select from generate_series(1, 5);
     select seqctl.create_series('daily', reset => 'daily', format => '{year}{month}{day}-{number}');
     create table slips (d date, number bigint);
     select seqctl.attach('slips', 'daily', date_column => 'd');
     insert into slips values ('2026-01-01'), ('2026-01-01'), ('2026-01-02');`,
    async (database) => {
      const report = await verifyUrl(database.url);
      expect(report.findings).toEqual([]);
      expect(
        report.series.map(({ name, counters, numbers, compared }) => [name, counters, numbers, compared]),
      ).toEqual([
        ['daily', 2, 3n, true],
        ['invoice', 3, 5n, true],
        ['never', 1, 5n, true],
        ['pay day', 20, 20n, true],
        ['receipt', 2, 3n, true],
      ]);
    },
  ));

describe('finds, and nothing else,', () => {
  test.each<[what: string, defect: string, findings: string[]]>([
    [
      'a dropped table',
      'drop table invoices',
      [
        expect.stringMatching(/^error table_dropped table with oid \d+$/) as string,
        'error numbers_unchecked series invoice',
      ],
    ],
    [
      'a renamed number column',
      'alter table invoices rename number to nr',
      ['error column_missing public.invoices', 'error numbers_unchecked series invoice'],
    ],
    [
      'a renamed column of a condition',
      `create table drafts (id bigint primary key, d date, status text, number bigint);
       select seqctl.attach('drafts', 'invoice', date_column => 'd', issue_when => $$status = 'issued'$$);
       alter table drafts rename status to state`,
      ['error column_missing public.drafts', 'error numbers_unchecked series invoice'],
    ],
    [
      'another primary key than the one by which rows are found',
      `create table keyed (id int primary key, d date, number bigint);
       select seqctl.attach('keyed', 'invoice', date_column => 'd', assign => 'commit');
       alter table keyed alter column id type bigint`,
      ['error primary_key_changed public.keyed'],
    ],
    [
      'no fault in a renamed table whose rows wait for the commit',
      `create table "It's \\" (id bigint primary key, d date, number bigint);
       select seqctl.create_series('waits', reset => 'yearly', format => '{year}-{number}');
       select seqctl.attach('"It''s \\"', 'waits', date_column => 'd', assign => 'commit');
       insert into "It's \\" values (1, '2026-01-01');
       alter table "It's \\" rename to renamed;
       select seqctl._regenerate_attachments();
       insert into renamed values (2, '2026-01-01'), (3, '2026-01-02')`,
      [],
    ],
    [
      'a dropped group column',
      'drop trigger zz_seqctl_1_protect on invoices; alter table invoices drop company_id',
      [
        'error column_missing public.invoices',
        'error index_missing public.invoices',
        'error numbers_unchecked series invoice',
      ],
    ],
    [
      'a retyped document number',
      `drop trigger zz_seqctl_1_protect on invoices; alter table invoices alter document_number type xml using null`,
      ['error column_retyped public.invoices', 'error numbers_unchecked series invoice'],
    ],
    [
      'a default for the number',
      'alter table invoices alter number set default 7',
      ['error column_default public.invoices'],
    ],
    ...(['number', 'settle', 'protect', 'keep', 'truncate'] as const).map(
      (kind): [string, string, string[]] => [
        `a missing ${kind}`,
        `drop trigger zz_seqctl_1_${kind} on invoices`,
        ['error trigger_missing public.invoices'],
      ],
    ),
    [
      'a disabled trigger',
      'alter table invoices disable trigger zz_seqctl_1_settle',
      ['error trigger_disabled public.invoices'],
    ],
    [
      'a trigger for replicas only',
      'alter table invoices enable replica trigger zz_seqctl_1_number',
      ['error trigger_replica_only public.invoices'],
    ],
    [
      'a trigger with another function',
      `create or replace trigger zz_seqctl_1_number before insert on invoices for each row
       execute function suppress_redundant_updates_trigger()`,
      ['error trigger_changed public.invoices'],
    ],
    [
      'a trigger with another condition',
      `create or replace trigger zz_seqctl_1_number before insert on invoices for each row when (false)
       execute function seqctl._attachment_1_number()`,
      ['error trigger_changed public.invoices'],
    ],
    [
      'a trigger without its transition table',
      `create or replace trigger zz_seqctl_1_settle after insert on invoices for each statement
       execute function seqctl._attachment_1_settle()`,
      ['error trigger_changed public.invoices'],
    ],
    [
      'a trigger of seqctl on another table',
      `create table other (number bigint);
       create trigger x before insert on other for each row execute function seqctl._attachment_1_number()`,
      ['error trigger_extra public.other'],
    ],
    [
      'a trigger of a user that runs later',
      `create function f() returns trigger language plpgsql as 'begin return new; end';
       create trigger zzz before insert on invoices for each row execute function f();
       create trigger aaa before insert on invoices for each row execute function f();
       create trigger zzzz after insert on invoices for each row execute function f();
       create trigger zzzzz before update on invoices for each row execute function f()`,
      ['warning trigger_after_seqctl public.invoices'],
    ],
    ['a dropped index', 'drop index invoices_number_seqctl_key', ['error index_missing public.invoices']],
    [
      'an invalid index',
      `update pg_index set indisvalid = false where indexrelid = 'invoices_number_seqctl_key'::regclass`,
      ['error index_invalid public.invoices'],
    ],
    [
      'an index that is not unique any more',
      `drop index invoices_number_seqctl_key; create index invoices_number_seqctl_key on invoices (company_id, number)`,
      ['error index_changed public.invoices'],
    ],
    [
      'an index over more columns',
      `drop index invoices_number_seqctl_key; create unique index invoices_number_seqctl_key on invoices (id, number)`,
      ['error index_changed public.invoices'],
    ],
    [
      'a partial index',
      `drop index invoices_number_seqctl_key;
       create unique index invoices_number_seqctl_key on invoices (company_id, number) where false`,
      ['error index_changed public.invoices'],
    ],
    ['an unlogged table', 'alter table invoices set unlogged', ['error table_unlogged public.invoices']],
    [
      'a table that was made a partition of another',
      `alter table invoices alter id drop identity;
       create table all_invoices (like invoices) partition by range (id);
       alter table all_invoices attach partition invoices for values from (1) to (1000000)`,
      ['error table_has_parent public.invoices'],
    ],
    [
      'a table that inherits from another',
      'create table parent (); alter table invoices inherit parent',
      ['error table_has_parent public.invoices'],
    ],
    [
      'a table that another inherits from',
      'create table child () inherits (invoices)',
      ['error table_has_child public.invoices'],
    ],
    [
      'a generated function that was given away',
      `alter function seqctl._attachment_1_settle() owner to pg_monitor`,
      ['error owner_function function seqctl._attachment_1_settle()'],
    ],
    [
      'a generated function that was changed',
      `update pg_proc set prosrc = 'begin return new; end' where oid = 'seqctl._attachment_1_settle()'::regprocedure`,
      ['error changed_function function seqctl._attachment_1_settle()'],
    ],
    [
      'a generated function with a setting, and one that lost its rights',
      `alter function seqctl._attachment_1_number() set search_path = public;
       alter function seqctl._attachment_1_settle() security invoker`,
      [
        'error changed_function function seqctl._attachment_1_number()',
        'error changed_function function seqctl._attachment_1_settle()',
      ],
    ],
    [
      'a generated function that everybody may use',
      'grant execute on function seqctl._attachment_1_number() to public',
      ['error grant_to_public function seqctl._attachment_1_number()'],
    ],
  ])('%s', (what, defect, findings) =>
    inDatabase(`${invoices} ${defect};`, async (database) => {
      const report = await verifyUrl(database.url);
      expect(report.findings.map(briefly), what).toEqual(findings);
      expect((await verifyUrl(database.url, 'invoice')).findings.length).toBeGreaterThanOrEqual(
        findings.length - (what.endsWith('another table') ? 1 : 0),
      );
    }),
  );

  test.each<[what: string, defect: string, findings: string[]]>([
    ...(['number', 'move', 'late'] as const).map((kind): [string, string, string[]] => [
      `a ${kind} disabled on one partition`,
      `alter table receipts_2026 disable trigger zz_seqctl_1_${kind}`,
      ['error trigger_disabled public.receipts_2026'],
    ]),
    [
      'no settle on a partition that late leaves out',
      'drop trigger zz_seqctl_1_settle on receipts_2025',
      ['error trigger_missing public.receipts_2025'],
    ],
    [
      'a partition made after attach',
      `create table receipts_2027 partition of receipts for values from ('2027-01-01') to ('2028-01-01');
       insert into receipts values ('2027-05-01')`,
      ['warning partition_without_settle public.receipts_2027'],
    ],
    [
      'the settle that a detached partition kept',
      `create table old (like receipts); ${untriggered('insert into old select * from receipts_2025; truncate receipts_2025; insert into receipts select * from old')};
       alter table receipts detach partition receipts_2025`,
      [
        'error trigger_extra public.receipts_2025',
        'error trigger_extra public.receipts_2025',
        'error counter_ahead receipt / 2025',
      ],
    ],
  ])('%s', (what, defect, findings) =>
    inDatabase(partitioned, async (database) => {
      await database.execute(defect);
      expect((await verifyUrl(database.url)).findings.map(briefly), what).toEqual(findings);
    }),
  );
});

test('of a series that has another table, the numbers of a dropped one are missing', () =>
  inDatabase(
    `${invoices}
    create table credits (id bigint generated always as identity, company_id text, issued_on date, number bigint);
    select seqctl.attach('credits', 'invoice', date_column => 'issued_on', group_columns => '{company_id}');
    insert into credits (company_id, issued_on) values ('acme', '2026-05-05');
    drop table credits`,
    async (database) => {
      expect((await verifyUrl(database.url)).findings.map(briefly)).toEqual([
        expect.stringMatching(/^error table_dropped table with oid \d+$/) as string,
        'error counter_ahead invoice / acme / 2026',
      ]);
    },
  ));

test.each([
  ['settle', 'rows come in unchecked'],
  ['protect', 'issued rows can be changed'],
  ['keep', 'issued rows can be deleted'],
  ['truncate', 'issued rows can be truncated away'],
])('a disabled %s: what it lets through', (kind, consequence) =>
  inDatabase(`${invoices} alter table invoices disable trigger zz_seqctl_1_${kind}`, async (database) => {
    const { findings } = await verifyUrl(database.url);
    expect(findings.map(({ what }) => what)).toEqual([
      `trigger zz_seqctl_1_${kind} is disabled: ${consequence}`,
    ]);
  }),
);

test('a dropped table can be detached as the hint says', () =>
  inDatabase(`${invoices} drop table invoices`, async (database) => {
    const { findings } = await verifyUrl(database.url);
    const oid = /seqctl detach (\d+) --number-column number/.exec(findings[0]?.hint ?? '')?.[1];
    await detach(settingsOf(database.url), oid ?? '', 'number', { dryRun: false, lockTimeoutMs: 0 });
    expect((await verifyUrl(database.url)).findings).toEqual([]);
  }));
