import { quote } from '../shell.js';
import {
  type AttachmentFacts,
  type ExpectedTrigger,
  hasItsKey,
  type RelationFacts,
  type StrayTrigger,
  type TriggerFacts,
} from './attachment-facts.js';
import type { Finding } from './finding.js';

/** Everything that is not as attach left it. */
export function checkAttachment(facts: AttachmentFacts): Finding[] {
  if (!facts.exists) {
    return [
      error(
        facts,
        'table_dropped',
        `the table was dropped; column ${facts.numberColumn} was numbered from series ${facts.series}`,
        {
          object: `table with oid ${facts.target}`,
          hint: `If that was meant: seqctl detach ${facts.target} --number-column ${quote(facts.numberColumn)}`,
        },
      ),
    ];
  }
  return [
    ...checkTable(facts),
    ...checkColumns(facts),
    ...checkCondition(facts),
    // Without their columns they cannot be as they were.
    ...(canReadNumbers(facts) ? [...checkTriggers(facts), ...checkFunctions(facts)] : []),
    ...checkLaterTriggers(facts),
    ...checkIndex(facts),
    ...checkWriteFunction(facts),
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
  if (facts.parent !== null) {
    findings.push(
      error(
        facts,
        'table_has_parent',
        `belongs to ${facts.parent} now: what is written through that is not settled`,
        {
          hint: `Take it out of ${facts.parent}, or detach it from its series and attach ${facts.parent}.`,
        },
      ),
    );
  }
  for (const child of facts.children) {
    const what = `${child} inherits from it: its rows get no number, and stand among the rows of this table`;
    const hint = `alter table ${child} no inherit ${facts.target};`;
    findings.push(error(facts, 'table_has_child', what, { hint }));
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
  if (!facts.ownerMayMakePartitions) {
    const hint = `select seqctl.attach_partitions(${textOf(facts.target)}, ${textOf(facts.numberColumn)});`;
    findings.push({
      ...error(facts, 'partitions_refused', 'its owner may not make partitions of it', { hint }),
      severity: 'warning',
    });
  }
  return findings;
}

function checkColumns(facts: AttachmentFacts): Finding[] {
  return facts.columns.flatMap(({ role, name, quotedName, exists, type, fits, ownValue }) => {
    const what = `${role} column ${name}`;
    if (!exists) {
      return error(facts, 'column_missing', `${what} was dropped or renamed`, {
        hint: `alter table ${facts.target} rename column … to ${quotedName}; or detach the table and attach it with the new name.`,
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

function checkCondition(facts: AttachmentFacts): Finding[] {
  if (facts.conditionProblem === null) return [];
  return [
    error(facts, 'condition_unusable', `its condition cannot be asked any more: ${facts.conditionProblem}`, {
      hint: `Give the table its column back, or detach it and attach it with another --issue-when. It was: ${facts.issueWhen ?? ''}`,
    }),
  ];
}

function checkTriggers(facts: AttachmentFacts): Finding[] {
  if (facts.expectedTriggers === null) return [];
  const settled = partitionsSettled(facts);
  const root = facts.relations.find(({ isRoot }) => isRoot)?.oid;
  const findings: Finding[] = [];
  for (const relation of facts.relations) {
    // A partition has copies of the row triggers, and statement triggers of its own.
    const own = facts.expectedTriggers.filter((one) => one.relation === relation.oid);
    const copied = relation.isRoot
      ? []
      : facts.expectedTriggers.filter(
          (one) => one.relation === root && / for each row /i.test(one.definition),
        );
    const isLater = !relation.isRoot && !settled.has(relation.oid);
    const missing = isLater ? own.filter((one) => findTrigger(facts, relation, one.kind) === undefined) : [];
    if (missing.length > 0) findings.push(laterPartition(facts, relation, missing));
    for (const trigger of [...copied, ...own.filter((one) => !missing.includes(one))]) {
      findings.push(...checkTrigger(facts, relation, trigger));
    }
  }
  const names = new Set(facts.expectedTriggers.map(({ kind }) => triggerName(facts, kind)));
  const extra = facts.triggers
    .filter(({ name }) => name.startsWith(triggerName(facts, '')) && !names.has(name))
    .map((trigger) =>
      describeStrayTrigger({
        ...trigger,
        table: nameOf(facts, trigger.relation),
        function: trigger.function,
      }),
    );
  return [...findings, ...extra];
}

function laterPartition(
  facts: AttachmentFacts,
  { name: object }: RelationFacts,
  missing: readonly ExpectedTrigger[],
): Finding {
  const isOpen = missing.some(({ kind }) => kind === 'truncate');
  const what =
    'was made after attach: its rows are numbered exactly, but more slowly' +
    (isOpen ? ', and a TRUNCATE of this partition is not refused' : '');
  const hint = `select seqctl.attach_partitions(${textOf(facts.target)}, ${textOf(facts.numberColumn)});`;
  return { ...error(facts, 'partition_without_settle', what, { object, hint }), severity: 'warning' };
}

function findTrigger(
  facts: AttachmentFacts,
  relation: RelationFacts,
  kind: string,
): TriggerFacts | undefined {
  const name = triggerName(facts, kind);
  return facts.triggers.find((one) => one.relation === relation.oid && one.name === name);
}

function checkTrigger(facts: AttachmentFacts, relation: RelationFacts, expected: ExpectedTrigger): Finding[] {
  const name = triggerName(facts, expected.kind);
  const trigger = findTrigger(facts, relation, expected.kind);
  const object = relation.name;
  const again = `Stop writing to ${facts.target}, then run seqctl detach and seqctl attach for it again.`;
  if (trigger === undefined) {
    return [error(facts, 'trigger_missing', `trigger ${name} is missing`, { object, hint: again })];
  }
  const wrong = differences(facts, trigger, expected);
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
      `trigger ${name} is ${isDisabled ? 'disabled' : 'enabled on replicas only'}: ${consequenceOf(expected.kind)}`,
      { object, hint: `alter table ${relation.name} enable trigger ${name};` },
    ),
  ];
}

/** What happens while a trigger does not fire. */
function consequenceOf(kind: string): string {
  if (kind.startsWith('protect')) return 'issued rows can be changed';
  if (kind === 'keep') return 'issued rows can be deleted';
  if (kind === 'truncate') return 'issued rows can be truncated away';
  if (kind === 'move') return 'a row that moves to another partition passes for a new one';
  return 'rows come in unchecked';
}

function differences(facts: AttachmentFacts, trigger: TriggerFacts, expected: ExpectedTrigger): string[] {
  const is = parseTrigger(trigger.definition);
  const should = parseTrigger(expected.definition);
  const wrong: string[] = [];
  if (is.call !== should.call) wrong.push(`it calls ${trigger.function}`);
  if (is.time !== should.time) wrong.push('it fires at another time, or without its transition tables');
  // What is kept of an issued row is written by PostgreSQL in words of its own: only how it begins is compared.
  const number = facts.quotedNumberColumn;
  const first = should.condition.startsWith('old')
    ? `old.${number} is not null`
    : `new.${number} is distinct from old.${number}`;
  const isSame = expected.kind.startsWith('protect')
    ? is.condition.startsWith(bareCondition(first))
    : is.condition === should.condition;
  if (!isSame) wrong.push(`its condition is ${trigger.condition ?? 'missing'}`);
  return wrong;
}

interface TriggerParts {
  /** When it fires, without the table. */
  readonly time: string;
  readonly condition: string;
  readonly call: string;
}

/** CREATE TRIGGER, or the part of it after the name; as PostgreSQL writes it, or as attach does. */
function parseTrigger(definition: string): TriggerParts {
  const [, time = '', condition = '', call = ''] =
    /^(?:create trigger \S+ )?(.*? for each (?:row|statement))(?: when \((.*)\))? execute function (.*)$/is.exec(
      definition,
    ) ?? [];
  return {
    time: time.toLowerCase().replace(/ on .*? (?=referencing |for each )/s, ' '),
    condition: bareCondition(condition),
    call: call.toLowerCase().replaceAll(/['\s]/g, ''),
  };
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
    .replaceAll('pg_catalog.', '')
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
    !(index.predicate === null || index.predicate === `(${facts.quotedNumberColumn} IS NOT NULL)`) ||
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

function checkFunctions(facts: AttachmentFacts): Finding[] {
  if (facts.expectedFunctions === null) return [];
  const hint = 'Run seqctl install: it writes the functions of every attachment anew.';
  const nameFor = (kind: string): string => `function seqctl._attachment_${facts.id}_${kind}()`;
  const found = new Map(facts.functions.map((one) => [one.kind, one]));
  const expected = facts.expectedFunctions.map((one) => ({
    ...one,
    attributes: 'plpgsql volatile security definer',
  }));
  if (facts.issueWhen !== null) {
    const body = `RETURN ${facts.issueWhen}`;
    expected.push({ kind: 'issues', body, settings: '', attributes: 'sql immutable security invoker' });
  }
  const findings = expected.flatMap(({ kind, body, settings, attributes }): Finding[] => {
    const is = found.get(kind);
    const about = { object: nameFor(kind), hint };
    if (is === undefined) return [error(facts, 'missing_function', 'is missing', about)];
    const wrong: string[] = [];
    if (is.attributes !== attributes) wrong.push(`it is ${is.attributes}, not ${attributes}`);
    if (settingsOf(is.settings) !== settingsOf(settings.split(/\bset (?=\w+ = )/)))
      wrong.push(`its settings are ${is.settings.join('; ') || 'none'}`);
    const isSame =
      kind === 'issues'
        ? bareCondition(is.body) === bareCondition(body)
        : bareBody(is.body) === bareBody(body);
    if (!isSame) wrong.push('another body');
    const odd: Finding[] = [];
    if (wrong.length > 0)
      odd.push(error(facts, 'changed_function', `was changed: ${wrong.join(', ')}`, about));
    if (is.strangeOwner !== null) {
      odd.push(
        error(
          facts,
          'owner_function',
          `belongs to ${is.strangeOwner}, not to ${facts.schemaOwner}, the owner of schema seqctl`,
          { ...about, hint: `alter function ${is.signature} owner to ${facts.schemaOwner};` },
        ),
      );
    }
    return odd;
  });
  const kinds = new Set(expected.map(({ kind }) => kind));
  const extra = facts.functions
    .filter(
      ({ kind }, index) => !kinds.has(kind) || facts.functions.findIndex((one) => one.kind === kind) < index,
    )
    .map(({ kind }) => describeStrayFunction(`seqctl._attachment_${facts.id}_${kind}()`));
  return [...findings, ...extra];
}

/** The partitions that a function knows need not be those of today: it asks about the others. */
function bareBody(body: string): string {
  return body.replaceAll(
    /(?<=tg_relid operator\(pg_catalog\.=\) any \(')\{[\d,]*\}(?='::pg_catalog\.oid\[\]\))|(?<='seqctl\.counter'::pg_catalog\.regclass, )\d+/g,
    '',
  );
}

/** `search_path = pg_catalog, pg_temp` and `search_path=pg_catalog, pg_temp` are the same; so is the case of a name. */
function settingsOf(settings: readonly string[]): string {
  return settings
    .map((setting) => setting.toLowerCase().replaceAll(/['\s]/g, ''))
    .filter((setting) => setting !== '')
    .sort()
    .join(';');
}

/** It writes into the table with the rights of the table's owner: nobody else may have it, and nobody else may call it. */
function checkWriteFunction(facts: AttachmentFacts): Finding[] {
  const is = facts.writeFunction;
  if (is === null) return [];
  const object = `function ${is.name}`;
  const again = `In one transaction, seqctl.detach() and seqctl.attach() ${facts.target} again: attach makes the function.`;
  if (!is.exists) {
    const what = 'is missing, or there are two of its name: rows cannot get their numbers';
    return [error(facts, 'write_function_missing', what, { object, hint: again })];
  }
  const findings: Finding[] = [];
  if (is.owner !== is.tableOwner) {
    const what = `belongs to ${is.owner ?? 'nobody'}, the table to ${is.tableOwner}: triggers of the table run with the wrong rights`;
    const hint = `alter function ${is.name} owner to ${is.tableOwner};`;
    findings.push(error(facts, 'write_function_owner', what, { object, hint }));
  }
  if (is.isOpen) {
    const what = 'may be called by others than seqctl: they could write numbers';
    const hint = `revoke all on function ${is.name} from public; and from every other role that has it.`;
    findings.push(error(facts, 'write_function_open', what, { object, hint }));
  }
  if (!hasItsKey(is)) {
    const what = `has ${is.primaryKey ? `primary key (${is.primaryKey}) now` : 'no primary key any more'}; rows are found by (${is.findsBy})`;
    findings.push(error(facts, 'primary_key_changed', what, { hint: again }));
  } else if (is.attributes !== 'plpgsql volatile security definer' || is.isAsMade === false) {
    findings.push(error(facts, 'write_function_changed', 'was changed', { object, hint: again }));
  }
  return findings;
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

/** In SQL. */
function textOf(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
