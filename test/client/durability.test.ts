import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Durability, withNumber, withTransaction } from '../../client/index.js';
import { install } from '../../cli/installer/install.js';
import { embeddedMajors } from '../../embedded/binaries.js';
import { type EmbeddedServer, startEmbeddedServer } from '../../embedded/server.js';
import { withClient } from '../support/connect.js';
import { settingsOf } from '../support/installer.js';
import { expectExactOn } from '../support/numbering.js';

// A server of its own, because it is killed. Its WAL writer is so lazy that what nobody waits for is lost.
let server: EmbeddedServer;

beforeAll(async () => {
  const major = embeddedMajors.find((known) => String(known) === process.env['SEQCTL_TEST_PG']) ?? 18;
  server = await startEmbeddedServer({
    major,
    durable: true,
    settings: { wal_writer_delay: '10s', wal_writer_flush_after: '1GB', wal_buffers: '64MB' },
  });
  await install(settingsOf(server.url));
  await withClient(server.url, (client) =>
    client.query(`
      create table invoices (id bigserial, company text, number bigint);
      create table taken (series text, group_key text, period date, number bigint);
      select seqctl.create_series('invoice', reset => 'never');
      select seqctl.attach('invoices', 'invoice', group_columns => '{company}');
      select seqctl.create_series('taken', reset => 'never')`),
  );
});

afterAll(() => server.stop());

/** Numbers of 8 clients until the server dies under them; those of which the clients were told. */
async function loadUntilDeath(durability: Durability): Promise<{ table: string; number: string }[]> {
  const pool = new pg.Pool({ connectionString: server.url, max: 8 });
  pool.on('error', () => undefined);
  const told: { table: string; number: string }[] = [];
  let isRunning = true;
  let crash: Promise<void> | undefined;
  const insert = async (client: pg.ClientBase): Promise<string> => {
    const { rows } = await client.query<{ number: string }>(
      `insert into invoices (company) values ('acme') returning number`,
    );
    return rows[0]?.number ?? '';
  };
  await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const table = index % 2 === 0 ? 'invoices' : 'taken';
      while (isRunning) {
        try {
          const number =
            table === 'invoices'
              ? await withTransaction(pool, { durability }, insert)
              : await withNumber(pool, { series: 'taken', durability }, async ({ number }, client) => {
                  await client.query(`insert into taken values ('taken', '', '-infinity', $1)`, [number]);
                  return String(number);
                });
          told.push({ table, number });
        } catch {
          return;
        }
        if (told.length === 400) {
          isRunning = false;
          crash = server.crash();
        }
      }
    }),
  );
  await crash;
  await pool.end();
  return told;
}

async function countLost(told: readonly { table: string; number: string }[]): Promise<number> {
  return withClient(server.url, async (client) => {
    await expectExactOn(client);
    const { rows } = await client.query<{ key: string }>(
      `select 'invoices ' || number as key from invoices union all select 'taken ' || number from taken`,
    );
    const stored = new Set(rows.map(({ key }) => key));
    return told.filter(({ table, number }) => !stored.has(`${table} ${number}`)).length;
  });
}

test.each(['group', 'commit'] as const)(
  'durability %s: every number that a client was told survives kill -9 of the server',
  async (durability) => {
    for (let crash = 0; crash < 2; crash += 1) {
      const told = await loadUntilDeath(durability);
      expect(told.length).toBeGreaterThanOrEqual(400);
      expect(await countLost(told)).toBe(0);
    }
  },
);

test('it waits for the synchronous standbys, too; COMMIT does not, and the counter is free', async () => {
  const pool = new pg.Pool({ connectionString: server.url, max: 4 });
  await waitForStandbysOf(`'nobody'`);
  let settled = 0;
  const written = Array.from({ length: 3 }, async () => {
    await withNumber(pool, { series: 'taken', durability: 'group' }, async ({ number }, client) => {
      await client.query('set local lock_timeout = 0');
      await client.query(`insert into taken values ('taken', '', '-infinity', $1)`, [number]);
    });
    settled += 1;
  });
  // All three are committed: none waits for the counter, and each for a standby that is not there.
  await untilWaiting(3);
  expect(settled).toBe(0);

  // Whoever gives up is told what is known.
  const controller = new AbortController();
  const given = { series: 'taken', durability: 'group', signal: controller.signal } as const;
  const impatient = withNumber(pool, given, async ({ number }, client) => {
    await client.query(`insert into taken values ('taken', '', '-infinity', $1)`, [number]);
  });
  impatient.catch(() => undefined);
  await untilWaiting(4);
  controller.abort();
  await expect(impatient).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', isCommitted: true });

  await waitForStandbysOf(`''`);
  await Promise.all(written);
  await pool.end();
  await withClient(server.url, expectExactOn);
});

/** Until so many calls of await_durable() wait for a standby. */
async function untilWaiting(calls: number): Promise<void> {
  const waiting = `select from pg_stat_activity where wait_event = 'SyncRep' and query ~ 'await_durable'`;
  await withClient(server.url, async (client) => {
    while ((await client.query(waiting)).rowCount !== calls) await delay(10);
  });
}

async function waitForStandbysOf(names: string): Promise<void> {
  await withClient(server.url, async (client) => {
    await client.query(`alter system set synchronous_standby_names = ${names}`);
    await client.query('select pg_reload_conf()');
    const shown = `select from pg_settings where name = 'synchronous_standby_names' and setting = ${names}`;
    while ((await client.query(shown)).rowCount !== 1) await delay(10);
  });
}

test('without await_durable() they would not, so that the test above means something', async () => {
  await withClient(server.url, (client) =>
    client.query(`alter function seqctl.await_durable() rename to kept;
      create function seqctl.await_durable() returns void language sql as ''`),
  );
  const told = await loadUntilDeath('group');
  expect(await countLost(told)).toBeGreaterThan(0);
});

test('on a standby: refused, with the next step', async () => {
  await writeFile(path.join(server.directory, 'data', 'standby.signal'), '');
  await server.crash();
  await withClient(server.url, async (client) => {
    await expect(client.query('select seqctl.kept()')).rejects.toMatchObject({
      code: '25006',
      message: 'await_durable() cannot be called on a standby',
      hint: 'Call it on the server that committed, best on the same connection.',
    });
  });
});
