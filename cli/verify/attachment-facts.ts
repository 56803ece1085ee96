import type { Client } from 'pg';

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
  readonly resets: boolean;
  readonly numberColumn: string;
  readonly dateColumn: string | null;
  readonly groupColumns: readonly string[];
  readonly quotedNumberColumn: string;
  readonly schemaOwner: string;
  /** The owner of schema seqctl may read the table. */
  readonly ownerMayRead: boolean;
  readonly columns: readonly ColumnFacts[];
  /** The table itself, and every partition below it. */
  readonly relations: readonly RelationFacts[];
  readonly triggers: readonly TriggerFacts[];
  readonly index: IndexFacts | null;
  /** Name of the index that attach made or found. */
  readonly indexName: string | null;
  readonly partitionColumns: readonly string[];
  readonly isPartitionedByExpression: boolean;
  /** The functions generated for it. */
  readonly functions: readonly GeneratedFunction[];
  /** What their bodies should be, by kind; null when this role may not ask, or the function that knows is missing. */
  readonly expectedBodies: Readonly<Record<string, string>> | null;
}

export interface ColumnFacts {
  readonly role: 'number' | 'document number' | 'date' | 'group';
  readonly name: string;
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
  readonly transitionTable: string | null;
}

export interface IndexFacts {
  readonly isValid: boolean;
  readonly isUnique: boolean;
  readonly isPartial: boolean;
  /** Plain columns of the key. */
  readonly columns: readonly string[];
  readonly expressions: number;
}

export interface GeneratedFunction {
  /** e.g. `settle` */
  readonly kind: string;
  readonly body: string;
  /** Everything else that matters, e.g. `plpgsql volatile security definer`. */
  readonly attributes: string;
}

/** A trigger that calls into seqctl, on a table or under a name that no attachment accounts for. */
export interface StrayTrigger {
  readonly table: string;
  readonly quotedName: string;
  readonly function: string;
}

type Row = Omit<AttachmentFacts, 'expectedBodies'>;

/** All attachments, or those of one series. The search_path must be pg_catalog alone. */
export async function readAttachmentFacts(client: Client, series: string | null): Promise<AttachmentFacts[]> {
  const { rows } = await client.query<Row>(factsQuery, [series]);
  const mayAsk = await mayCall(client, 'seqctl._attachment_functions(integer)');
  const facts: AttachmentFacts[] = [];
  for (const row of rows) {
    const mayHave = mayAsk && row.exists;
    facts.push({ ...row, expectedBodies: mayHave ? await readExpectedBodies(client, row.id) : null });
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
            where p.proname ~ format('^_attachment_%s_', a.id) and p.pronargs = 0
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

async function readExpectedBodies(client: Client, id: number): Promise<Record<string, string>> {
  const { rows } = await client.query<{ kind: string; body: string }>(
    'select f.kind, f.body from seqctl._attachment_functions($1) as f',
    [id],
  );
  return Object.fromEntries(rows.map(({ kind, body }) => [kind, body]));
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
    s.reset <> 'never' as resets,
    a.number_column as "numberColumn",
    a.date_column as "dateColumn",
    a.group_columns::text[] as "groupColumns",
    quote_ident(a.number_column) as "quotedNumberColumn",
    n.nspowner::regrole::text as "schemaOwner",
    coalesce(has_table_privilege(n.nspowner, c.oid, 'select') and has_schema_privilege(n.nspowner, c.relnamespace, 'usage'), true)
        as "ownerMayRead",
    (
        select coalesce(jsonb_agg(jsonb_build_object(
            'role', w.role,
            'name', w.name,
            'exists', t.attnum is not null,
            'type', coalesce(format_type(t.atttypid, t.atttypmod), ''),
            'fits', coalesce(
                case w.role
                    when 'number' then t.atttypid in ('bigint'::regtype, 'integer'::regtype)
                    when 'document number' then t.atttypid in ('text'::regtype, 'varchar'::regtype)
                    when 'date' then b.oid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
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
            'transitionTable', g.tgnewtable
        ) order by g.tgrelid, g.tgname), '[]')
        from pg_trigger as g
        where g.tgrelid = any (relation.oids) and (not g.tgisinternal or g.tgparentid <> 0) and g.tgconstraint = 0
    ) as triggers,
    a.unique_index as "indexName",
    (
        select jsonb_build_object(
            'isValid', x.indisvalid and x.indisready,
            'isUnique', x.indisunique,
            'isPartial', x.indpred is not null,
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
        select coalesce(jsonb_agg(t.attname), '[]')
        from pg_partitioned_table as p
        join pg_attribute as t on t.attrelid = p.partrelid and t.attnum = any (p.partattrs)
        where p.partrelid = a.target
    ) as "partitionColumns",
    exists (select from pg_partitioned_table as p where p.partrelid = a.target and 0 = any (p.partattrs)) as "isPartitionedByExpression",
    (
        select coalesce(jsonb_agg(jsonb_build_object(
            'kind', substring(p.proname from '^_attachment_[0-9]+_(.*)$'),
            'body', p.prosrc,
            'attributes', concat_ws(
                ' ',
                l.lanname,
                case p.provolatile when 'v' then 'volatile' else 'not volatile' end,
                case when p.prosecdef then 'security definer' else 'security invoker' end,
                array_to_string(p.proconfig, ' '),
                case when p.proowner <> n.nspowner then 'owner ' || p.proowner::regrole end
            )
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
