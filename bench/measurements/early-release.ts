import type { Lab } from '../lab.js';
import { interleave, type Measurement, type Samples } from '../measurement.js';
import { findSlowFlushObstacle, slowFlushes } from '../slow-disk.js';
import { createTables, oneRowInsert, rivalRows, type Rival } from '../tables.js';
import { requestFor } from '../wire-client.js';

/** The usual trigger holds its lock during the flush; here it is gone before. Each row is acknowledged when it is on disk. */
export const earlyRelease: readonly Measurement[] = [16, 64].flatMap((clients) =>
  (['usual trigger', 'un-numbered'] as const).map((rival) => ({
    work: () => `${clients} clients, early lock release`,
    rival,
    unit: 'rows/s',
    ...(rival === 'usual trigger' ? { bar: 8, goal: null } : { bar: null, goal: 0.6 }),
    obstacle: findSlowFlushObstacle,
    run: (lab: Lab) => measure(lab, clients, rival),
  })),
);

async function measure(lab: Lab, clients: number, rival: Rival): Promise<Samples> {
  const tables = await createTables(lab, `early_${clients}_${rival.replace(/\W/g, '_')}`, rival);
  return lab.withWireClients(clients, async (connections) => {
    for (const connection of connections) {
      await connection.run(slowFlushes);
      await connection.prepare('seqctl', oneRowInsert(tables.seqctl));
      await connection.prepare('durable', 'select seqctl.await_durable()');
      await connection.prepare('rival', oneRowInsert(tables.rival, rival));
    }
    const setAll = async (setting: string): Promise<void> => {
      for (const connection of connections) await connection.run(`set synchronous_commit = ${setting}`);
    };
    const numbered = requestFor('seqctl', ['acme']);
    const durable = requestFor('durable');
    const rowOf = rivalRows(rival);
    return interleave(lab, {
      seqctl: async () => {
        await setAll('off');
        return lab.drive(connections, async (connection) => {
          await connection.mustExecute(numbered);
          return connection.mustExecute(durable);
        });
      },
      rival: async () => {
        await setAll('on');
        return lab.drive(connections, (connection) =>
          connection.mustExecute(requestFor('rival', rowOf('acme'))),
        );
      },
    });
  });
}
