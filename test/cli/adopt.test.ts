import { expect, test } from 'vitest';

import { type CliResult, runCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();

const run = (...args: string[]): Promise<CliResult> => runCli(['adopt', ...args], { url: database.url });

async function makeOld(name: string, rows: string): Promise<string[]> {
  await database.rows(`select seqctl.create_series('${name}', format => 'INV-{year}-{number:3}')`);
  await database.execute(`
    create table ${name} (id bigserial primary key, company text, issued_on date, number bigint, doc text);
    insert into ${name} (company, issued_on, doc) ${rows}`);
  return [
    name,
    '--series',
    name,
    '--date-column',
    'issued_on',
    '--group-columns',
    'company',
    '--document-number-column',
    'doc',
  ];
}

test('report, then --apply: what a user sees', async () => {
  const args = await makeOld(
    'shop',
    `select 'acme', date '2025-01-01' + n, 'INV-2025-' || lpad(n::text, 3, '0') from generate_series(3, 12) n where n not in (5, 9)
     union all values ('globex', date '2025-02-02', 'INV-2025-002'), ('globex', '2025-01-01', 'INV-2025-003')`,
  );
  const counters =
    'GROUP   PERIOD  NUMBERS  FROM  NEXT\nacme    2025          8     3    13\nglobex  2025          2     2     4\n';
  const report = await run(...args, '--max-findings', '2');
  expect(report).toMatchObject({ code: 0, stderr: '' });
  expect(report.stdout).toBe(
    'SEVERITY  FINDING    GROUP   PERIOD  DETAIL\n' +
      'warning   gap        acme    2025    numbers 1 to 2 are missing (2)\n' +
      'warning   gap        acme    2025    number 5 is missing\n' +
      'warning   inversion  globex  2025    number 2 is dated 2025-02-02, number 3 2025-01-01\n' +
      '… and 2 more: warning gap\n\n' +
      counters +
      '\npublic.shop: 10 numbers in 2 counters; 10 of them would be read out of doc.\n\n' +
      '--apply --reason … would record 4 gaps as before adoption, set the counters and attach the table. ' +
      'This was a report: nothing was changed.\n',
  );
  expect(await database.rows('select from shop where number is not null')).toEqual([]);
  expect(await database.rows('select from seqctl.attachment')).toEqual([]);

  expect((await run(...args, '--chronology', 'enforce')).stdout).toContain(
    '--apply --reason … would record 4 gaps as before adoption, accept 1 inversion, set the counters and attach the table.',
  );

  const json = await run(...args, '--json');
  expect(json).toMatchObject({ code: 0, stderr: '' });
  const document = JSON.parse(json.stdout) as { findings: unknown[] };
  expect(document).toMatchObject({ target: 'public.shop', applied: false });
  expect(document.findings[0]).toEqual({
    severity: 'warning',
    finding: 'gap',
    group: 'acme',
    period: '2025',
    from: '1',
    to: '2',
    documentNumber: null,
    rows: '2',
    detail: 'numbers 1 to 2 are missing (2)',
    total: '4',
  });

  for (const reason of [[], ['--reason', ' ']]) {
    expect(await run(...args, '--apply', ...reason)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('error: --apply needs a --reason\nhint: ') as string,
    });
  }
  const applied = await run(...args, '--apply', '--reason', 'from the old shop');
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  expect(applied.stdout).toContain(
    `\n\n${counters}\npublic.shop: 10 numbers in 2 counters; 10 of them were read out of doc.\n\n` +
      'adopted: public.shop.number is numbered from series shop; index shop_number_seqctl_key backs it.\n',
  );
  expect(
    await database.rows(`insert into shop (company, issued_on) values ('acme', '2025-12-31') returning doc`),
  ).toEqual([{ doc: 'INV-2025-013' }]);
  expect(await database.rows(`select count(*)::int as n, min(reason) as reason from seqctl.voids`)).toEqual([
    { n: 4, reason: 'from the old shop' },
  ]);
  expect(await run(...args)).toMatchObject({ code: 4, stderr: expect.stringContaining('[SQ007]') as string });
});

test('errors: the report exits with 1, --apply with 4, and nothing is changed; control characters are shown as such', async () => {
  const args = await makeOld(
    'broken',
    `values ('acme', date '2025-01-01', 'INV-2025-001'), ('acme', '2025-01-01', 'INV-2025-001'), ('acme', '2025-01-01', E'\\x1b[31m<b>red</b>')`,
  );
  const report = await run(...args);
  expect(report).toMatchObject({ code: 1, stderr: '' });
  expect(report.stdout).toContain('number 1 stands on 2 rows\n');
  expect(report.stdout).toContain(`no number can be read out of '\\u{1b}[31m<b>red</b>'\n`);
  expect(report.stdout).toMatch(/\n2 errors must be corrected first; nothing was changed\.\n$/);
  const applied = await run(...args, '--apply', '--reason', 'x', '--json');
  expect(applied.code).toBe(4);
  expect(JSON.parse(applied.stdout)).toMatchObject({
    error: {
      sqlstate: 'SQ030',
      message: `public.broken cannot be adopted: 3 rows are not as series 'broken' needs them`,
    },
  });
  expect(await database.rows('select from broken where number is not null')).toEqual([]);
});

test('no such table, no such series, a view, a role without rights', async () => {
  await makeOld('fine', `values ('acme', date '2025-01-01', 'INV-2025-001')`);
  await database.execute('create view fine_view as select * from fine');
  const series = ['--series', 'fine', '--date-column', 'issued_on'];
  expect(await run('nothing', ...series)).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('no such table') as string,
  });
  expect(await run('fine', '--series', 'none')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('[SQ001]') as string,
  });
  expect(await run('fine_view', ...series)).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('fine_view is a view') as string,
  });
  const nobody = await makeRole('nobody');
  const url = database.urlAs(nobody.name, nobody.password);
  expect(await runCli(['adopt', 'fine', ...series], { url })).toMatchObject({ code: 4, stdout: '' });
});
