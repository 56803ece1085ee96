import { clientCount, type Lab, secondsOf, shortCount } from '../lab.js';
import { interleave, type Measurement, type Samples } from '../measurement.js';
import { createNumberedTable, type Tables } from '../tables.js';
import { driveOneCounter } from './one-row.js';

/** What a hash chain costs: the same work by seqctl in a series that keeps one, which covers one more column, and in one that keeps none. */
export const chained: readonly Measurement[] = [
  ...[1, clientCount].map((clients): Measurement => ({
    work: () => `chain, ${clients} client${clients === 1 ? '' : 's'}, one counter`,
    rival: 'no chain',
    unit: 'rows/s',
    bar: null,
    goal: null,
    run: async (lab) => driveOneCounter(lab, clients, await createTables(lab, `chain_${clients}`)),
  })),
  ...[1, 100].map((groups): Measurement => ({
    work: ({ rows }) =>
      `chain, INSERT ${shortCount(rows)}, ${groups === 1 ? 'one group' : `${groups} groups`}`,
    rival: 'no chain',
    unit: 's',
    bar: null,
    goal: null,
    run: (lab) => measureBulk(lab, groups),
  })),
];

async function createTables(lab: Lab, name: string): Promise<Tables> {
  const tables = { seqctl: `${name}_with`, rival: `${name}_without` };
  await createNumberedTable(lab, tables.seqctl, 'insert', true);
  await createNumberedTable(lab, tables.rival);
  return tables;
}

/** Every round has a year, hence counters, of its own. */
async function measureBulk(lab: Lab, groups: number): Promise<Samples> {
  const tables = await createTables(lab, `chain_bulk_${groups}`);
  const side = (table: string) => (round: number) =>
    lab.withWireClient((client) =>
      secondsOf(() =>
        client.run(
          `insert into ${table} (company, issued_on, total)
           select 'company ' || n % ${groups}, '${2000 + round}-03-09', 100 from generate_series(1, ${lab.scale.rows}) n`,
        ),
      ),
    );
  return interleave(lab, { seqctl: side(tables.seqctl), rival: side(tables.rival) });
}
