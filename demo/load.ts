import { setTimeout as delay } from 'node:timers/promises';

import type { Client } from 'pg';

import { withConnection } from '../cli/connection/connect.js';
import type { ConnectionSettings } from '../cli/connection/settings.js';
import { sqlstateOf } from '../cli/errors.js';

export const clientCount = 16;
export const companies = ['acme', 'globex'] as const;
export const years = [2025, 2026] as const;

/** What happened to the load, counted as the clients saw it. */
export interface Tally {
  committed: number;
  rolledBack: number;
  savepoints: number;
  conflicts: number;
  failed: number;
  retries: number;
  killed: number;
}

export interface LoadOptions {
  readonly settings: ConnectionSettings;
  readonly table: string;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** A client of the load. */
interface Worker {
  pid: number;
  /** It has inserted and not committed: it holds numbers that must come back when it is killed. */
  holdsNumber: boolean;
}

/** A load that runs; `tally` grows while it does. */
export interface Load {
  readonly tally: Tally;
  readonly done: Promise<void>;
}

/**
 * Starts 16 clients that insert invoices in every way there is, while one after the other is killed: from then on that
 * client goes on with a new connection.
 */
export function startLoad(options: LoadOptions): Load {
  const tally: Tally = {
    committed: 0,
    rolledBack: 0,
    savepoints: 0,
    conflicts: 0,
    failed: 0,
    retries: 0,
    killed: 0,
  };
  const end = Date.now() + options.seconds * 1000;
  const isOver = (): boolean => Date.now() >= end || options.signal.aborted;
  const workers = Array.from({ length: clientCount }, (): Worker => ({ pid: 0, holdsNumber: false }));
  const killed = new Set<number>();
  const done = Promise.all([
    ...workers.map((worker) => runWorker(worker, options, tally, killed, isOver)),
    killWorkers(workers, options.settings, tally, killed, isOver),
  ]).then(() => options.signal.throwIfAborted());
  // It may fail while the caller is busy with showing progress.
  done.catch(() => undefined);
  return { tally, done };
}

async function runWorker(
  worker: Worker,
  { settings, table }: LoadOptions,
  tally: Tally,
  killed: ReadonlySet<number>,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    try {
      await withConnection(settings, async (client) => {
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        worker.pid = rows[0]?.pid ?? 0;
        while (!isOver()) await runAction(new Turn(client, table, tally, worker));
      });
    } catch (error) {
      if (!killed.has(worker.pid)) throw error;
    } finally {
      worker.holdsNumber = false;
    }
  }
}

async function runAction(turn: Turn): Promise<void> {
  try {
    await pick(actions)(turn);
  } catch (error) {
    const sqlstate = sqlstateOf(error);
    if (sqlstate === '23514') turn.tally.failed += 1;
    else if (sqlstate === '40P01' || sqlstate === '40001') turn.tally.retries += 1;
    else throw error;
    await turn.rollback();
  }
}

/** One action of one client: one or more statements about one company and year. */
class Turn {
  readonly company = pick(companies);
  readonly year = pick(years);

  constructor(
    readonly client: Client,
    readonly table: string,
    readonly tally: Tally,
    private readonly worker: Worker,
  ) {}

  async begin(): Promise<void> {
    await this.client.query('begin');
  }

  async commit(): Promise<void> {
    await this.client.query('commit');
    this.worker.holdsNumber = false;
    this.tally.committed += 1;
  }

  async rollback(): Promise<void> {
    await this.client.query('rollback');
    this.worker.holdsNumber = false;
  }

  /** Inserts invoices in one statement, all of this company and year unless told otherwise. */
  async insert(invoices: readonly Partial<Invoice>[], onConflict = ''): Promise<number> {
    const complete = invoices.map((invoice): Invoice => ({
      company: this.company,
      year: this.year,
      reference: null,
      total: 100,
      ...invoice,
    }));
    const places = complete.map((_invoice, index) => {
      const first = index * 4;
      return `($${first + 1}, $${first + 2}, $${first + 3}, $${first + 4})`;
    });
    const { rowCount } = await this.client.query(
      `insert into ${this.table} (company, issued_on, reference, total) values ${places.join(', ')} ${onConflict}`,
      complete.flatMap(({ company, year, reference, total }) => [company, dayOf(year), reference, total]),
    );
    this.worker.holdsNumber = true;
    return rowCount ?? 0;
  }

  /** A statement that is a transaction of its own. */
  async insertAlone(invoices: readonly Partial<Invoice>[], onConflict = ''): Promise<number> {
    const inserted = await this.insert(invoices, onConflict);
    this.worker.holdsNumber = false;
    this.tally.committed += 1;
    return inserted;
  }

  /** One of few, so that it is often there already. */
  reference(): string {
    return `${this.company} ${this.year} order ${random(2000)}`;
  }
}

interface Invoice {
  readonly company: string;
  readonly year: number;
  readonly reference: string | null;
  readonly total: number;
}

type Action = (turn: Turn) => Promise<void>;

const oneInsert: Action = async (turn) => {
  await turn.insertAlone([{}]);
};

/** In the order of their counters, as any program should lock what others lock, too. */
const rowsOfBothCompanies: Action = async (turn) => {
  const invoices = companies.flatMap((company) =>
    years.flatMap((year) => Array.from({ length: random(3) }, () => ({ company, year }))),
  );
  if (invoices.length > 0) await turn.insertAlone(invoices);
};

const rolledBack: Action = async (turn) => {
  await turn.begin();
  await turn.insert([{}]);
  if (random(2) === 0) await turn.insert([{}, {}]);
  await turn.rollback();
  turn.tally.rolledBack += 1;
};

const savepoint: Action = async (turn) => {
  await turn.begin();
  await turn.insert([{}]);
  await turn.client.query('savepoint attempt');
  await turn.insert([{}, {}]);
  await turn.client.query('rollback to attempt');
  turn.tally.savepoints += 1;
  await turn.insert([{}]);
  await turn.commit();
};

const conflictIgnored: Action = async (turn) => {
  const inserted = await turn.insertAlone(
    [{}, { reference: turn.reference() }, {}],
    'on conflict do nothing',
  );
  turn.tally.conflicts += 3 - inserted;
};

const conflictUpdates: Action = async (turn) => {
  const { rows } = await turn.client.query<{ updated: boolean }>(
    `insert into ${turn.table} as i (company, issued_on, reference, total) values ($1, $2, $3, 50)
     on conflict (reference) do update set total = i.total + 1 returning i.total <> 50 as updated`,
    [turn.company, dayOf(turn.year), turn.reference()],
  );
  turn.tally.committed += 1;
  if (rows[0]?.updated === true) turn.tally.conflicts += 1;
};

/** The last row breaks a check, after the others had their numbers. */
const failing: Action = async (turn) => {
  await turn.insert([{}, {}, { total: -1 }]);
};

const slow: Action = async (turn) => {
  await turn.begin();
  await turn.insert([{}]);
  await turn.client.query('select pg_sleep(0.02)');
  await turn.commit();
};

/** As often as they stand here. */
const actions: readonly Action[] = [
  ...[oneInsert, oneInsert, oneInsert, oneInsert, oneInsert, oneInsert],
  ...[rowsOfBothCompanies, rowsOfBothCompanies],
  ...[rolledBack, rolledBack, savepoint, savepoint],
  ...[conflictIgnored, conflictIgnored, conflictUpdates, conflictUpdates],
  ...[failing, slow],
];

const killEveryMs = 150;

/** Kills backends one by one, by preference such as have inserted and not committed. */
async function killWorkers(
  workers: readonly Worker[],
  settings: ConnectionSettings,
  tally: Tally,
  killed: Set<number>,
  isOver: () => boolean,
): Promise<void> {
  await withConnection(settings, async (client) => {
    for (;;) {
      await delay(killEveryMs);
      if (isOver()) return;
      const alive = workers.filter(({ pid }) => pid !== 0 && !killed.has(pid));
      const holding = alive.filter(({ holdsNumber }) => holdsNumber);
      const victim = pickFrom(holding) ?? pickFrom(alive);
      if (victim === undefined) continue;
      killed.add(victim.pid);
      await client.query('select pg_terminate_backend($1)', [victim.pid]);
      tally.killed += 1;
    }
  });
}

function dayOf(year: number): string {
  return `${year}-${String(1 + random(12)).padStart(2, '0')}-15`;
}

/** 0 … below - 1 */
function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function pickFrom<T>(values: readonly T[]): T | undefined {
  return values[random(values.length)];
}

function pick<T>(values: readonly [T, ...T[]] | readonly T[]): T {
  const value = pickFrom(values);
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}
