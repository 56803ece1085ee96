import { setTimeout as delay } from 'node:timers/promises';

import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { install } from '../../cli/installer/install.js';
import { embeddedMajors } from '../../embedded/binaries.js';
import { type EmbeddedServer, startEmbeddedServer } from '../../embedded/server.js';
import { settingsOf } from '../support/installer.js';
import { expectExactOn } from '../support/numbering.js';

// A server of its own, because it crashes.
let server: EmbeddedServer;

beforeAll(async () => {
  const major = embeddedMajors.find((known) => String(known) === process.env['SEQCTL_TEST_PG']) ?? 18;
  server = await startEmbeddedServer({ major, durable: true });
  await install(settingsOf(server.url));
});

afterAll(() => server.stop());

async function connect(): Promise<Client> {
  // While the server recovers it refuses connections.
  for (let attempt = 0; ; attempt += 1) {
    const client = new Client({ connectionString: server.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (attempt === 400) throw error;
      await delay(25);
    }
  }
}

test('kill -9 of a backend: the server recovers, and every counter is exact', async () => {
  const setup = await connect();
  await setup.query(`
    create table invoices (id bigserial, company text, number bigint);
    select seqctl.create_series('invoice', reset => 'never');
    select seqctl.attach('invoices', 'invoice', group_columns => '{company}')`);
  await setup.end();

  for (let crash = 0; crash < 2; crash += 1) {
    let answered = 0;
    const before = await connect();
    const [stored] = (await before.query<{ n: string }>('select count(*) as n from invoices')).rows;
    await before.end();
    const clients = await Promise.all(Array.from({ length: 8 }, connect));
    const pids = await Promise.all(
      clients.map(
        async (client) =>
          (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0,
      ),
    );
    let isRunning = true;
    const kill = (): void => {
      if (!isRunning) return;
      isRunning = false;
      process.kill(pids[7] ?? 0, 'SIGKILL');
    };
    const loads = clients.map(async (client, n) => {
      for (let k = 0; isRunning; k += 1) {
        try {
          await client.query(
            k % 3 === 0
              ? `insert into invoices (company) select 'c' || n % 3 from generate_series(1, 5) n`
              : `insert into invoices (company) values ('c${n % 2}')`,
          );
          answered += k % 3 === 0 ? 5 : 1;
          if (answered > 300) kill();
        } catch {
          return;
        }
      }
    });
    await Promise.all(loads);
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));

    const after = await connect();
    await expectExactOn(after);
    // What was answered is there; what was not may be.
    const [kept] = (await after.query<{ n: string }>('select count(*) as n from invoices')).rows;
    expect(Number(kept?.n)).toBeGreaterThanOrEqual(Number(stored?.n) + answered);
    await after.query(`insert into invoices (company) values ('c0'), ('c1'), ('c2')`);
    await expectExactOn(after);
    await after.end();
  }
});
