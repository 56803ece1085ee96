import { expect, test } from 'vitest';

import { checkAccess, summarizeGrants } from '../../cli/verify/access.js';
import { diffInstallation } from '../../cli/verify/installation.js';
import { useRoles } from '../support/roles.js';
import { briefly, inDatabase, invoices, verifyUrl } from '../support/verify.js';

const makeRole = useRoles();

test('a fresh installation has no finding', () =>
  inDatabase('', async (database) => {
    const report = await verifyUrl(database.url);
    expect(report).toMatchObject({ ok: true, errors: 0, warnings: 0, findings: [], series: [] });
  }));

const peek = 'function seqctl.peek(text,text,date)';

test.each<[what: string, defect: string, findings: string[]]>([
  ['a function dropped', 'drop function seqctl.peek(text, text, date)', [`error missing_function ${peek}`]],
  [
    'a body',
    `update pg_proc set prosrc = 'begin return; end' where oid = 'seqctl.peek(text,text,date)'::regprocedure`,
    [`error changed_function ${peek}`],
  ],
  [
    'security',
    'alter function seqctl.peek(text,text,date) security invoker',
    [`error changed_function ${peek}`],
  ],
  ['search_path', 'alter function seqctl.peek(text,text,date) reset all', [`error changed_function ${peek}`]],
  ['volatility', 'alter function seqctl.peek(text,text,date) stable', [`error changed_function ${peek}`]],
  [
    'a parameter default',
    `update pg_proc set proargdefaults = null, pronargdefaults = 0 where oid = 'seqctl.peek(text,text,date)'::regprocedure`,
    [`error changed_function ${peek}`],
  ],
  [
    'a function added',
    `create function seqctl.peek(text) returns text language sql as 'select 1'; revoke all on function seqctl.peek(text) from public`,
    ['error extra_function function seqctl.peek(text)'],
  ],
  [
    'a generated function of no attachment',
    `create function seqctl._attachment_99_settle() returns trigger language plpgsql as 'begin end';
     revoke all on function seqctl._attachment_99_settle() from public`,
    ['error extra_function function seqctl._attachment_99_settle()'],
  ],
  [
    'a view',
    `create or replace view seqctl.counters as
     select ''::text as series, ''::text as group_key, ''::text as period, 1::bigint as first_number, 1::bigint as last_number,
       1::bigint as given, 1::bigint as max_number, date '2026-01-01' as period_start, false as closed`,
    ['error changed_view view seqctl.counters'],
  ],
  ['a version', `update seqctl.installation set version = '0.0.1'`, ['error version installed version']],
  ['a migration', 'delete from seqctl.migration', ['error missing_migration migration 0001_core']],
  ['a view dropped', 'drop view seqctl.counters', ['error missing_view view seqctl.counters']],
  [
    'a table added',
    'create table seqctl.mine (id integer primary key)',
    ['error extra_table table seqctl.mine'],
  ],
  [
    'a column added',
    'alter table seqctl.counter add note text',
    ['error extra_column column seqctl.counter.note'],
  ],
  [
    'a column dropped',
    'alter table seqctl.series drop purpose cascade',
    ['error missing_column column seqctl.series.purpose', 'error unchecked attached tables and numbers'],
  ],
  [
    'a column retyped',
    'alter table seqctl.series alter purpose type varchar(10)',
    ['error changed_column column seqctl.series.purpose'],
  ],
  [
    'a constraint dropped',
    'alter table seqctl.series drop constraint series_first_number_check',
    ['error missing_constraint constraint seqctl.series.series_first_number_check'],
  ],
  [
    'a constraint added',
    'alter table seqctl.series add constraint odd check (true)',
    ['error extra_constraint constraint seqctl.series.odd'],
  ],
  [
    'the key of the counters dropped',
    'alter table seqctl.counter drop constraint counter_pkey',
    [
      'error missing_constraint constraint seqctl.counter.counter_pkey',
      'error missing_index index seqctl.counter_pkey',
    ],
  ],
  [
    'an index added',
    'create index mine on seqctl.counter (last_number)',
    ['warning extra_index index seqctl.mine'],
  ],
  [
    'a trigger on a table of ours',
    `create trigger mine before update on seqctl.counter for each row execute function suppress_redundant_updates_trigger()`,
    ['error extra_trigger trigger mine on seqctl.counter'],
  ],
  [
    'a rule',
    'create rule mine as on update to seqctl.counter do instead nothing',
    ['error extra_rule rule mine on seqctl.counter'],
  ],
  [
    'row security and a policy',
    'alter table seqctl.counter enable row level security; create policy mine on seqctl.counter using (false)',
    ['error extra_policy policy mine on seqctl.counter', 'error changed_table table seqctl.counter'],
  ],
  [
    'foreign key triggers disabled',
    'alter table seqctl.attachment disable trigger all',
    ['error changed_foreign_key_trigger foreign key trigger attachment_series_id_fkey on seqctl.attachment'],
  ],
  [
    'unlogged',
    'alter table seqctl.installation set unlogged',
    ['error changed_table table seqctl.installation'],
  ],
  [
    'PUBLIC may use the schema',
    'grant usage on schema seqctl to public',
    ['error grant_to_public schema seqctl'],
  ],
  [
    'PUBLIC may call a function',
    'grant execute on function seqctl.peek(text,text,date) to public',
    [`error grant_to_public ${peek}`],
  ],
  [
    'PUBLIC may write a table',
    'grant update on seqctl.counter to public',
    ['error grant_to_public table seqctl.counter'],
  ],
  [
    'PUBLIC may read a column',
    'grant select (name) on seqctl.series to public',
    ['error grant_to_public table seqctl.series'],
  ],
])('finds %s, and nothing else', (what, defect, findings) =>
  inDatabase('', async (database) => {
    await database.execute(defect);
    const report = await verifyUrl(database.url);
    expect(report.findings.map(briefly).sort(), what).toEqual([...findings].sort());
    expect(report.findings.every((finding) => finding.what !== '' && finding.hint !== '')).toBe(true);
    expect(report.ok).toBe(findings.every((finding) => finding.startsWith('warning')));
  }),
);

test('finds another owner', async () => {
  const role = await makeRole('thief');
  await inDatabase(`alter function seqctl.version() owner to ${role.name}`, async (database) => {
    const { findings } = await verifyUrl(database.url);
    expect(findings.map(briefly)).toContain('error owner_function function seqctl.version()');
  });
});

test('the levels of grant_access are no finding; more than they give is, and part of one is a warning', async () => {
  const [reader, issuer, admin, extra, partial] = await Promise.all(
    ['reader', 'issuer', 'admin', 'extra', 'partial'].map(async (name) => (await makeRole(name)).name),
  );
  const setup = `
    select seqctl.grant_access('${reader ?? ''}', 'read');
    select seqctl.grant_access('${issuer ?? ''}', 'issue');
    select seqctl.grant_access('${admin ?? ''}', 'admin');
    select seqctl.grant_access('${extra ?? ''}', 'read');
    grant update on seqctl.counter to ${extra ?? ''};
    grant execute on function seqctl.peek(text, text, date) to ${extra ?? ''} with grant option;
    select seqctl.grant_access('${partial ?? ''}', 'read');
    grant execute on function seqctl.next_number(text, text, date) to ${partial ?? ''};`;
  await inDatabase(setup, async (database) => {
    const { findings } = await verifyUrl(database.url);
    expect(findings.map((finding) => `${briefly(finding)}: ${finding.what}`)).toEqual([
      `error grant_beyond_levels role ${extra ?? ''}: has EXECUTE on function seqctl.peek(text,text,date) with grant option, which no level gives`,
      `error grant_beyond_levels role ${extra ?? ''}: has UPDATE on table seqctl.counter, which no level gives`,
      `warning partial_grant role ${partial ?? ''}: has more than level read, less than the next`,
    ]);
    await database.execute(`drop owned by ${extra ?? ''}; drop owned by ${partial ?? ''}`);
    expect((await verifyUrl(database.url)).findings).toEqual([]);
  });
});

test('a role with level read runs it, and is told what it may not see', async () => {
  const reader = await makeRole('auditor');
  await inDatabase(`${invoices} select seqctl.grant_access('${reader.name}', 'read')`, async (database) => {
    const url = database.urlAs(reader.name, reader.password);
    const report = await verifyUrl(url);
    expect(report.findings.map(briefly)).toEqual(['error numbers_unchecked series invoice']);
    expect(report.findings[0]?.what).toContain('permission denied for table invoices');
    await database.execute(`grant select on invoices to ${reader.name}`);
    expect((await verifyUrl(url)).findings).toEqual([]);
    await database.execute(`alter table invoices enable row level security`);
    const hidden = await verifyUrl(url);
    expect(hidden.findings.map(briefly)).toEqual(['error numbers_unchecked series invoice']);
    expect(hidden.findings[0]?.what).toContain('row-level security');
  });
});

test('reads only, and waits for no writer', () =>
  inDatabase(invoices, async (database) => {
    const writer = await database.session('writer');
    await writer.query('begin');
    await writer.query(`insert into invoices (company_id, issued_on) values ('acme', '2026-02-01')`);
    await writer.query('lock table invoices in share row exclusive mode');
    const report = await verifyUrl(database.url);
    await writer.query('commit');
    expect(report.findings).toEqual([]);
  }));

test('the parts of a missing table are not reported one by one', () => {
  const table = { kind: 'table', name: 't', parent: null, properties: {} };
  const column = { kind: 'column', name: 't.c', parent: 'table t', properties: { type: 'text' } };
  expect(diffInstallation([table, column], []).map(briefly)).toEqual(['error missing_table table t']);
  const extra = [
    { ...table, owner: 'joe' },
    { ...column, owner: null },
  ];
  expect(diffInstallation([], extra).map(briefly)).toEqual(['error extra_table table t']);
});

test('levels are read from the rights', () => {
  const rights = { read: ['a'], issue: ['b'], admin: ['c', 'd'] };
  const grant = (grantee: string, granted: string): { grantee: string; right: string }[] =>
    granted.split('').map((right) => ({ grantee, right }));
  const grants = [
    ...grant('r', 'a'),
    ...grant('i', 'ab'),
    ...grant('x', 'abcdz'),
    ...grant('p', 'abc'),
    ...grant('n', 'b'),
  ];
  expect(summarizeGrants(rights, grants)).toEqual([
    { role: 'r', level: 'read', beyond: [], isPartial: false },
    { role: 'i', level: 'issue', beyond: [], isPartial: false },
    { role: 'x', level: 'admin', beyond: ['z'], isPartial: false },
    { role: 'p', level: 'issue', beyond: [], isPartial: true },
    { role: 'n', level: null, beyond: [], isPartial: true },
  ]);
  expect(checkAccess(rights, grant('PUBLIC', 'a')).map(briefly)).toEqual(['error grant_to_public ']);
});
