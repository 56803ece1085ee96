import type { Client } from 'pg';

import { sqlstateOf } from '../errors.js';

/** What the catalogue says about one attachment; read by `readAttachmentFacts`, judged by `checkAttachment`. */
export interface AttachmentFacts {
  readonly id: number;
  readonly series: string;
  readonly seriesId: number;
  /** As SQL writes it; the bare oid when the table was dropped. */
  readonly target: string;
  readonly exists: boolean;
  readonly isPartitioned: boolean;
  readonly isUnlogged: boolean;
  /** The table that it is a partition or an inheritance child of, which it was not when it was attached. */
  readonly parent: string | null;
  /** Tables that inherit from it, which none did when it was attached. */
  readonly children: readonly string[];
  readonly resets: boolean;
  readonly numberColumn: string;
  readonly dateColumn: string | null;
  readonly groupColumns: readonly string[];
  readonly quotedNumberColumn: string;
  readonly schemaOwner: string;
  /** The owner of schema seqctl may read the table. */
  readonly ownerMayRead: boolean;
  /** The owner of a partitioned table may execute the functions of its row triggers, which PostgreSQL asks of him. */
  readonly ownerMayMakePartitions: boolean;
  readonly assign: 'insert' | 'commit' | 'manual';
  readonly chronology: 'off' | 'enforce' | 'stamp';
  readonly protect: boolean;
  /** The condition, as PostgreSQL writes it. */
  readonly issueWhen: string | null;
  /** Why the condition cannot be asked any more. */
  readonly conditionProblem: string | null;
  readonly columns: readonly ColumnFacts[];
  /** The table itself, and every partition below it. */
  readonly relations: readonly RelationFacts[];
  readonly triggers: readonly TriggerFacts[];
  readonly index: IndexFacts | null;
  /** Name of the index that attach made or found. */
  readonly indexName: string | null;
  /** By which the table, or a partition below it, is partitioned. */
  readonly partitionColumns: readonly string[];
  readonly isPartitionedByExpression: boolean;
  /** The functions generated for it. */
  readonly functions: readonly GeneratedFunction[];
  /** What they should be; null when this role may not ask, or the function that knows is missing. */
  readonly expectedFunctions: readonly ExpectedFunction[] | null;
  /** Likewise the triggers. */
  readonly expectedTriggers: readonly ExpectedTrigger[] | null;
  /** What writes numbers into rows after their INSERT; null where nothing needs it. */
  readonly writeFunction: WriteFunctionFacts | null;
}

export interface ColumnFacts {
  readonly role: 'number' | 'document number' | 'date' | 'group' | 'chain' | 'condition';
  readonly name: string;
  /** As SQL writes it. */
  readonly quotedName: string;
  readonly exists: boolean;
  readonly type: string;
  readonly fits: boolean;
  /** A default, an identity or a generation expression. */
  readonly ownValue: string | null;
}

export interface RelationFacts {
  readonly oid: number;
  readonly name: string;
  readonly isRoot: boolean;
}

export interface TriggerFacts {
  readonly relation: number;
  readonly name: string;
  readonly quotedName: string;
  /** PostgreSQL made it on a partition because the partitioned table has it. */
  readonly isClone: boolean;
  /** `O` enabled, `D` disabled, `R` on replicas only, `A` always. */
  readonly enabled: string;
  /** pg_trigger.tgtype */
  readonly type: number;
  /** e.g. `seqctl._attachment_1_settle` */
  readonly function: string;
  readonly condition: string | null;
  /** CREATE TRIGGER, as PostgreSQL writes it. */
  readonly definition: string;
}

export interface ExpectedTrigger {
  /** e.g. `settle` */
  readonly kind: string;
  readonly relation: number;
  /** What stands after the name in CREATE TRIGGER. */
  readonly definition: string;
}

export interface IndexFacts {
  readonly isValid: boolean;
  readonly isUnique: boolean;
  /** Of a partial index. */
  readonly predicate: string | null;
  /** Plain columns of the key. */
  readonly columns: readonly string[];
  readonly expressions: number;
}

export interface GeneratedFunction {
  /** e.g. `settle` */
  readonly kind: string;
  readonly body: string;
  /** Everything else that matters but owner and settings, e.g. `plpgsql volatile security definer`. */
  readonly attributes: string;
  /** e.g. `seqctl._attachment_1_settle()` */
  readonly signature: string;
  /** Its owner, where it is not the schema's; else null. */
  readonly strangeOwner: string | null;
  /** e.g. `search_path=pg_catalog, pg_temp` */
  readonly settings: readonly string[];
}

export interface ExpectedFunction {
  readonly kind: string;
  readonly body: string;
  /** Clauses of CREATE FUNCTION: `set search_path = pg_catalog, pg_temp` */
  readonly settings: string;
}

export interface WriteFunctionFacts {
  readonly name: string;
  readonly exists: boolean;
  readonly owner: string | null;
  readonly tableOwner: string;
  readonly attributes: string | null;
  /** Others than its owner and seqctl's may execute it. */
  readonly isOpen: boolean;
  /** null: this role may not ask. */
  readonly isAsMade: boolean | null;
  /** The primary key by which it finds rows: columns with their types. */
  readonly findsBy: string;
  /** The one that the table has; null: this role may not ask. */
  readonly primaryKey: string | null;
}

/** A trigger that calls into seqctl, on a table or under a name that no attachment accounts for. */
export interface StrayTrigger {
  readonly table: string;
  readonly quotedName: string;
  readonly function: string;
}

type Row = Omit<
  AttachmentFacts,
  'expectedFunctions' | 'expectedTriggers' | 'writeFunction' | 'conditionProblem'
>;

/** All attachments, or those of one series. The search_path must be pg_catalog alone. */
export async function readAttachmentFacts(client: Client, series: string | null): Promise<AttachmentFacts[]> {
  const { rows } = await client.query<Row>(factsQuery, [series]);
  const [mayAskFunctions, mayAskTriggers, mayAskWriting, mayAskKeys] = [
    await mayCall(client, 'seqctl._attachment_functions(integer)'),
    await mayCall(client, 'seqctl._attachment_triggers(integer)'),
    await mayCall(client, 'seqctl._write_function(seqctl.attachment)'),
    await mayCall(client, 'seqctl._row_key_texts(regclass)'),
  ];
  const facts: AttachmentFacts[] = [];
  for (const row of rows) {
    const writeFunction = row.exists
      ? await readWriteFunction(client, row.id, { mayAskWriting, mayAskKeys })
      : null;
    // They are made of the columns of the table, and of its key.
    const mayAsk =
      row.exists &&
      row.columns.every((column) => column.exists) &&
      (writeFunction === null || hasItsKey(writeFunction));
    facts.push({
      ...row,
      expectedFunctions: mayAsk && mayAskFunctions ? await readExpectedFunctions(client, row.id) : null,
      expectedTriggers: mayAsk && mayAskTriggers ? await readExpectedTriggers(client, row.id) : null,
      writeFunction,
      conditionProblem: mayAsk ? await findConditionProblem(client, row) : null,
    });
  }
  return facts;
}

/** Triggers that call functions of seqctl and belong to no attachment. */
export async function readStrayTriggers(client: Client): Promise<StrayTrigger[]> {
  const { rows } = await client.query<StrayTrigger>(`
    select
        g.tgrelid::regclass::text as table,
        quote_ident(g.tgname) as "quotedName",
        p.oid::regproc::text as function
    from pg_trigger as g
    join pg_proc as p on p.oid = g.tgfoid
    where p.pronamespace = 'seqctl'::regnamespace
        -- Those on its own tables are part of the installation.
        and not exists (select from pg_class as c where c.oid = g.tgrelid and c.relnamespace = p.pronamespace)
        and not exists (
            select
            from seqctl.attachment as a
            where g.tgname ~ format('^zz_seqctl_%s_', a.id)
                and (
                    g.tgrelid = a.target
                    or exists (select from pg_partition_tree(a.target) as t where t.relid = g.tgrelid)
                )
        )
    order by 1, 2`);
  return rows;
}

/** Names of functions that look generated, but belong to no attachment. */
export async function readStrayFunctions(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`
    select p.oid::regprocedure::text as name
    from pg_proc as p
    where p.pronamespace = 'seqctl'::regnamespace
        and p.proname ~ '^_attachment_[0-9]+_'
        and not exists (
            select
            from seqctl.attachment as a
            where p.proname ~ format('^_attachment_%s_', a.id)
        )
    order by 1`);
  return rows.map(({ name }) => name);
}

async function mayCall(client: Client, signature: string): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean | null }>(
    `select has_function_privilege(to_regprocedure($1)::oid, 'execute') as may`,
    [signature],
  );
  return rows[0]?.may === true;
}

async function readExpectedFunctions(client: Client, id: number): Promise<ExpectedFunction[]> {
  const { rows } = await client.query<ExpectedFunction>(
    'select f.kind, f.body, f.settings from seqctl._attachment_functions($1) as f',
    [id],
  );
  return rows;
}

async function readExpectedTriggers(client: Client, id: number): Promise<ExpectedTrigger[]> {
  const { rows } = await client.query<ExpectedTrigger>(
    'select t.kind, t.on_table::oid::int8::float8 as relation, t.definition from seqctl._attachment_triggers($1) as t',
    [id],
  );
  return rows;
}

async function readWriteFunction(
  client: Client,
  id: number,
  { mayAskWriting, mayAskKeys }: { readonly mayAskWriting: boolean; readonly mayAskKeys: boolean },
): Promise<WriteFunctionFacts | null> {
  const { rows } = await client.query<WriteFunctionFacts>(
    `select
        a.write_function as name,
        p.oid is not null as exists,
        p.proowner::regrole::text as owner,
        c.relowner::regrole::text as "tableOwner",
        concat_ws(
            ' ',
            l.lanname,
            case p.provolatile when 'v' then 'volatile' else 'not volatile' end,
            case when p.prosecdef then 'security definer' else 'security invoker' end
        ) as attributes,
        p.oid is not null and exists (
            select
            from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as r
            where r.grantee not in (p.proowner, n.nspowner)
        ) as "isOpen",
        ${mayAskWriting ? `position(quote_literal(p.prosrc) in seqctl._write_function(a, ${nameWhenMade})) > 0` : 'null::boolean'} as "isAsMade",
        array_to_string(a.row_keys, ', ') as "findsBy",
        ${mayAskKeys ? `array_to_string(seqctl._row_key_texts(a.target), ', ')` : 'null::text'} as "primaryKey"
     from seqctl.attachment as a
     join pg_class as c on c.oid = a.target
     join pg_namespace as n on n.nspname = 'seqctl'
     left join pg_proc as p on p.oid = to_regproc(a.write_function)
     left join pg_language as l on l.oid = p.prolang
     where a.id = $1 and a.write_function is not null`,
    [id],
  );
  return rows[0] ?? null;
}

/** As far as this role may know. */
export function hasItsKey({ primaryKey, findsBy }: WriteFunctionFacts): boolean {
  return primaryKey === null || primaryKey === findsBy;
}

/** The name that the table had when the function was made. */
const nameWhenMade = `replace(substring(p.prosrc from $$to_regclass\\('((?:[^']|'')*)'\\)$$), '''''', '''')`;

/** A column that the condition uses may be gone, or have another type. */
async function findConditionProblem(client: Client, { target, issueWhen }: Row): Promise<string | null> {
  if (issueWhen === null) return null;
  await client.query('savepoint condition');
  try {
    await client.query(`select from ${target} as i where (${issueWhen}) limit 0`);
    return null;
  } catch (error) {
    // Without the right to read the table nothing can be said.
    return sqlstateOf(error) === '42501' ? null : (error as Error).message;
  } finally {
    await client.query('rollback to savepoint condition');
  }
}

// The lists of types are those of seqctl._register_attachment.
const factsQuery = `
select
    a.id,
    s.name as series,
    s.id as "seriesId",
    a.target::text as target,
    c.oid is not null as exists,
    c.relkind is not distinct from 'p' as "isPartitioned",
    c.relpersistence is not distinct from 'u' as "isUnlogged",
    (select min(h.inhparent::regclass::text) from pg_inherits as h where h.inhrelid = c.oid) as parent,
    (
        select coalesce(jsonb_agg(h.inhrelid::regclass::text order by h.inhrelid::regclass::text), '[]')
        from pg_inherits as h
        join pg_class as k on k.oid = h.inhrelid and not k.relispartition
        where h.inhparent = c.oid
    ) as children,
    s.reset <> 'never' as resets,
    a.number_column as "numberColumn",
    a.date_column as "dateColumn",
    a.group_columns::text[] as "groupColumns",
    a.assign,
    a.chronology,
    a.protect,
    a.issue_when as "issueWhen",
    quote_ident(a.number_column) as "quotedNumberColumn",
    n.nspowner::regrole::text as "schemaOwner",
    coalesce(has_table_privilege(n.nspowner, c.oid, 'select') and has_schema_privilege(n.nspowner, c.relnamespace, 'usage'), true)
        as "ownerMayRead",
    not exists (
        select
        from pg_trigger as g
        where g.tgrelid = c.oid
            and c.relkind = 'p'
            and g.tgname ~ format('^zz_seqctl_%s_', a.id)
            and g.tgtype & 1 = 1
            and not has_function_privilege(c.relowner, g.tgfoid, 'execute')
    ) as "ownerMayMakePartitions",
    (
        select coalesce(jsonb_agg(jsonb_build_object(
            'role', w.role,
            'name', w.name,
            'quotedName', quote_ident(w.name),
            'exists', t.attnum is not null,
            'type', coalesce(format_type(t.atttypid, t.atttypmod), ''),
            'fits', coalesce(
                case w.role
                    when 'number' then t.atttypid in ('bigint'::regtype, 'integer'::regtype)
                    when 'document number' then t.atttypid in ('text'::regtype, 'varchar'::regtype)
                    when 'date' then b.oid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
                    when 'condition' then t.attnum is not null
                    when 'chain' then b.typtype = 'e' or b.oid = any (
                        '{text,varchar,bpchar,name,uuid,smallint,integer,bigint,numeric,real,double precision,boolean,date,time,timestamp,timestamptz,interval,bytea,json,jsonb}'::regtype[]
                    )
                    else b.typtype = 'e' or b.oid = any (
                        '{text,varchar,bpchar,name,uuid,smallint,integer,bigint,numeric,boolean}'::regtype[]
                    )
                end,
                false
            ),
            'ownValue', case
                when t.attgenerated <> '' then 'a generation expression'
                when w.role in ('number', 'document number') and t.attidentity <> '' then 'an identity'
                when w.role in ('number', 'document number') and pg_get_expr(d.adbin, d.adrelid) !~ '^NULL\\M' then 'a default'
            end
        ) order by w.position), '[]')
        from (
            select 'number' as role, a.number_column as name, 1 as position
            union all
            select 'document number', a.document_number_column, 2
            where a.document_number_column is not null
            union all
            select 'date', a.date_column, 3
            where a.date_column is not null
            union all
            select 'group', g.name, 3 + g.position
            from unnest(a.group_columns) with ordinality as g (name, position)
            union all
            select 'chain', g.name, 1000 + g.position
            from unnest(a.chain_columns) with ordinality as g (name, position)
            union all
            select 'condition', g.name, 2000 + g.position
            from unnest(a.issue_columns) with ordinality as g (name, position)
            where g.name <> all (
                a.group_columns || a.chain_columns || array_remove(array[a.number_column, a.document_number_column, a.date_column], null)
            )
        ) as w
        left join pg_attribute as t on t.attrelid = a.target and t.attname = w.name and t.attnum > 0 and not t.attisdropped
        left join pg_attrdef as d on d.adrelid = t.attrelid and d.adnum = t.attnum
        left join lateral (
            with recursive base as (
                select y.oid, y.typtype, y.typbasetype from pg_type as y where y.oid = t.atttypid
                union all
                select y.oid, y.typtype, y.typbasetype from base join pg_type as y on y.oid = base.typbasetype where base.typtype = 'd'
            )
            select base.oid, base.typtype from base where base.typtype <> 'd'
        ) as b on true
    ) as columns,
    relation.list as relations,
    (
        select coalesce(jsonb_agg(jsonb_build_object(
            'relation', g.tgrelid::bigint,
            'name', g.tgname,
            'quotedName', quote_ident(g.tgname),
            'isClone', g.tgparentid <> 0,
            'enabled', g.tgenabled,
            'type', g.tgtype,
            'function', g.tgfoid::regproc::text,
            'condition', substring(pg_get_triggerdef(g.oid) from ' WHEN \\((.*)\\) EXECUTE FUNCTION '),
            'definition', pg_get_triggerdef(g.oid)
        ) order by g.tgrelid, g.tgname), '[]')
        from pg_trigger as g
        where g.tgrelid = any (relation.oids) and (not g.tgisinternal or g.tgparentid <> 0) and g.tgconstraint = 0
    ) as triggers,
    a.unique_index as "indexName",
    (
        select jsonb_build_object(
            'isValid', x.indisvalid and x.indisready,
            'isUnique', x.indisunique,
            'predicate', pg_get_expr(x.indpred, x.indrelid),
            'columns', (
                select coalesce(jsonb_agg(t.attname), '[]')
                from pg_attribute as t
                where t.attrelid = x.indrelid and t.attnum = any ((x.indkey::smallint[])[0:x.indnkeyatts - 1]) and t.attnum > 0
            ),
            'expressions', (select count(*) from unnest((x.indkey::smallint[])[0:x.indnkeyatts - 1]) as k where k = 0)
        )
        from pg_index as x
        join pg_class as i on i.oid = x.indexrelid
        where x.indrelid = a.target and i.relname = a.unique_index
    ) as index,
    (
        select coalesce(jsonb_agg(distinct t.attname), '[]')
        from pg_partition_tree(a.target) as r
        join pg_partitioned_table as p on p.partrelid = r.relid
        join pg_attribute as t on t.attrelid = p.partrelid and t.attnum = any (p.partattrs)
    ) as "partitionColumns",
    exists (
        select
        from pg_partition_tree(a.target) as r
        join pg_partitioned_table as p on p.partrelid = r.relid
        where 0 = any (p.partattrs)
    ) as "isPartitionedByExpression",
    (
        select coalesce(jsonb_agg(jsonb_build_object(
            'kind', substring(p.proname from '^_attachment_[0-9]+_(.*)$'),
            'body', coalesce(pg_get_function_sqlbody(p.oid), p.prosrc),
            'settings', coalesce(to_jsonb(p.proconfig), '[]'),
            'attributes', concat_ws(
                ' ',
                l.lanname,
                case p.provolatile when 'v' then 'volatile' when 's' then 'stable' else 'immutable' end,
                case when p.prosecdef then 'security definer' else 'security invoker' end
            ),
            'signature', p.oid::regprocedure,
            'strangeOwner', case when p.proowner <> n.nspowner then p.proowner::regrole::text end
        ) order by p.proname), '[]')
        from pg_proc as p
        join pg_language as l on l.oid = p.prolang
        where p.pronamespace = n.oid and p.proname ~ format('^_attachment_%s_', a.id)
    ) as functions
from seqctl.attachment as a
join seqctl.series as s on s.id = a.series_id
join pg_namespace as n on n.nspname = 'seqctl'
-- A view in the place of the table (PostgreSQL 15 and older can do that) is no table: reading it would run its owner's code.
left join pg_class as c on c.oid = a.target and c.relkind in ('r', 'p')
left join lateral (
    select
        array_agg(r.oid) as oids,
        coalesce(
            jsonb_agg(jsonb_build_object('oid', r.oid::bigint, 'name', r.oid::regclass::text, 'isRoot', r.oid = c.oid) order by r.oid <> c.oid, r.oid),
            '[]'
        ) as list
    from (
        select c.oid
        where c.oid is not null
        union
        select t.relid
        from pg_partition_tree(c.oid) as t
    ) as r (oid)
) as relation on true
where $1::text is null or s.name = $1
order by a.target::text, a.number_column`;
