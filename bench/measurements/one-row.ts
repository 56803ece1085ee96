import { clientCount, type Lab } from '../lab.js';
import { interleave, type Measurement, type Samples } from '../measurement.js';
import { findSlowFlushObstacle, slowFlushes } from '../slow-disk.js';
import { createTables, oneRowInsert, rivalRows, type Rival, type Tables } from '../tables.js';
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

/** Many clients that seldom meet: the work per row is what is measured, and how much of it is the usual trigger's, too. */
export const manyCounters: readonly Measurement[] = (['un-numbered', 'usual trigger'] as const).map(
  (rival) => ({
    work: () => `${clientCount} clients, 100 counters`,
    rival,
    unit: 'rows/s',
    ...(rival === 'un-numbered' ? { bar: 0.7, goal: 0.9 } : { bar: null, goal: null }),
    run: (lab: Lab) => measureManyCounters(lab, rival),
  }),
);

async function measureOneCounter(lab: Lab, clients: number, slowly = false): Promise<Samples> {
  const tables = await createTables(lab, `one_row_${clients}${slowly ? '_slowly' : ''}`, 'usual trigger');
  return driveOneCounter(lab, clients, tables, slowly);
}

/** Rows of one company, both sides by the same statement. */
export async function driveOneCounter(
  lab: Lab,
  clients: number,
  tables: Tables,
  slowly = false,
): Promise<Samples> {
  return lab.withWireClients(clients, async (connections) => {
    for (const connection of connections) {
      if (slowly) await connection.run(slowFlushes);
      await connection.prepare('seqctl', oneRowInsert(tables.seqctl));
      await connection.prepare('rival', oneRowInsert(tables.rival));
    }
    const side = (name: string) => {
      const request = requestFor(name, ['acme']);
      return () => lab.drive(connections, (connection) => connection.mustExecute(request));
    };
    return interleave(lab, { seqctl: side('seqctl'), rival: side('rival') });
  });
}

async function measureManyCounters(lab: Lab, rival: Rival): Promise<Samples> {
  const tables = await createTables(lab, `many_counters_${rival.replace(/\W/g, '_')}`, rival);
  const companies = Array.from({ length: 100 }, (_, index) => `company ${index}`);
  return lab.withWireClients(clientCount, async (connections) => {
    for (const connection of connections) {
      await connection.prepare('seqctl', oneRowInsert(tables.seqctl));
      await connection.prepare('rival', oneRowInsert(tables.rival, rival));
    }
    const rowOf = rivalRows(rival);
    const anyCompany = (): string => companies[Math.floor(Math.random() * companies.length)] ?? '';
    return interleave(lab, {
      seqctl: () =>
        lab.drive(connections, (connection) => connection.mustExecute(requestFor('seqctl', [anyCompany()]))),
      rival: () =>
        lab.drive(connections, (connection) =>
          connection.mustExecute(requestFor('rival', rowOf(anyCompany()))),
        ),
    });
  });
}
