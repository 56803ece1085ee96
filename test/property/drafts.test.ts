/**
 * Random programs of one session over drafts: three tables of one series, numbered by the UPDATE, by the COMMIT and by number_pending(),
 * compared with a model in memory. SEQCTL_PROPERTY_RUNS, _SEED and _PATH as in programs.test.ts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { makeDocuments } from '../support/drafts.js';
import { expectExactOn } from '../support/numbering.js';
import type { Session } from '../support/session.js';
import { untriggered } from '../support/verify.js';

const database = useDatabase();

const runs = Number(process.env['SEQCTL_PROPERTY_RUNS'] ?? 60);
const seed = Number(process.env['SEQCTL_PROPERTY_SEED'] ?? Date.now() % 1_000_000_000);
const path = process.env['SEQCTL_PROPERTY_PATH'];

const tables = ['now', 'late', 'batch'] as const;
type Table = (typeof tables)[number];

type Step =
  | {
      readonly kind: 'insert';
      readonly table: Table;
      readonly issued: readonly boolean[];
      readonly company: number;
    }
  | {
      readonly kind: 'issue' | 'delete' | 'move';
      readonly table: Table;
      readonly modulus: number;
      readonly company: number;
    }
  | { readonly kind: 'pending'; readonly table: Table; readonly most: number | null }
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'rollback to' | 'immediate' };

const table = fc.constantFrom(...tables);
const company = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      table,
      company,
      issued: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('issue' as const, 'issue' as const, 'delete' as const, 'move' as const),
      table,
      company,
      modulus: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pending' as const),
      table,
      most: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'begin' as const,
        'begin' as const,
        'commit' as const,
        'commit' as const,
        'rollback' as const,
        'savepoint' as const,
        'rollback to' as const,
        'immediate' as const,
      ),
    }),
  },
);

interface Row {
  readonly table: Table;
  issued: boolean;
  numbered: boolean;
}

class Model {
  rows = new Map<number, Row>();
  isOpen = false;
  isImmediate = false;
  #before = new Map<number, Row>();
  #savepoint: { rows: Map<number, Row>; isImmediate: boolean } | undefined;

  static #copy(rows: Map<number, Row>): Map<number, Row> {
    return new Map([...rows].map(([id, row]) => [id, { ...row }]));
  }

  begin(): void {
    this.isOpen = true;
    this.isImmediate = false;
    this.#before = Model.#copy(this.rows);
    this.#savepoint = undefined;
  }

  savepoint(): void {
    this.#savepoint = { rows: Model.#copy(this.rows), isImmediate: this.isImmediate };
  }

  get hasSavepoint(): boolean {
    return this.#savepoint !== undefined;
  }

  rollbackTo(): void {
    if (this.#savepoint === undefined) return;
    this.rows = Model.#copy(this.#savepoint.rows);
    this.isImmediate = this.#savepoint.isImmediate;
  }

  end(isCommit: boolean): void {
    if (isCommit) this.number('late');
    else this.rows = this.#before;
    this.isOpen = false;
    this.isImmediate = false;
  }

  number(which: Table): void {
    for (const row of this.rows.values()) if (row.table === which && row.issued) row.numbered = true;
  }

  /** What happens at the end of each statement. */
  settle(): void {
    this.number('now');
    if (!this.isOpen || this.isImmediate) this.number('late');
  }
}

async function take(session: Session, model: Model, at: Step, name: (table: Table) => string): Promise<void> {
  switch (at.kind) {
    case 'begin':
      if (model.isOpen) return;
      await session.query('begin');
      model.begin();
      return;
    case 'commit':
    case 'rollback':
      if (!model.isOpen) return;
      await session.query(at.kind);
      model.end(at.kind === 'commit');
      return;
    case 'savepoint':
      if (!model.isOpen) return;
      await session.query('savepoint s');
      model.savepoint();
      return;
    case 'rollback to':
      if (!model.isOpen || !model.hasSavepoint) return;
      await session.query('rollback to s');
      model.rollbackTo();
      return;
    case 'immediate':
      if (!model.isOpen) return;
      await session.query('set constraints all immediate');
      model.isImmediate = true;
      model.settle();
      return;
    case 'insert': {
      const rows = await session.rows<{ id: string }>(
        `insert into ${name(at.table)} (company, status) select 'c' || $1::int, case when i then 'issued' else 'draft' end from unnest($2::boolean[]) i returning id`,
        [at.company, at.issued],
      );
      for (const [n, { id }] of rows.entries()) {
        model.rows.set(Number(id) * 3 + tables.indexOf(at.table), {
          table: at.table,
          issued: at.issued[n] ?? false,
          numbered: false,
        });
      }
      model.settle();
      return;
    }
    case 'pending': {
      const count = await session.value<number>(
        `select seqctl.number_pending('${name(at.table)}', max_rows => $1)::int`,
        [at.most],
      );
      // All rows have one date, so the primary key decides.
      const due = [...model.rows]
        .filter(([, row]) => row.table === at.table && row.issued && !row.numbered)
        .sort(([x], [y]) => x - y)
        .slice(0, at.most ?? undefined);
      expect(count).toBe(due.length);
      for (const [, row] of due) row.numbered = true;
      return;
    }
    default: {
      const change = {
        issue: `update ${name(at.table)} set status = 'issued'`,
        move: `update ${name(at.table)} set company = 'c${at.company}'`,
        delete: `delete from ${name(at.table)}`,
      }[at.kind];
      await session.query(`${change} where number is null and id % ${at.modulus} = 0`);
      for (const [key, row] of model.rows) {
        const id = Math.floor(key / 3);
        if (row.table !== at.table || row.numbered || id % at.modulus !== 0) continue;
        if (at.kind === 'delete') model.rows.delete(key);
        if (at.kind === 'issue') row.issued = true;
      }
      model.settle();
    }
  }
}

async function runProgram(steps: readonly Step[], name: (table: Table) => string): Promise<void> {
  const session = await database.session('A');
  const log: string[] = [];
  const given = new Map<string, string>();
  const model = new Model();
  const check = async (): Promise<void> => {
    await expectExactOn(session.client);
    for (const each of tables) {
      const rows = await session.rows<{ id: string; number: string | null }>(
        `select id, number from ${name(each)}`,
      );
      for (const { id, number } of rows) {
        const key = `${each} ${id}`;
        const row = model.rows.get(Number(id) * 3 + tables.indexOf(each));
        expect(number !== null, `${key} has a number`).toBe(row?.numbered);
        if (number !== null && given.has(key)) expect(number, key).toBe(given.get(key));
        if (number !== null) given.set(key, number);
      }
      expect(rows.length).toBe([...model.rows.values()].filter((row) => row.table === each).length);
    }
  };
  try {
    await session.query(
      untriggered(
        `${tables.map((each) => `delete from ${name(each)}`).join('; ')}; delete from seqctl.counter`,
      ),
    );
    for (const at of steps) {
      log.push(JSON.stringify(at));
      await take(session, model, at, name);
      if (!model.isOpen) await check();
    }
    if (model.isOpen) await take(session, model, { kind: 'commit' }, name);
    await check();
  } catch (error) {
    throw new Error(`${String(error)}\nWhat happened:\n  ${log.join('\n  ')}`, { cause: error });
  } finally {
    await database.closeSessions();
  }
}

test(
  `random programs over drafts, ${runs} of them`,
  async () => {
    await makeDocuments(database, 'd_now');
    await makeDocuments(database, 'd_late', { assign: 'commit', sharedSeries: 'd_now' });
    await makeDocuments(database, 'd_batch', { assign: 'manual', sharedSeries: 'd_now' });
    console.log(`SEQCTL_PROPERTY_SEED=${seed}`);
    const program = fc.array(step, { minLength: 3, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(program, (steps) => runProgram(steps, (each) => `d_${each}`)),
      { seed, numRuns: runs, ...(path === undefined ? {} : { path }), endOnFailure: false },
    );
  },
  120_000 + runs * 2000,
);
