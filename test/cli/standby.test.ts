import { setTimeout } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { embeddedMajors } from '../../embedded/binaries.js';
import { type EmbeddedServer, startEmbeddedServer } from '../../embedded/server.js';
import { runCli } from '../support/cli.js';
import { urlOfDatabase, withClient } from '../support/connect.js';
import { createTemplate, templateName } from '../support/template.js';
import { invoices, partitioned, unprotectedInvoices, untriggered, verifyUrl } from '../support/verify.js';

/** A server that can have a standby, whatever server the other tests use. */
let primary: EmbeddedServer;
let standby: EmbeddedServer;
const databaseName = templateName('standby');

beforeAll(async () => {
  const major = embeddedMajors.find((known) => String(known) === process.env['SEQCTL_TEST_PG']) ?? 18;
  primary = await startEmbeddedServer({ major, durable: true });
  await createTemplate(primary.url, 'standby');
  await onPrimary(`
    ${unprotectedInvoices}
    ${partitioned}
    select seqctl.create_series('late', format => 'L{random:2}-{year}/{number:3}');
    create table late (id bigserial primary key, d date, state text, number bigint, doc text);
    select seqctl.attach('late', 'late', date_column => 'd', document_number_column => 'doc', assign => 'commit',
                         issue_when => $$state = 'issued'$$, chronology => 'enforce');
    insert into late (d, state) select date '2026-01-01' + n, case when n % 5 = 0 then 'draft' else 'issued' end from generate_series(1, 50) n;
    create table batch (id int primary key, d date, number bigint);
    select seqctl.attach('batch', 'receipt', date_column => 'd', assign => 'manual');
    insert into batch values (1, '2026-01-01');
    create table sealed (d date not null, number bigint);
    select seqctl.create_series('sealed', chain => true, on_checkout => 'recycle');
    select seqctl.attach('sealed', 'sealed', date_column => 'd');
    insert into sealed values ('2026-01-01'), ('2026-01-02');
    select seqctl.checkout('sealed', 'order-3', on_date => '2026-01-03', ttl => '30 days');
    insert into sealed values ('2026-01-04');
    select seqctl.void('invoice', 'acme', '2026-01-01', 2, reason => 'torn');
    select seqctl.close_period('receipt', '2025-05-01');`);
  standby = await startEmbeddedServer({ durable: true, standbyOf: primary });
}, 120_000);

afterAll(async () => {
  await standby.stop();
  await primary.stop();
});

const urlOf = (server: EmbeddedServer): string => urlOfDatabase(server.url, databaseName);

/** Runs it on the primary, and waits until the standby has it. */
async function onPrimary(sql: string): Promise<void> {
  const position = await withClient(urlOf(primary), async (client) => {
    await client.query(sql);
    const { rows } = await client.query<{ at: string }>('select pg_current_wal_flush_lsn()::text as at');
    return rows[0]?.at;
  });
  if ((standby as EmbeddedServer | undefined) === undefined) return;
  await withClient(standby.url, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ is_there: boolean }>(
        'select pg_last_wal_replay_lsn() >= $1::pg_lsn as is_there',
        [position],
      );
      if (rows[0]?.is_there === true) return;
      await setTimeout(20);
    }
  });
}

const reading = [
  ['verify'],
  ['verify', 'invoice', '--json'],
  ['gaps'],
  ['gaps', '--json'],
  ['lease', 'list', '--all'],
  ['chain-heads'],
  ['counters'],
  ['status'],
  ['series', 'list'],
  ['series', 'show', 'late'],
  ['version'],
  ['grant'],
];

/** What differs between the servers is their address. */
async function outputs(server: EmbeddedServer): Promise<unknown[]> {
  const results = [];
  for (const args of reading) {
    const { code, stdout, stderr } = await runCli(args, { url: urlOf(server) });
    results.push({ args, code, stdout: stdout.replaceAll(new URL(server.url).port, 'PORT'), stderr });
  }
  return results;
}

test('what reads says the same on a hot standby as on its primary, clean and damaged', async () => {
  const clean = await outputs(standby);
  expect(clean).toEqual(await outputs(primary));
  expect(clean.map((one) => (one as { code: number }).code)).toEqual(reading.map(() => 0));
  // It tells the time and the server.
  expect(await runCli(['report', '--format', 'json'], { url: urlOf(standby) })).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(await verifyUrl(urlOf(standby))).toMatchObject({ ok: true, errors: 0, warnings: 0 });

  await onPrimary(`
    delete from invoices where number in (2, 3);
    ${untriggered(`update late set d = '2026-01-01', doc = upper(doc) || '!' where number = 30`)}
    alter table late disable trigger user`);
  const damaged = await outputs(standby);
  expect(damaged).toEqual(await outputs(primary));
  expect((await verifyUrl(urlOf(standby))).findings.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining([
      'counter_ahead',
      'voided_numbers',
      'document_number_differs',
      'inverted_dates',
      'trigger_disabled',
    ]),
  );
});

test('a role of level read can do that there, too', async () => {
  await onPrimary(`
    create role standby_reader login password 'reader';
    select seqctl.grant_access('standby_reader', 'read');
    grant select on invoices to standby_reader`);
  const url = new URL(urlOf(standby));
  url.username = 'standby_reader';
  url.password = 'reader';
  const result = await runCli(['verify', 'invoice'], { url: url.href });
  expect(result).toMatchObject({ code: 1, stderr: '' });
  expect(result.stdout).toContain('number 2 is void: torn');
  await withClient(url.href, async (client) => {
    const { rows } = await client.query(`select * from seqctl.peek('invoice', 'zeta', '2026-02-02')`);
    expect(rows).toEqual([{ number: '2', document_number: 'INV-2026-00002' }]);
  });
});

test('what writes is refused there, and the error says that it is a standby', async () => {
  const writing = [
    ['install'],
    ['void', 'invoice', '--from', '1', '--group', 'zeta', '--date', '2026-01-01', '--reason', 'x'],
    ['close', 'invoice', '--date', '2026-01-01'],
    ['series', 'create', 'other'],
    ['number-pending', 'batch'],
  ];
  for (const args of writing) {
    const result = await runCli(args, { url: urlOf(standby) });
    expect(result, args.join(' ')).toMatchObject({ code: 4, stdout: '' });
    expect(result.stderr, args.join(' ')).toMatch(/standby/);
  }
});

test('after a failover numbering goes on where it was', async () => {
  await onPrimary(
    `alter table late enable trigger user; ${/insert into invoices[^;]*;/.exec(invoices)?.[0] ?? ''}`,
  );
  const counters = `select group_key, period, last_number from seqctl.counters where series = 'invoice' order by 1, 2`;
  const before = await withClient(urlOf(primary), (client) => client.query(counters));
  await withClient(urlOf(standby), async (client) => {
    await client.query('select pg_promote(wait => true)');
    expect((await client.query(counters)).rows).toEqual(before.rows);
    const { rows } = await client.query(
      `insert into invoices (company_id, issued_on) values ('zeta', '2026-05-05') returning number, document_number`,
    );
    expect(rows).toEqual([{ number: '3', document_number: 'INV-2026-00003' }]);
    await client.query(`insert into late (d, state) values ('2026-06-01', 'issued')`);
  });
  const { findings } = await verifyUrl(urlOf(standby), 'invoice');
  expect(findings.map(({ kind }) => kind)).toEqual(['missing_numbers', 'voided_numbers']);
});
