import { clientCount, type Lab } from './lab.js';
import { median } from './measurement.js';
import { type Census, createNumberedTable, tableDefinition, takeCensus, usualTrigger } from './tables.js';
import { requestFor, type WireClient, type WireError } from './wire-client.js';

/**
 * Of the transactions that are rolled back after their INSERT, as an application does when something else fails: the
 * first of a round, then every tenth, so that the shortest round has some.
 */
export const rollbackShare = 0.1;

/** A way people number documents. All transactions are: begin, what comes before, insert, commit or rollback. */
interface Way {
  readonly name: string;
  readonly begin?: string;
  readonly before?: (table: string) => string;
  /** Expression of the number; none where the table finds it. */
  readonly number?: (table: string) => string;
  create(lab: Lab, table: string): Promise<void>;
}

export interface WayResult extends Census {
  readonly name: string;
  /** Committed rows a second, the median round. */
  readonly rowsPerSecond: number;
  readonly samples: readonly number[];
  readonly rollbacks: number;
  /** Transactions that failed and were run again. */
  readonly retries: number;
}

const nextByMax = (table: string): string =>
  `(select coalesce(max(number), 0) + 1 from ${table} where company = 'acme')`;
const uniqueIndex = (table: string): string => `create unique index on ${table} (company, number);`;
const plainIndex = (table: string): string => `create index on ${table} (company, number);`;

export const ways: readonly Way[] = [
  { name: 'seqctl', create: createNumberedTable },
  {
    name: 'usual counter trigger',
    create: createWith((table) => uniqueIndex(table) + usualTrigger(table)),
  },
  {
    name: 'LOCK TABLE, max() + 1',
    before: (table) => `lock table ${table} in exclusive mode`,
    number: nextByMax,
    create: createWith(uniqueIndex),
  },
  {
    name: 'SERIALIZABLE, max() + 1',
    begin: 'begin isolation level serializable',
    number: nextByMax,
    create: createWith(uniqueIndex),
  },
  { name: 'max() + 1, retries', number: nextByMax, create: createWith(uniqueIndex) },
  { name: 'max() + 1, no key', number: nextByMax, create: createWith(plainIndex) },
  {
    name: 'SEQUENCE',
    create: createWith(
      (table) => `${uniqueIndex(table)}
        create sequence ${table}_number;
        alter table ${table} alter column number set default nextval('${table}_number')`,
    ),
  },
];

/** All ways in turns, round after round; then what each left in its table is counted. */
export async function compareWays(lab: Lab, onProgress: (text: string) => void): Promise<WayResult[]> {
  const runs = ways.map((way, index) => ({
    way,
    table: `way_${index}`,
    samples: [] as number[],
    rollbacks: 0,
    retries: 0,
  }));
  for (const { way, table } of runs) await way.create(lab, table);
  const rounds = Math.min(3, lab.scale.rounds);
  for (let round = 1; round <= rounds; round += 1) {
    onProgress(`the ways people do it, round ${round} of ${rounds}`);
    for (const run of runs) {
      const { rate, rollbacks, retries } = await runRound(lab, run.way, run.table);
      run.samples.push(rate);
      run.rollbacks += rollbacks;
      run.retries += retries;
    }
  }
  const results: WayResult[] = [];
  for (const { way, table, samples, rollbacks, retries } of runs) {
    const census = await takeCensus(lab, table);
    results.push({ name: way.name, rowsPerSecond: median(samples), samples, rollbacks, retries, ...census });
  }
  return results;
}

async function runRound(
  lab: Lab,
  way: Way,
  table: string,
): Promise<{ rate: number; rollbacks: number; retries: number }> {
  return lab.withWireClients(clientCount, async (clients) => {
    const before = way.before?.(table);
    for (const client of clients) {
      await client.prepare('begin', way.begin ?? 'begin');
      await client.prepare('commit', 'commit');
      await client.prepare('rollback', 'rollback');
      if (before !== undefined) await client.prepare('before', before);
      await client.prepare('insert', insertStatement(way, table));
    }
    const start = requestFor('begin');
    const end = { commit: requestFor('commit'), rollback: requestFor('rollback') };
    const work = [...(before === undefined ? [] : [requestFor('before')]), requestFor('insert')];

    let inserted = 0;
    let rollbacks = 0;
    let retries = 0;
    const rate = await lab.drive(clients, async (client) => {
      let outcome: keyof typeof end = 'commit';
      let error = await runAll(client, [start, ...work]);
      if (error === undefined) {
        if (inserted % (1 / rollbackShare) === 0) outcome = 'rollback';
        inserted += 1;
        error = await client.execute(end[outcome]);
      }
      if (error === undefined) {
        if (outcome === 'rollback') rollbacks += 1;
        return outcome === 'commit';
      }
      // Serialization failure, deadlock, number taken by another: the application tries again.
      if (!['40001', '40P01', '23505'].includes(error.sqlstate)) throw error;
      await client.mustExecute(end.rollback);
      retries += 1;
      return false;
    });
    return { rate, rollbacks, retries };
  });
}

/** One after the other, each awaited, as an application does; up to the first error. */
async function runAll(client: WireClient, requests: readonly Buffer[]): Promise<WireError | undefined> {
  for (const request of requests) {
    const error = await client.execute(request);
    if (error !== undefined) return error;
  }
  return undefined;
}

function insertStatement(way: Way, table: string): string {
  const number = way.number?.(table);
  return `
    insert into ${table} (company, issued_on, total${number === undefined ? '' : ', number'})
    values ('acme', '2026-03-09', 100${number === undefined ? '' : `, ${number}`})
    returning number`;
}

function createWith(more: (table: string) => string): Way['create'] {
  return (lab, table) =>
    lab.withClient(async (client) => {
      await client.query(`${tableDefinition(table)}; ${more(table)}`);
    });
}
