/** What was not compared with a table is not said to be complete. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { type CliResult, runCli } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';
import { inDatabase, invoices } from '../support/verify.js';

const makeRole = useRoles();
const folder = mkdtempSync(path.join(tmpdir(), 'seqctl-compared-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Takes a table away, as its owner may; then detaches what is left of it. */
async function dropInvoices(database: TestDatabase): Promise<string> {
  const [table] = await database.rows<{ oid: string }>(`select 'invoices'::regclass::oid::text as oid`);
  await database.execute('drop table invoices');
  return table?.oid ?? '';
}

test('gaps says what it compared', () =>
  inDatabase(invoices, async (database) => {
    const { url } = database;
    const gaps = (...args: string[]): Promise<CliResult> => runCli(['gaps', ...args], { url });
    const complete = (text: string): CliResult => ({
      code: 0,
      stderr: '',
      stdout: `No number is missing: compared ${text}.\n`,
    });
    expect(await gaps()).toEqual(complete('5 numbers of 3 counters'));
    expect(await gaps('--group', 'acme')).toEqual(complete('4 numbers of 2 counters'));
    expect(await gaps('--series', 'invoice', '--group', 'acme', '--period', '2025')).toEqual(
      complete('1 number of 1 counter'),
    );
    expect(JSON.parse((await gaps('--period', '2026', '--json')).stdout)).toEqual({
      gaps: [],
      ok: true,
      unexplained: 0,
      explained: 0,
      omitted: 0,
      problems: [],
      counters: 2,
      numbers: '4',
      notCompared: [],
      numbersNotCompared: '0',
    });
    await database.execute(
      `select seqctl.create_series('hand'); select seqctl.next_number('hand', on_date => '2026-01-01')`,
    );
    expect(await gaps('--series', 'hand')).toEqual({
      code: 0,
      stderr: '',
      stdout: 'Not compared, because no table is attached: hand (1 number).\n\nNo number was compared.\n',
    });
  }));

test.each([
  [['--series', 'invoice', '--group', 'nosuch'], 'there is no counter of series "invoice" of group "nosuch"'],
  [['--group', 'nosuch'], 'there is no counter of group "nosuch"'],
  [['--group', 'zeta', '--period', '2025'], 'there is no counter of group "zeta" of period "2025"'],
  [['--period', '25'], 'there is no counter of period "25"'],
])('gaps %j: a misspelt counter does not pass for a complete one', (args, message) =>
  inDatabase(invoices, async ({ url }) => {
    expect(await runCli(['gaps', ...args], { url })).toEqual({
      code: 4,
      stdout: '',
      stderr:
        `error: ${message}\ndetail: Nothing was compared.\n` +
        'hint: Correct the group and the period: seqctl counters shows how they are written.\n',
    });
    expect(JSON.parse((await runCli(['gaps', '--json', ...args], { url })).stdout)).toMatchObject({
      error: { message },
    });
  }),
);

test('gaps of one period: those of the other are not listed', () =>
  inDatabase(
    `${invoices} alter table invoices disable trigger user; delete from invoices where number = 2 or issued_on < '2026-01-01'`,
    async ({ url }) => {
      const gapsOf = async (period: string): Promise<unknown> =>
        JSON.parse((await runCli(['gaps', '--json', '--period', period], { url })).stdout);
      expect(await gapsOf('2025')).toMatchObject({ unexplained: 1, gaps: [{ period: '2025', from: '1' }] });
      expect(await gapsOf('2026')).toMatchObject({ unexplained: 1, gaps: [{ period: '2026', from: '2' }] });
    },
  ));

test('gaps of several series are one table', () =>
  inDatabase(
    `select seqctl.create_series('a', reset => 'never'); create table a (number bigint); select seqctl.attach('a', 'a', protect => false);
     select seqctl.create_series('longer', reset => 'never'); create table b (number bigint); select seqctl.attach('b', 'longer', protect => false);
     insert into a select from generate_series(1, 3); insert into b select from generate_series(1, 3); delete from a where number = 2; delete from b where number = 2`,
    async ({ url }) => {
      const [titles = '', ...rows] = (await runCli(['gaps'], { url })).stdout.split('\n').slice(0, 3);
      expect(rows.map((row) => row.indexOf('unexplained'))).toEqual([
        titles.indexOf('STATE'),
        titles.indexOf('STATE'),
      ]);
    },
  ));

test('who may not read the table', async () => {
  const reader = await makeRole('auditor');
  await inDatabase(
    `${invoices} select seqctl.grant_access('${reader.name}', 'read'); select seqctl.create_series('order');
     create table orders (number bigint, d date); select seqctl.attach('orders', 'order', date_column => 'd')`,
    async (database) => {
      const url = database.urlAs(reader.name, reader.password);
      const out = path.join(folder, 'blind.html');
      expect(await runCli(['report', '--out', out], { url })).toEqual({
        code: 1,
        stderr: '',
        stdout: `No number was compared with a table; 2 errors, 0 warnings. The report is in ${out}.\n`,
      });
      const page = readFileSync(out, 'utf8')
        .replaceAll(/<[^>]*>|\s+/g, ' ')
        .replaceAll(/ +/g, ' ');
      expect(page).toContain('Missing without a reason not compared');
      expect(page).toContain('Series not compared 2');
      expect(page).not.toContain('no number yet');
      const csv = (await runCli(['report', '--format', 'csv'], { url })).stdout;
      expect(csv).toMatch(/\r\nseries,order,.*,0,not compared,/);
      const { stdout } = await runCli(['verify'], { url });
      expect(stdout).toMatch(/\ninvoice +3 +5 +not compared with public\.invoices\n/);

      await database.execute(`grant select on orders to ${reader.name}`);
      const some = await runCli(['report', '--out', out, '--json'], { url });
      expect(JSON.parse(some.stdout)).toMatchObject({ unexplained: '0', notCompared: 1 });
      expect((await runCli(['report', '--out', out], { url })).stdout).toMatch(
        /^No number is missing, but 1 series was not compared; 1 error, 0 warnings\. /,
      );
    },
  );
});

test('a table that was dropped, and detached then', () =>
  inDatabase(invoices, async (database) => {
    const { url } = database;
    const table = await dropInvoices(database);
    const dropped = await runCli(['verify'], { url });
    expect(dropped).toMatchObject({ code: 1 });
    expect(dropped.stdout).toMatch(new RegExp(`\\ninvoice +3 +5 +not compared with ${table}\\n`));
    expect((await runCli(['report', '--out', path.join(folder, 'x.html')], { url })).stdout).toMatch(
      /^No number was compared with a table; [23] errors, /,
    );
    expect(await runCli(['detach', table], { url })).toMatchObject({ code: 0 });
    const { code, stdout } = await runCli(['verify'], { url });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      / is as it should be: no table is attached to compare numbers with\. 1 series has no table: 5 numbers were compared with nothing\.\n$/,
    );
  }));

test('series with a table and without: verify counts what was compared with nothing', () =>
  inDatabase(
    `${invoices} select seqctl.create_series('hand'); select seqctl.next_number('hand', on_date => '2026-01-01')`,
    async ({ url }) => {
      expect((await runCli(['verify'], { url })).stdout).toMatch(
        / no number is missing, none is there twice\. 1 series has no table: 1 number was compared with nothing\.\n$/,
      );
    },
  ));

test('noted heads: none of them is no proof, and the number is said', () =>
  inDatabase(
    invoices.replace(`'INV-{year}-{number:5}'`, `'INV-{year}-{number:5}', chain => true`) +
      ` select seqctl.create_series('order')`,
    async ({ url }) => {
      const file = path.join(folder, 'heads.json');
      const check = (...args: string[]): Promise<CliResult> =>
        runCli(['verify', ...args, '--chain-heads', file], { url });
      writeFileSync(file, (await runCli(['chain-heads', '--json'], { url })).stdout);
      expect((await check()).stdout).toMatch(/\. 3 noted chain heads were compared\.\n$/);
      const other = await check('order');
      expect(other).toMatchObject({ code: 0 });
      expect(other.stdout).toMatch(
        /warning +series order +no chain was compared: the file has no head of this series +Name the file that /,
      );
      expect(other.stdout).toMatch(/ 0 noted chain heads were compared\. 1 warning\.\n$/);
      writeFileSync(file, '{"heads":[]}');
      expect(JSON.parse((await check('--json')).stdout)).toMatchObject({
        warnings: 1,
        headsCompared: 0,
        findings: [{ kind: 'no_heads_compared' }],
      });
    },
  ));
