import { clientCount, type Lab } from '../lab.js';
import { interleave, type Measurement, type Samples } from '../measurement.js';
import { findSlowFlushObstacle, slowFlushes } from '../slow-disk.js';
import { createTables } from '../tables.js';
import { requestFor } from '../wire-client.js';

const usual = { rival: 'usual trigger', unit: 'rows/s', bar: 0.9, goal: 1 } as const;

/** One client, also on a slower disk, and many on one counter: the lock is what is measured. */
export const oneRow: readonly Measurement[] = [
  { ...usual, work: () => '1 client, one counter', run: (lab) => measureOneCounter(lab, 1) },
  {
    ...usual,
    work: () => '1 client, 1 ms flush',
    obstacle: findSlowFlushObstacle,
    run: (lab) => measureOneCounter(lab, 1, true),
  },
  {
    ...usual,
    work: () => `${clientCount} clients, one counter`,
    run: (lab) => measureOneCounter(lab, clientCount),
  },
];

/** Many clients that seldom meet: the work per row is what is measured. */
export const manyCounters: Measurement = {
  work: () => `${clientCount} clients, 100 counters`,
  rival: 'un-numbered',
  unit: 'rows/s',
  bar: 0.7,
  goal: 0.9,
  run: measureManyCounters,
};

async function measureOneCounter(lab: Lab, clients: number, slowly = false): Promise<Samples> {
  const tables = await createTables(lab, `one_row_${clients}${slowly ? '_slowly' : ''}`, 'usual trigger');
  const insert = (table: string): string =>
    `insert into ${table} (company, issued_on, total) values ('acme', '2026-03-09', 100) returning number`;
  return lab.withWireClients(clients, async (connections) => {
    for (const connection of connections) {
      if (slowly) await connection.run(slowFlushes);
      await connection.prepare('seqctl', insert(tables.seqctl));
      await connection.prepare('rival', insert(tables.rival));
    }
    const side = (name: string) => {
      const request = requestFor(name);
      return () => lab.drive(connections, (connection) => connection.mustExecute(request));
    };
    return interleave(lab, { seqctl: side('seqctl'), rival: side('rival') });
  });
}

async function measureManyCounters(lab: Lab): Promise<Samples> {
  const tables = await createTables(lab, 'many_counters', 'un-numbered');
  const companies = Array.from({ length: 100 }, (_, index) => `company ${index}`);
  return lab.withWireClients(clientCount, async (connections) => {
    for (const connection of connections) {
      await connection.prepare(
        'seqctl',
        `insert into ${tables.seqctl} (company, issued_on, total) values ($1, '2026-03-09', 100) returning number`,
      );
      await connection.prepare(
        'rival',
        `insert into ${tables.rival} (company, issued_on, total, number) values ($1, '2026-03-09', 100, $2) returning number`,
      );
    }
    let given = 0;
    const anyCompany = (): string => companies[Math.floor(Math.random() * companies.length)] ?? '';
    return interleave(lab, {
      seqctl: () =>
        lab.drive(connections, (connection) => connection.mustExecute(requestFor('seqctl', [anyCompany()]))),
      rival: () =>
        lab.drive(connections, (connection) =>
          connection.mustExecute(requestFor('rival', [anyCompany(), String((given += 1))])),
        ),
    });
  });
}
