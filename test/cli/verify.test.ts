import { expect, test } from 'vitest';

import { runCli, startCli } from '../support/cli.js';
import { useDatabase } from '../support/database.js';
import { waitForBackend, waitUntilPidBlocked } from '../support/session.js';
import { unprotectedInvoices as invoices } from '../support/verify.js';

const database = useDatabase();

test('verify: clean, a warning, an error; as text and as JSON', async () => {
  const { url } = database;
  await database.execute(invoices);
  const clean = await runCli(['verify'], { url });
  expect(clean).toMatchObject({ code: 0, stderr: '' });
  expect(clean.stdout).toMatch(
    /^SERIES +COUNTERS +NUMBERS +COMPARED WITH\ninvoice +3 +5 +public\.invoices\n\nseqctl \S+ is as it should be: .*\n$/,
  );

  await database.execute('create index mine on seqctl.counter (last_number)');
  const warned = await runCli(['verify'], { url });
  expect(warned).toMatchObject({ code: 0, stderr: '' });
  expect(warned.stdout).toMatch(
    /^Installation\nSEVERITY +OBJECT +FINDING +NEXT STEP\nwarning +index seqctl\.mine +is not part of seqctl +Drop it/,
  );

  await database.execute(`delete from invoices where number = 2`);
  const failed = await runCli(['verify', 'invoice'], { url });
  expect(failed).toMatchObject({ code: 1, stderr: '' });
  expect(failed.stdout).toMatch(
    /\n\nNumbers\nSEVERITY .*\nerror +invoice \/ acme \/ 2026 +number 2 is missing, between 1 \(2026-01-01\) and 3 \(2026-01-04\) +Look for/,
  );
  expect(failed.stdout).toMatch(/\n1 error, 1 warning\.\n$/);

  const document = await runCli(['verify', '--json'], { url });
  expect(document).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse(document.stdout)).toMatchObject({
    ok: false,
    errors: 1,
    warnings: 1,
    findings: [
      { severity: 'warning', kind: 'extra_index' },
      {
        severity: 'error',
        area: 'numbers',
        kind: 'missing_numbers',
        counter: { series: 'invoice', group: 'acme', period: '2026', from: '2', to: '2' },
      },
    ],
    series: [{ name: 'invoice', tables: ['public.invoices'], counters: 3, numbers: '5', compared: true }],
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it at once', async (signal) => {
  const holder = await database.session('A');
  await holder.query('begin');
  await holder.query('lock table seqctl.attachment in access exclusive mode');
  const running = startCli(['verify'], { url: database.url });
  const pid = await waitForBackend(database.url, 'seqctl');
  await waitUntilPidBlocked(database.url, pid, 'seqctl verify', holder);
  running.child.kill(signal);
  const result = await running.result;
  expect(result).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringMatching(/^error: interrupted\n/) as string,
  });
  expect(await database.rows('select from pg_stat_activity where pid = $1', [pid])).toEqual([]);
  await holder.query('rollback');
});

test.each([['verify'], ['gaps'], ['report']])('%s says who it waits for', async (command) => {
  const holder = await database.session('the dropper');
  await holder.query('begin');
  await holder.query('lock table invoices in access exclusive mode');
  const running = startCli([command], { url: database.url });
  await waitUntilPidBlocked(
    database.url,
    await waitForBackend(database.url, 'seqctl'),
    `seqctl ${command}`,
    holder,
  );
  // The one that waits looks once a second who it is.
  await database.rows('select pg_sleep(2.5)');
  await holder.query('rollback');
  const { stderr } = await running.result;
  expect(stderr).toMatch(
    /^seqctl: waiting for a lock held by process \d+ \(the dropper, role \w+, idle in transaction\)\n$/,
  );
});
