import { type Lab, secondsOf, shortCount } from '../lab.js';
import { interleave, type Measurement, type Samples, type Side } from '../measurement.js';
import { type Assign, createTables, type Rival } from '../tables.js';

interface Plan {
  readonly form: 'INSERT … SELECT' | 'COPY';
  readonly groups: number;
  readonly rival: Rival;
  readonly assign?: Assign;
  /** Of the rows that the scale wants. */
  readonly share: number;
  readonly bar: number | null;
  readonly goal: number | null;
}

const plans: readonly Plan[] = [
  { form: 'INSERT … SELECT', groups: 1, rival: 'un-numbered', share: 1, bar: 2, goal: 1.5 },
  { form: 'COPY', groups: 1, rival: 'un-numbered', share: 1, bar: 2, goal: 1.5 },
  { form: 'INSERT … SELECT', groups: 100, rival: 'un-numbered', share: 1, bar: 3.5, goal: 2 },
  { form: 'COPY', groups: 100, rival: 'un-numbered', share: 1, bar: 3.5, goal: 2 },
  {
    form: 'INSERT … SELECT',
    groups: 1,
    rival: 'un-numbered',
    assign: 'commit',
    share: 1,
    bar: 3,
    goal: null,
  },
  // A tenth of the rows: at all of them the usual trigger takes a minute and more, a round.
  { form: 'INSERT … SELECT', groups: 1, rival: 'usual trigger', share: 0.1, bar: null, goal: null },
];

/** Many rows in one statement, of one group or of many at random. Every round has a year, hence counters, of its own. */
export const bulk: readonly Measurement[] = plans.map((plan, index) => ({
  work: ({ rows }) => `${plan.form} ${shortCount(rows * plan.share)}, ${describeGroups(plan)}`,
  rival: plan.rival,
  unit: 's',
  bar: plan.bar,
  goal: plan.goal,
  run: (lab) => measure(lab, plan, `bulk_${index}`),
}));

function describeGroups({ assign, groups }: Plan): string {
  if (assign === 'commit') return 'at commit';
  return groups === 1 ? 'one group' : `${groups} groups`;
}

async function measure(lab: Lab, plan: Plan, name: string): Promise<Samples> {
  const tables = await createTables(lab, name, plan.rival, plan.assign);
  const rows = makeRows(lab.scale.rows * plan.share, plan.groups);
  const givesNumber = plan.rival === 'un-numbered';
  const sides =
    plan.form === 'COPY'
      ? copySides(lab, tables, rows)
      : await selectSides(lab, name, tables, rows, givesNumber);
  return interleave(lab, sides);
}

interface Row {
  readonly company: string;
  /** What its number will be, for the table that has to be given one. */
  readonly number: number;
}

function makeRows(count: number, groups: number): Row[] {
  const last = new Array<number>(groups).fill(0);
  return Array.from({ length: count }, () => {
    const group = Math.floor(Math.random() * groups);
    const number = (last[group] ?? 0) + 1;
    last[group] = number;
    return { company: `company ${group}`, number };
  });
}

async function selectSides(
  lab: Lab,
  name: string,
  tables: { seqctl: string; rival: string },
  rows: readonly Row[],
  givesNumber: boolean,
): Promise<{ seqctl: Side; rival: Side }> {
  await lab.withClient(async (client) => {
    await client.query(`create table ${name}_source (company text not null, number bigint not null)`);
    await client.query(`insert into ${name}_source select * from unnest($1::text[], $2::bigint[])`, [
      rows.map((row) => row.company),
      rows.map((row) => row.number),
    ]);
    await client.query(`analyze ${name}_source`);
  });
  const side =
    (table: string, number: string): Side =>
    (round) =>
      lab.withWireClient((client) =>
        secondsOf(() =>
          client.run(
            `insert into ${table} (company, issued_on, total${number})
             select company, '${dateOf(round)}', 100${number} from ${name}_source`,
          ),
        ),
      );
  return { seqctl: side(tables.seqctl, ''), rival: side(tables.rival, givesNumber ? ', number' : '') };
}

function copySides(
  lab: Lab,
  tables: { seqctl: string; rival: string },
  rows: readonly Row[],
): { seqctl: Side; rival: Side } {
  const side =
    (table: string, columns: string, line: (row: Row, date: string) => string): Side =>
    (round) => {
      const chunks = chunksOf(rows.map((row) => line(row, dateOf(round))));
      return lab.withWireClient((client) =>
        secondsOf(() => client.copyIn(`copy ${table} (${columns}) from stdin`, chunks)),
      );
    };
  return {
    seqctl: side(tables.seqctl, 'company, issued_on, total', (row, date) => `${row.company}\t${date}\t100\n`),
    rival: side(
      tables.rival,
      'company, issued_on, total, number',
      (row, date) => `${row.company}\t${date}\t100\t${row.number}\n`,
    ),
  };
}

function chunksOf(lines: readonly string[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < lines.length; at += 2000)
    chunks.push(Buffer.from(lines.slice(at, at + 2000).join('')));
  return chunks;
}

function dateOf(round: number): string {
  return `${2000 + round}-03-09`;
}
