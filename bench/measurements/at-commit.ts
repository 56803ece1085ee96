import { clientCount, type Lab } from '../lab.js';
import { interleave, type Measurement, type Samples } from '../measurement.js';
import { createTables, oneRowInsert, rivalRows, type Rival } from '../tables.js';
import { requestFor } from '../wire-client.js';

/** Seconds that a transaction goes on working after its INSERT. */
const workTime = 0.005;

/** The usual trigger holds its lock during the work; numbered at commit, the counter is locked for the commit only. */
export const atCommit: readonly Measurement[] = (['usual trigger', 'un-numbered'] as const).map((rival) => ({
  work: () => `${clientCount} clients, ${workTime * 1000} ms work, at commit`,
  rival,
  unit: 'rows/s',
  ...(rival === 'usual trigger' ? { bar: 10, goal: null } : { bar: null, goal: 1 }),
  run: (lab: Lab) => measure(lab, rival),
}));

async function measure(lab: Lab, rival: Rival): Promise<Samples> {
  const tables = await createTables(lab, `at_commit_${rival.replace(/\W/g, '_')}`, rival, 'commit');
  return lab.withWireClients(clientCount, async (connections) => {
    for (const connection of connections) {
      await connection.prepare('begin', 'begin');
      await connection.prepare('work', `select pg_sleep(${workTime})`);
      await connection.prepare('commit', 'commit');
      await connection.prepare('seqctl', oneRowInsert(tables.seqctl));
      await connection.prepare('rival', oneRowInsert(tables.rival, rival));
    }
    const [begin, work, commit] = ['begin', 'work', 'commit'].map((name) => requestFor(name)) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    const numbered = requestFor('seqctl', ['acme']);
    const rowOf = rivalRows(rival);
    const transactions = (request: () => Buffer) => () =>
      lab.drive(connections, async (connection) => {
        await connection.mustExecute(begin);
        await connection.mustExecute(request());
        await connection.mustExecute(work);
        return connection.mustExecute(commit);
      });
    return interleave(lab, {
      seqctl: transactions(() => numbered),
      rival: transactions(() => requestFor('rival', rowOf('acme'))),
    });
  });
}
