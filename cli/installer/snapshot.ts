import type { Client } from 'pg';

/** One object of the database that belongs to seqctl. */
export interface CatalogueObject {
  /** e.g. `function`, `table`, `column`, `trigger`. */
  readonly kind: string;
  /** Unique within its kind, e.g. `seqctl.counter.group_key`. */
  readonly name: string;
  /** The object it is part of and goes with, e.g. the table of a column, as `kind name`; else null. */
  readonly parent: string | null;
  /** Everything about it that an installation can change, as comparable text. */
  readonly definition: string;
}

/** Every object of schema seqctl, the migrations that ran, and the triggers anywhere that call into the schema. */
export type Snapshot = readonly CatalogueObject[];

export interface Change {
  readonly action: 'create' | 'change' | 'drop';
  readonly kind: string;
  readonly name: string;
}

/** Reads the catalogue. Works with or without an installation. */
export async function takeSnapshot(client: Client): Promise<Snapshot> {
  const { rows } = await client.query<CatalogueObject>(snapshotQuery);
  const { rows: migrationTable } = await client.query<{ exists: boolean }>(
    `select to_regclass('seqctl.migration') is not null as exists`,
  );
  if (migrationTable[0]?.exists !== true) return rows;
  const { rows: migrations } = await client.query<CatalogueObject>(
    `select 'migration' as kind, name, null as parent, '' as definition from seqctl.migration order by name`,
  );
  return [...migrations, ...rows];
}

/** What turns `before` into `after`. The parts of a new or dropped object are not listed: they go with it. */
export function diffSnapshots(before: Snapshot, after: Snapshot): Change[] {
  const old = byIdentity(before);
  const current = byIdentity(after);
  const all = new Map([...old, ...current]);
  const changes: Change[] = [];
  for (const [identity, { kind, name, parent }] of all) {
    const was = old.get(identity);
    const is = current.get(identity);
    if (was?.definition === is?.definition) continue;
    const parentStays = parent === null || (old.has(parent) && current.has(parent));
    if (!parentStays) continue;
    changes.push({ action: was === undefined ? 'create' : is === undefined ? 'drop' : 'change', kind, name });
  }
  return changes;
}

function byIdentity(snapshot: Snapshot): Map<string, CatalogueObject> {
  return new Map(snapshot.map((object) => [`${object.kind} ${object.name}`, object]));
}

/** Rights as text, in one order. None written down, as after a restore, means the default ones. */
function rightsOf(list: string, kind: string, owner: string): string {
  return `(select string_agg(a::text, ',' order by a::text) from unnest(coalesce(${list}, acldefault('${kind}', ${owner}))) as a)`;
}

const snapshotQuery = `
with seqctl as (
    select oid, nspowner, nspacl
    from pg_catalog.pg_namespace
    where nspname = 'seqctl'
),
relation as (
    select
        c.*,
        format('%I.%I', 'seqctl', c.relname) as full_name,
        case c.relkind
            when 'v' then 'view'
            when 'm' then 'materialized view'
            when 'S' then 'sequence'
            when 'c' then 'type'
            else 'table'
        end as kind
    from pg_catalog.pg_class as c
    join seqctl on seqctl.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S', 'c', 'f')
)

select 'schema' as kind, 'seqctl' as name, null as parent,
    concat_ws(e'\\n', nspowner::regrole, ${rightsOf('nspacl', 'n', 'nspowner')}, obj_description(oid, 'pg_namespace')) as definition
from seqctl
union all
select 'function', p.oid::regprocedure::text, null,
    concat_ws(
        e'\\n',
        case
            when p.prokind in ('f', 'p', 'w') then pg_get_functiondef(p.oid)
            else (select concat(g.aggtransfn::regprocedure, ' ', g.aggtranstype::regtype) from pg_catalog.pg_aggregate as g where g.aggfnoid = p.oid)
        end,
        p.proowner::regrole,
        ${rightsOf('p.proacl', 'f', 'p.proowner')},
        obj_description(p.oid, 'pg_proc')
    )
from pg_catalog.pg_proc as p
join seqctl on seqctl.oid = p.pronamespace
union all
select r.kind, r.full_name, null,
    concat_ws(
        e'\\n',
        r.relkind,
        r.relowner::regrole,
        case r.relkind when 'S' then ${rightsOf('r.relacl', 's', 'r.relowner')} else ${rightsOf('r.relacl', 'r', 'r.relowner')} end,
        r.reloptions::text,
        r.relpersistence,
        r.relrowsecurity::text,
        r.relforcerowsecurity::text,
        case when r.relkind in ('v', 'm') then pg_get_viewdef(r.oid) end,
        obj_description(r.oid, 'pg_class')
    )
from relation as r
union all
select 'column', format('%s.%I', r.full_name, a.attname), r.kind || ' ' || r.full_name,
    concat_ws(
        e'\\n',
        format_type(a.atttypid, a.atttypmod),
        a.attnotnull::text,
        'identity ' || a.attidentity::text,
        'generated ' || a.attgenerated::text,
        a.attacl::text,
        pg_get_expr(d.adbin, d.adrelid),
        col_description(r.oid, a.attnum)
    )
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef as d on d.adrelid = r.oid and d.adnum = a.attnum
where r.relkind in ('r', 'p', 'v', 'm', 'c', 'f')
union all
select 'constraint', format('%s.%I', r.full_name, k.conname), r.kind || ' ' || r.full_name,
    concat_ws(e'\\n', pg_get_constraintdef(k.oid), k.convalidated::text, obj_description(k.oid, 'pg_constraint'))
from relation as r
join pg_catalog.pg_constraint as k on k.conrelid = r.oid
union all
select 'index', format('%I.%I', 'seqctl', i.relname), r.kind || ' ' || r.full_name,
    concat_ws(e'\\n', pg_get_indexdef(x.indexrelid), x.indisvalid::text, obj_description(x.indexrelid, 'pg_class'))
from relation as r
join pg_catalog.pg_index as x on x.indrelid = r.oid
join pg_catalog.pg_class as i on i.oid = x.indexrelid
union all
select 'type', t.oid::regtype::text, null,
    concat_ws(
        e'\\n',
        t.typtype,
        t.typowner::regrole,
        ${rightsOf('t.typacl', 'T', 't.typowner')},
        format_type(t.typbasetype, t.typtypmod),
        t.typnotnull::text,
        t.typdefault,
        (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_catalog.pg_enum as e where e.enumtypid = t.oid),
        (select string_agg(pg_get_constraintdef(k.oid), ',' order by k.conname) from pg_catalog.pg_constraint as k where k.contypid = t.oid),
        obj_description(t.oid, 'pg_type')
    )
from pg_catalog.pg_type as t
join seqctl on seqctl.oid = t.typnamespace
where t.typtype in ('d', 'e', 'r')
union all
select 'trigger', format('%I on %s', g.tgname, g.tgrelid::regclass), null,
    concat_ws(e'\\n', pg_get_triggerdef(g.oid), g.tgenabled, obj_description(g.oid, 'pg_trigger'))
from pg_catalog.pg_trigger as g
join pg_catalog.pg_proc as p on p.oid = g.tgfoid
join seqctl on seqctl.oid = p.pronamespace
where not g.tgisinternal
order by 1, 2`;
