import { type Lab, secondsOf, shortCount } from '../lab.js';
import { interleave, type Measurement, type Samples } from '../measurement.js';
import { createTables, type Rival } from '../tables.js';
import { requestFor, type WireClient } from '../wire-client.js';

/** A round takes many seconds, so that few of them are enough, and all there is time for. */
const mostRounds = 2;

/** One-row statements of one client, each awaited before the next, all in one transaction. */
export const longTransaction: readonly Measurement[] = [
  {
    work: ({ rows }) => `${shortCount(rows)} INSERTs, one transaction`,
    rival: 'un-numbered',
    unit: 's',
    bar: null,
    goal: 3,
    run: (lab) => measureAgainst(lab, 'un-numbered', 1),
  },
  {
    work: ({ rows }) => `${shortCount(rows)} INSERTs, one transaction`,
    rival: 'a fifth of the rows',
    unit: 's',
    bar: 6,
    goal: null,
    run: measureGrowth,
  },
  {
    work: ({ rows }) => `${shortCount(rows / 5)} INSERTs, one transaction`,
    rival: 'usual trigger',
    unit: 's',
    bar: null,
    goal: null,
    run: (lab) => measureAgainst(lab, 'usual trigger', 0.2),
  },
];

async function measureAgainst(lab: Lab, rival: Rival, share: number): Promise<Samples> {
  const tables = await createTables(lab, `long_${rival.replace(/\W/g, '_')}`, rival);
  const count = lab.scale.rows * share;
  return lab.withWireClient(async (client) => {
    await client.prepare('seqctl', insertInto(tables.seqctl));
    await client.prepare(
      'rival',
      rival === 'un-numbered' ? insertNumberInto(tables.rival) : insertInto(tables.rival),
    );
    return interleave(
      lab,
      {
        seqctl: (round) => inOneTransaction(client, count, () => requestFor('seqctl', [dateOf(round)])),
        rival: (round) =>
          inOneTransaction(client, count, (index) =>
            requestFor('rival', [dateOf(round), ...(rival === 'un-numbered' ? [String(index + 1)] : [])]),
          ),
      },
      { rounds: Math.min(mostRounds, lab.scale.rounds), warmUp: false },
    );
  });
}

async function measureGrowth(lab: Lab): Promise<Samples> {
  const tables = await createTables(lab, 'long_growth', 'un-numbered');
  return lab.withWireClient(async (client) => {
    await client.prepare('seqctl', insertInto(tables.seqctl));
    const transaction = (year: number, count: number): Promise<number> =>
      inOneTransaction(client, count, () => requestFor('seqctl', [dateOf(year)]));
    return interleave(
      lab,
      {
        seqctl: (round) => transaction(round, lab.scale.rows),
        rival: (round) => transaction(100 + round, lab.scale.rows / 5),
      },
      { rounds: Math.min(3, lab.scale.rounds), warmUp: false },
    );
  });
}

function inOneTransaction(
  client: WireClient,
  count: number,
  request: (index: number) => Buffer,
): Promise<number> {
  return secondsOf(async () => {
    await client.run('begin');
    for (let index = 0; index < count; index += 1) await client.mustExecute(request(index));
    await client.run('commit');
  });
}

function insertInto(table: string): string {
  return `insert into ${table} (company, issued_on, total) values ('acme', $1, 100) returning number`;
}

function insertNumberInto(table: string): string {
  return `insert into ${table} (company, issued_on, total, number) values ('acme', $1, 100, $2) returning number`;
}

function dateOf(round: number): string {
  return `${2000 + round}-03-09`;
}
