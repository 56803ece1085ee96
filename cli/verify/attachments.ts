import type { AttachmentFacts, RelationFacts, StrayTrigger, TriggerFacts } from './attachment-facts.js';
import type { Finding } from './finding.js';

/** What attach makes for a table, whatever its name, its columns and the ids; see `shapeOf`. */
export interface AttachmentShape {
  readonly triggers: readonly TriggerShape[];
  readonly functions: readonly FunctionShape[];
}

interface TriggerShape {
  /** e.g. `settle` */
  readonly kind: string;
  readonly type: number;
  /** Without what PostgreSQL adds of its own; `#id`, `#series` and `#number` stand for what differs. */
  readonly condition: string | null;
  readonly transitionTable: string | null;
  /** On a partition it is a trigger of its own, no copy of that of the partitioned table. */
  readonly isOwn: boolean;
}

interface FunctionShape {
  readonly kind: string;
  readonly attributes: string;
}

/** Shapes of an ordinary and of a partitioned table. */
export interface AttachmentShapes {
  readonly table: AttachmentShape;
  readonly partitioned: AttachmentShape;
}

/** The shape of an attachment that is known to be right; its ids and its column must be found nowhere else in it. */
export function shapeOf(facts: AttachmentFacts): AttachmentShape {
  const last = facts.relations.at(-1)?.oid;
  const prefix = triggerName(facts, '');
  return {
    triggers: facts.triggers
      .filter(({ relation }) => relation === last)
      .map(({ name, type, condition, transitionTable, isClone }) => ({
        kind: name.slice(prefix.length),
        type,
        condition:
          condition === null
            ? null
            : bareCondition(condition)
                .replaceAll(String(facts.id), '#id')
                .replaceAll(String(facts.seriesId), '#series')
                .replaceAll(bareCondition(facts.quotedNumberColumn), '#number'),
        transitionTable,
        isOwn: !isClone,
      })),
    functions: facts.functions.map(({ kind, attributes }) => ({ kind, attributes })),
  };
}

/** Everything that is not as attach left it. */
export function checkAttachment(facts: AttachmentFacts, shapes: AttachmentShapes): Finding[] {
  const shape = facts.isPartitioned ? shapes.partitioned : shapes.table;
  if (!facts.exists) {
    return [
      error(
        facts,
        'table_dropped',
        `the table was dropped; column ${facts.numberColumn} was numbered from series ${facts.series}`,
        {
          object: `table with oid ${facts.target}`,
          hint: `If that was meant: seqctl detach ${facts.target} --number-column ${facts.numberColumn}`,
        },
      ),
    ];
  }
  return [
    ...checkTable(facts),
    ...checkColumns(facts),
    ...checkTriggers(facts, shape),
    ...checkLaterTriggers(facts),
    ...checkIndex(facts),
    // Without their columns they cannot be as they were.
    ...(canReadNumbers(facts) ? checkFunctions(facts, shape) : []),
  ];
}

/** The numbers of the table can be read by the expressions that the engine uses. */
export function canReadNumbers(facts: AttachmentFacts): boolean {
  return facts.exists && facts.columns.every((column) => column.exists && column.fits);
}

export function describeStrayTrigger({ table, quotedName, function: name }: StrayTrigger): Finding {
  return {
    severity: 'error',
    area: 'table',
    kind: 'trigger_extra',
    object: table,
    what: `trigger ${quotedName} calls ${name}, but no attachment has it there`,
    hint: `drop trigger ${quotedName} on ${table};`,
  };
}

export function describeStrayFunction(name: string): Finding {
  return {
    severity: 'error',
    area: 'installation',
    kind: 'extra_function',
    object: `function ${name}`,
    what: 'is not part of seqctl, and belongs to no attachment',
    hint: `drop function ${name};`,
  };
}

function checkTable(facts: AttachmentFacts): Finding[] {
  const findings: Finding[] = [];
  if (facts.isUnlogged) {
    findings.push(
      error(facts, 'table_unlogged', 'is unlogged now: a crash of the server empties it', {
        hint: `alter table ${facts.target} set logged;`,
      }),
    );
  }
  if (!facts.ownerMayRead) {
    findings.push(
      error(
        facts,
        'table_unreadable_to_owner',
        `${facts.schemaOwner}, the owner of seqctl, may not read it any more`,
        {
          hint: `grant select on ${facts.target} to ${facts.schemaOwner};`,
        },
      ),
    );
  }
  return findings;
}

function checkColumns(facts: AttachmentFacts): Finding[] {
  return facts.columns.flatMap(({ role, name, exists, type, fits, ownValue }) => {
    const what = `${role} column ${name}`;
    if (!exists) {
      return error(facts, 'column_missing', `${what} was dropped or renamed`, {
        hint: `alter table ${facts.target} rename column … to …; or detach the table and attach it with the new name.`,
      });
    }
    if (!fits) {
      return error(facts, 'column_retyped', `${what} has type ${type} now, which seqctl cannot use`, {
        hint: 'Give it its old type again, or detach the table.',
      });
    }
    if (ownValue !== null) {
      return error(
        facts,
        'column_default',
        `${what} has ${ownValue} now, so rows come with values of their own`,
        {
          hint: `alter table ${facts.target} alter column … drop default (or drop identity, drop expression);`,
        },
      );
    }
    return [];
  });
}

function checkTriggers(facts: AttachmentFacts, shape: AttachmentShape): Finding[] {
  const settled = partitionsSettled(facts);
  const expected = facts.relations.flatMap((relation) =>
    shape.triggers.flatMap((trigger) => {
      const isLater = trigger.isOwn && !relation.isRoot && !settled.has(relation.oid);
      return checkTrigger(facts, relation, trigger, isLater);
    }),
  );
  const kinds = new Set(shape.triggers.map(({ kind }) => triggerName(facts, kind)));
  const extra = facts.triggers
    .filter(({ name }) => name.startsWith(triggerName(facts, '')) && !kinds.has(name))
    .map((trigger) =>
      describeStrayTrigger({
        ...trigger,
        table: nameOf(facts, trigger.relation),
        function: trigger.function,
      }),
    );
  return [...expected, ...extra];
}

function checkTrigger(
  facts: AttachmentFacts,
  relation: RelationFacts,
  shape: TriggerShape,
  isLaterPartition: boolean,
): Finding[] {
  const name = triggerName(facts, shape.kind);
  const trigger = facts.triggers.find((one) => one.relation === relation.oid && one.name === name);
  const object = relation.name;
  const again = `Stop writing to ${facts.target}, then run seqctl detach and seqctl attach for it again.`;
  if (trigger === undefined && isLaterPartition) {
    const what = 'was made after attach: its rows are numbered exactly, but more slowly';
    const hint = `In one transaction, seqctl.detach() and seqctl.attach() ${facts.target} again: that makes inserts into this partition faster.`;
    const finding = error(facts, 'partition_without_settle', what, { object, hint });
    return [{ ...finding, severity: 'warning' }];
  }
  if (trigger === undefined) {
    return [error(facts, 'trigger_missing', `trigger ${name} is missing`, { object, hint: again })];
  }
  const wrong = differences(facts, trigger, shape);
  if (wrong.length > 0) {
    const what = `trigger ${name} was changed: ${wrong.join(', ')}`;
    return [error(facts, 'trigger_changed', what, { object, hint: again })];
  }
  if (trigger.enabled === 'O' || trigger.enabled === 'A') return [];
  const isDisabled = trigger.enabled === 'D';
  return [
    error(
      facts,
      isDisabled ? 'trigger_disabled' : 'trigger_replica_only',
      `trigger ${name} is ${isDisabled ? 'disabled' : 'enabled on replicas only'}: rows come in unchecked`,
      { object, hint: `alter table ${relation.name} enable trigger ${name};` },
    ),
  ];
}

function differences(facts: AttachmentFacts, trigger: TriggerFacts, shape: TriggerShape): string[] {
  const wrong: string[] = [];
  if (trigger.function !== `seqctl._attachment_${facts.id}_${shape.kind}`) {
    wrong.push(`it calls ${trigger.function}`);
  }
  if (trigger.type !== shape.type) wrong.push('it fires at another time');
  const expected = shape.condition
    ?.replaceAll('#id', String(facts.id))
    .replaceAll('#series', String(facts.seriesId))
    .replaceAll('#number', bareCondition(facts.quotedNumberColumn));
  const actual = trigger.condition === null ? undefined : bareCondition(trigger.condition);
  if (actual !== expected) wrong.push(`its condition is ${trigger.condition ?? 'missing'}`);
  if (trigger.transitionTable !== shape.transitionTable) {
    wrong.push(`its transition table is ${trigger.transitionTable ?? 'missing'}`);
  }
  return wrong;
}

const oidList = /'\{([\d,]*)\}'::oid\[\]/;
/** The table's own oid beside its name: not the same after a restore, and then the list is not to be trusted. */
const ownOid = /\(*'(?:[^']|'')*'::regclass\)*::oid <> \(?'?(\d+)'?\)?(?:::oid)?/;

/** PostgreSQL writes a condition in its own way, with casts and parentheses: these, blanks and case do not count. */
function bareCondition(text: string): string {
  return text
    .replace(oidList, '#oids')
    .replace(ownOid, '#own')
    .toLowerCase()
    .replaceAll(/::text|[()\s]/g, '');
}

/** The relations that were there when the table was attached: the trigger for later ones leaves them out. */
function partitionsSettled(facts: AttachmentFacts): Set<number> {
  const root = facts.relations.find(({ isRoot }) => isRoot)?.oid;
  const lists = facts.triggers
    .filter(({ relation, name }) => relation === root && name.startsWith(triggerName(facts, '')))
    .filter(({ condition }) => ownOid.exec(condition ?? '')?.[1] === String(root))
    .flatMap(({ condition }) => oidList.exec(condition ?? '')?.[1] ?? []);
  return new Set(lists.flatMap((list) => list.split(',').map(Number)));
}

/** A trigger of somebody else that changes the row after it got its number. */
function checkLaterTriggers(facts: AttachmentFacts): Finding[] {
  const isBeforeRowInsert = (type: number): boolean => (type & 7) === 7;
  const names = new Map<string, TriggerFacts>();
  for (const trigger of facts.triggers) {
    // Plain comparison of code units orders as PostgreSQL does, byte by byte, where it matters: after 'zz_seqctl'.
    const isLater = Buffer.compare(Buffer.from(trigger.name), Buffer.from('zz_seqctl')) > 0;
    if (isLater && isBeforeRowInsert(trigger.type) && !/^zz_seqctl_\d/.test(trigger.name))
      names.set(trigger.name, trigger);
  }
  return [...names.values()].map((trigger) => ({
    ...error(
      facts,
      'trigger_after_seqctl',
      `trigger ${trigger.quotedName} runs after seqctl’s and may change a numbered row`,
      {
        object: nameOf(facts, trigger.relation),
        hint: `Rename it so that its name sorts before zz_seqctl: alter trigger … on … rename to …;`,
      },
    ),
    severity: 'warning' as const,
  }));
}

function checkIndex(facts: AttachmentFacts): Finding[] {
  const { index, indexName } = facts;
  const hint = `Stop writing to ${facts.target}, then run seqctl detach and seqctl attach for it again: attach makes the index.`;
  if (indexName === null) return [];
  if (index === null) {
    return [error(facts, 'index_missing', `the unique index ${indexName} was dropped or renamed`, { hint })];
  }
  if (!index.isValid) {
    return [
      error(facts, 'index_invalid', `the unique index ${indexName} is invalid: it enforces nothing`, {
        hint: `reindex index concurrently on it; see PostgreSQL’s documentation of REINDEX.`,
      }),
    ];
  }
  // A column that is gone is a finding of its own.
  if (facts.columns.some(({ exists }) => !exists)) return [];
  const wanted = [...facts.groupColumns, facts.numberColumn];
  const allowed = new Set([
    ...wanted,
    ...facts.partitionColumns,
    ...(facts.resets ? [facts.dateColumn] : []),
  ]);
  const isWrong =
    (!index.isUnique && !facts.isPartitionedByExpression) ||
    index.isPartial ||
    !index.columns.includes(facts.numberColumn) ||
    index.columns.some((column) => !allowed.has(column)) ||
    index.expressions > (facts.resets ? 1 : 0);
  if (!isWrong) return [];
  return [
    error(facts, 'index_changed', `index ${indexName} is another one now and does not back the promise`, {
      hint,
    }),
  ];
}

function checkFunctions(facts: AttachmentFacts, shape: AttachmentShape): Finding[] {
  const found = new Map(facts.functions.map((one) => [one.kind, one]));
  const hint = 'Run seqctl install: it writes the functions of every attachment anew.';
  const nameFor = (kind: string): string => `function seqctl._attachment_${facts.id}_${kind}()`;
  const expected = shape.functions.flatMap(({ kind, attributes }): Finding[] => {
    const is = found.get(kind);
    const about = { object: nameFor(kind), hint };
    if (is === undefined) return [error(facts, 'missing_function', 'is missing', about)];
    const wrong: string[] = [];
    if (is.attributes !== attributes) wrong.push(`it is ${is.attributes}, not ${attributes}`);
    if (facts.expectedBodies !== null && facts.expectedBodies[kind] !== is.body) wrong.push('another body');
    if (wrong.length === 0) return [];
    return [error(facts, 'changed_function', `was changed: ${wrong.join(', ')}`, about)];
  });
  const kinds = new Set(shape.functions.map(({ kind }) => kind));
  const extra = facts.functions
    .filter(({ kind }) => !kinds.has(kind))
    .map(({ kind }) => describeStrayFunction(`seqctl._attachment_${facts.id}_${kind}()`));
  return [...expected, ...extra];
}

function nameOf(facts: AttachmentFacts, relation: number): string {
  return facts.relations.find(({ oid }) => oid === relation)?.name ?? facts.target;
}

function triggerName(facts: AttachmentFacts, kind: string): string {
  return `zz_seqctl_${facts.id}_${kind}`;
}

function error(
  facts: AttachmentFacts,
  kind: string,
  what: string,
  { hint, object = facts.target }: { hint: string; object?: string },
): Finding {
  return { severity: 'error', area: 'table', kind, object, what, hint };
}
