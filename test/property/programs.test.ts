/**
 * Random programs over three named sessions, compared with a small model in memory.
 *
 *   SEQCTL_PROPERTY_RUNS=500 npx vitest run test/property    more programs (default 60)
 *   SEQCTL_PROPERTY_SEED=123 npx vitest run test/property    the same programs again; a failure prints its seed, and the
 *   SEQCTL_PROPERTY_PATH=4:1:0                               path to the smallest program that fails
 *
 * The steps of a program are taken one after the other, each by one session. When a step waits for a lock this is noted, and
 * its session takes no further step until it has its answer; so the order in which things happen is that of the program.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExactOn, makeInvoices } from '../support/numbering.js';
import type { Session } from '../support/session.js';
import { untriggered } from '../support/verify.js';

const database = useDatabase();

const runs = Number(process.env['SEQCTL_PROPERTY_RUNS'] ?? 60);
const seed = Number(process.env['SEQCTL_PROPERTY_SEED'] ?? Date.now() % 1_000_000_000);
const path = process.env['SEQCTL_PROPERTY_PATH'];

const sessionNames = ['A', 'B', 'C'] as const;
type SessionName = (typeof sessionNames)[number];

/** A row as the program means it; externals decide conflicts. */
interface Row {
  readonly company: string;
  readonly year: number;
  readonly external: string | null;
}

type Action =
  | { readonly kind: 'begin'; readonly level: string }
  | { readonly kind: 'commit' | 'rollback' | 'kill' }
  | { readonly kind: 'savepoint' | 'rollback to' | 'release'; readonly name: string }
  | {
      readonly kind: 'insert';
      readonly table: string;
      readonly form: 'values' | 'select' | 'cte' | 'do nothing' | 'do update' | 'prepared';
      readonly rows: readonly Row[];
    }
  | { readonly kind: 'fail'; readonly table: string; readonly rows: readonly Row[] }
  | { readonly kind: 'next_number'; readonly company: string; readonly year: number };

interface Step {
  readonly session: SessionName;
  readonly action: Action;
}

const row: fc.Arbitrary<Row> = fc.record({
  company: fc.constantFrom('acme', 'globex', 'odd "\u0001'),
  year: fc.constantFrom(2025, 2026),
  external: fc.option(fc.constantFrom('e1', 'e2', 'e3', 'e4', 'e5', 'e6'), { freq: 1 }),
});
const rows = fc.oneof(
  { weight: 2, arbitrary: fc.array(row, { minLength: 1, maxLength: 1 }) },
  { weight: 3, arbitrary: fc.array(row, { minLength: 2, maxLength: 6 }) },
);
const plain = fc.constantFrom('plain', 'other');
const target = fc.constantFrom('plain', 'plain', 'other', 'parts', 'parts_acme');
const savepoint = fc.constantFrom('s', 't');

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      level: fc.constantFrom('read committed', 'read committed', 'repeatable read', 'serializable'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit' as const, 'commit' as const, 'rollback' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('savepoint' as const, 'rollback to' as const, 'release' as const),
      name: savepoint,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      table: target,
      form: fc.constantFrom('values' as const, 'select' as const, 'cte' as const, 'prepared' as const),
      // Without an external nothing can conflict.
      rows: rows.map((list) => list.map((each) => ({ ...each, external: null }))),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      table: plain,
      form: fc.constantFrom('do nothing' as const, 'do update' as const),
      rows,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), table: target, rows }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('next_number' as const),
      company: fc.constantFrom('acme', 'globex'),
      year: fc.constantFrom(2025, 2026),
    }),
  },
);
const program: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ session: fc.constantFrom(...sessionNames), action }),
  {
    minLength: 4,
    maxLength: 35,
  },
);

/** What a session has done since its BEGIN, to be counted when it commits: rows that landed per 'series company year'. */
class Pending {
  readonly #landed: string[] = [];
  readonly #savepoints: { name: string; length: number }[] = [];

  add(keys: string[]): void {
    this.#landed.push(...keys);
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, length: this.#landed.length });
  }

  rollbackTo(name: string): void {
    const at = this.#savepoints.findLastIndex((each) => each.name === name);
    this.#landed.length = this.#savepoints[at]?.length ?? 0;
    this.#savepoints.length = at + 1;
  }

  release(name: string): void {
    this.#savepoints.length = this.#savepoints.findLastIndex((each) => each.name === name);
  }

  get keys(): readonly string[] {
    return this.#landed;
  }
}

/** One session of a program: its connection, and what the model knows of it. */
class Actor {
  pending: Pending | undefined;
  isFailed = false;
  waiting: Promise<void> | undefined;

  constructor(
    readonly name: SessionName,
    public session: Session,
  ) {}
}

interface Returned extends Record<string, unknown> {
  key: string;
  id: string;
  number: string;
}

const key = (table: string): string =>
  `'${table === 'plain' || table === 'other' ? 'plain' : 'parts'}|' || company || '|' || extract(year from issued_on)::int as key, id, number, document_number`;

function insertSql(at: Action & { kind: 'insert' | 'fail' }): { sql: string; values: unknown[] } {
  const values = [
    at.rows.map((r) => r.company),
    at.rows.map((r) => `${r.year}-05-05`),
    at.rows.map((r) => r.external),
  ];
  // A partition is written to directly with the rows that belong there.
  const company = at.table === 'parts_acme' ? `'acme'` : 'u.c';
  const source = `select ${company}, u.d, u.e from unnest($1::text[], $2::date[], $3::text[]) u (c, d, e)`;
  const into = `insert into ${at.table} (company, issued_on, external)`;
  const returning = `returning ${key(at.table)}`;
  if (at.kind === 'fail') return { sql: `${into} ${source} union all select 'acme', null, null`, values };
  switch (at.form) {
    case 'values': {
      const tuples = at.rows.map(
        (r) => `('${at.table === 'parts_acme' ? 'acme' : r.company}', '${r.year}-05-05', null)`,
      );
      return { sql: `${into} values ${tuples.join(', ')} ${returning}`, values: [] };
    }
    case 'cte':
      return {
        sql: `with a as (${into} ${source} ${returning}), b as (${into} ${source} limit 1 ${returning}) select * from a union all select * from b`,
        values,
      };
    case 'do nothing':
      return { sql: `${into} ${source} on conflict do nothing ${returning}`, values };
    case 'do update':
      return {
        // A row cannot be updated twice by one statement.
        sql: `${into} select distinct on (coalesce(u.e, u.c || u.d)) u.c, u.d, u.e from unnest($1::text[], $2::date[], $3::text[]) u (c, d, e)
          on conflict (external) do update set note = 'updated' returning ${key(at.table)}, note is null as is_new`,
        values,
      };
    default:
      return { sql: `${into} ${source} ${returning}`, values };
  }
}

/** Codes with which PostgreSQL ends a step that lost a race, or that was killed. */
const races = new Set(['40001', '40P01', '57P01']);

class World {
  /** Committed numbers a counter, as the model has them. */
  readonly committed = new Map<string, number>();
  readonly log: string[] = [];
  readonly actors: Map<SessionName, Actor>;

  constructor(
    actors: Actor[],
    private readonly monitor: Session,
  ) {
    this.actors = new Map(actors.map((actor) => [actor.name, actor]));
  }

  #commit(keys: readonly string[]): void {
    for (const each of keys) this.committed.set(each, (this.committed.get(each) ?? 0) + 1);
  }

  async take(step: Step): Promise<void> {
    const actor = this.actors.get(step.session);
    if (actor === undefined) return;
    if (step.action.kind === 'kill') {
      this.log.push(`${actor.name}: kill`);
      await actor.session.kill();
      await actor.waiting;
      actor.session = await openSession(actor.name);
      actor.pending = undefined;
      actor.isFailed = false;
      await this.#settle();
      return;
    }
    if (actor.waiting !== undefined) return;
    const work = this.#run(actor, step.action);
    actor.waiting = work.finally(() => (actor.waiting = undefined));
    await this.#settle();
  }

  /** Returns when every session has its answer or waits for another one. */
  async #settle(): Promise<void> {
    for (;;) {
      const busy = [...this.actors.values()].filter((actor) => actor.waiting !== undefined);
      if (busy.length === 0) return;
      if (await this.#allBlocked(busy)) return;
    }
  }

  async #allBlocked(busy: Actor[]): Promise<boolean> {
    const [blocked] = await this.monitor.rows<{ n: number }>(
      'select count(*)::int as n from unnest($1::int[]) p where cardinality(pg_blocking_pids(p)) > 0',
      [busy.map((actor) => actor.session.pid)],
    );
    // Two sessions that wait for each other are a deadlock, which PostgreSQL ends after a second.
    return blocked?.n === busy.length && busy.length < this.actors.size;
  }

  async #run(actor: Actor, at: Action): Promise<void> {
    const { session } = actor;
    const isOpen = actor.pending !== undefined;
    let sql: string;
    let values: unknown[] = [];
    switch (at.kind) {
      case 'begin':
        if (isOpen) return;
        sql = `begin isolation level ${at.level}`;
        break;
      case 'commit':
      case 'rollback':
        if (!isOpen) return;
        sql = at.kind;
        break;
      case 'savepoint':
      case 'release':
      case 'rollback to':
        if (!isOpen || (actor.isFailed && at.kind !== 'rollback to')) return;
        sql = `${at.kind} ${at.name}`;
        break;
      case 'next_number':
        if (actor.isFailed) return;
        sql = `insert into taken select 'plain', $1, make_date($2, 1, 1), seqctl.next_number('plain', $1, make_date($2, 5, 5))
          returning 'plain|' || group_key || '|' || extract(year from period)::int as key`;
        values = [at.company, at.year];
        break;
      case 'kill':
        return;
      default:
        if (actor.isFailed) return;
        ({ sql, values } = insertSql(at));
    }
    this.log.push(
      `${actor.name}: ${sql.replaceAll(/\s+/g, ' ')} ${values.length > 0 ? JSON.stringify(values) : ''}`,
    );
    try {
      const query =
        at.kind === 'insert' && at.form === 'prepared'
          ? { name: `${at.table} prepared`, text: sql, values }
          : { text: sql, ...(values.length > 0 ? { values } : {}) };
      const result = await session.client.query<Returned & { is_new?: boolean }>(query);
      this.#answered(actor, at, result.rows);
      this.log.push(`${actor.name}: -> ${result.rows.map((r) => `${r.key}|${r.number}`).join(', ')}`);
    } catch (error) {
      const { code = String(error) } = error as { code?: string };
      this.log.push(`${actor.name}: -> ${code}`);
      const isExpected =
        races.has(code) ||
        (at.kind === 'fail' && (code === 'SQ011' || code === '23505')) ||
        (code === '3B001' && (at.kind === 'rollback to' || at.kind === 'release')) ||
        String(error).includes('Connection terminated');
      if (!isExpected) throw error;
      if (code === '3B001' && actor.pending !== undefined) actor.isFailed = true;
      else if (at.kind === 'commit') actor.pending = undefined;
      else if (actor.pending !== undefined) actor.isFailed = true;
    }
  }

  #answered(actor: Actor, at: Action, returned: (Returned & { is_new?: boolean })[]): void {
    const { pending } = actor;
    switch (at.kind) {
      case 'begin':
        actor.pending = new Pending();
        actor.isFailed = false;
        break;
      case 'commit':
      case 'rollback':
        // COMMIT of a failed transaction is a ROLLBACK.
        if (at.kind === 'commit' && !actor.isFailed) this.#commit(pending?.keys ?? []);
        actor.pending = undefined;
        actor.isFailed = false;
        break;
      case 'savepoint':
        pending?.savepoint(at.name);
        break;
      case 'rollback to':
        pending?.rollbackTo(at.name);
        actor.isFailed = false;
        break;
      case 'release':
        pending?.release(at.name);
        break;
      case 'insert':
      case 'next_number': {
        const keys = returned.filter((each) => each.is_new !== false).map((each) => each.key);
        if (at.kind === 'insert' && !at.form.startsWith('do ')) {
          expect(keys.length).toBe(at.rows.length + (at.form === 'cte' ? 1 : 0));
        }
        if (pending === undefined) this.#commit(keys);
        else pending.add(keys);
        break;
      }
    }
  }

  /** Everything open is committed: first who waits for nobody, then who waited for it. */
  async finish(): Promise<void> {
    for (;;) {
      const open = [...this.actors.values()].filter(
        (actor) => actor.pending !== undefined || actor.waiting !== undefined,
      );
      if (open.length === 0) return;
      const free = open.find((actor) => actor.waiting === undefined);
      if (free === undefined) await this.#settle();
      else await this.take({ session: free.name, action: { kind: 'commit' } });
    }
  }

  /** The tables hold what the model holds, and seqctl's promise is kept. */
  async check(): Promise<void> {
    await expectExactOn(this.monitor.client);
    const stored = await this.monitor.rows<{ key: string; n: number }>(`
      select key, count(*)::int as n
      from (
        select 'plain|' || company || '|' || extract(year from issued_on)::int as key from plain
        union all select 'plain|' || company || '|' || extract(year from issued_on)::int from other
        union all select 'parts|' || company || '|' || extract(year from issued_on)::int from parts
        union all select 'plain|' || group_key || '|' || extract(year from period)::int from taken
      ) x group by 1`);
    expect(new Map(stored.map((each) => [each.key, each.n]))).toEqual(this.committed);
  }
}

/** A deadlock ends at once, not after a second. */
async function openSession(name: SessionName): Promise<Session> {
  const session = await database.session(name);
  await session.query(`set deadlock_timeout = '20ms'`);
  return session;
}

async function runProgram(steps: Step[]): Promise<void> {
  const monitor = await database.session('monitor');
  // Behind the triggers: issued rows are protected.
  await monitor.query(
    untriggered(
      'delete from plain; delete from other; delete from parts; delete from taken; delete from seqctl.counter',
    ),
  );
  const actors = await Promise.all(
    sessionNames.map(async (name) => new Actor(name, await openSession(name))),
  );
  const world = new World(actors, monitor);
  try {
    for (const step of steps) {
      await world.take(step);
      if (step.action.kind === 'commit') await world.check();
    }
    await world.finish();
    await world.check();
  } catch (error) {
    throw new Error(`${String(error)}\nWhat happened:\n  ${world.log.join('\n  ')}`, { cause: error });
  } finally {
    await database.closeSessions();
  }
}

test(
  `random programs, ${runs} of them`,
  async () => {
    await makeInvoices(database, 'plain');
    await makeInvoices(database, 'other', { sharedSeries: 'plain' });
    await makeInvoices(database, 'parts', {
      suffix: 'partition by list (company)',
      beforeAttach: `create table parts_acme partition of parts for values in ('acme')`,
    });
    await database.execute(`
      create table parts_late partition of parts default;
      create table taken (series text, group_key text, period date, number bigint)`);
    console.log(`SEQCTL_PROPERTY_SEED=${seed}`);
    await fc.assert(fc.asyncProperty(program, runProgram), {
      seed,
      numRuns: runs,
      ...(path === undefined ? {} : { path }),
      endOnFailure: false,
    });
  },
  120_000 + runs * 2000,
);
