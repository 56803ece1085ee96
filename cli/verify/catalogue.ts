import type { Client } from 'pg';

/** An object of schema seqctl, as far as an installation decides about it. */
export interface InstalledObject {
  readonly kind: string;
  readonly name: string;
  /** The table or view it is part of, as `kind name`; else null. */
  readonly parent: string | null;
  /** Name and value of each property, in words that mean the same on every version of PostgreSQL. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface OwnedObject extends InstalledObject {
  /** null where PostgreSQL has no owner of its own for the kind. */
  readonly owner: string | null;
}

/** Reads schema seqctl, without what attachments generated. The search_path must be pg_catalog alone. */
export async function readCatalogue(client: Client): Promise<OwnedObject[]> {
  const { rows } = await client.query<OwnedObject>(catalogueQuery);
  return rows;
}

// No NOT NULL constraints (PostgreSQL 18 lists them, older ones do not; the columns tell) and no comments (harmless).
const catalogueQuery = `
with seqctl as (
    select oid, nspowner
    from pg_namespace
    where nspname = 'seqctl'
),
relation as (
    select
        c.*,
        format('seqctl.%I', c.relname) as full_name,
        case c.relkind
            when 'v' then 'view'
            when 'm' then 'materialized view'
            when 'S' then 'sequence'
            when 'c' then 'type'
            when 'f' then 'foreign table'
            else 'table'
        end as kind
    from pg_class as c
    join seqctl on seqctl.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S', 'c', 'f')
)
select 'schema' as kind, 'seqctl' as name, null as parent, nspowner::regrole::text as owner, '{}'::jsonb as properties
from seqctl
union all
select 'function', p.oid::regprocedure::text, null, p.proowner::regrole::text,
    jsonb_build_object(
        'kind', p.prokind,
        'arguments', pg_get_function_arguments(p.oid),
        'result', coalesce(pg_get_function_result(p.oid), ''),
        'language', l.lanname,
        'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
        'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end,
        'security', case when p.prosecdef then 'definer' else 'invoker' end,
        'strict', p.proisstrict::text,
        'leakproof', p.proleakproof::text,
        'settings', coalesce(array_to_string(p.proconfig, '; '), ''),
        'step', coalesce((select g.aggtransfn::regprocedure::text from pg_aggregate as g where g.aggfnoid = p.oid), ''),
        'body', case when p.prokind = 'a' then '' else p.prosrc end
    )
from pg_proc as p
join seqctl on seqctl.oid = p.pronamespace
join pg_language as l on l.oid = p.prolang
where p.proname !~ '^_attachment_[0-9]+_'
union all
select r.kind, r.full_name, null, r.relowner::regrole::text,
    jsonb_build_object(
        'options', coalesce(array_to_string(r.reloptions, '; '), ''),
        'row security', concat(r.relrowsecurity, ' ', r.relforcerowsecurity),
        'replica identity', r.relreplident,
        'partition', r.relispartition::text
    ) || case r.relkind
        when 'v' then jsonb_build_object('definition', pg_get_viewdef(r.oid))
        when 'S' then (
            select jsonb_build_object(
                'sequence', format('%s %s from %s to %s by %s', q.seqtypid::regtype, q.seqstart, q.seqmin, q.seqmax, q.seqincrement)
            )
            from pg_sequence as q
            where q.seqrelid = r.oid
        )
        else '{}'
    end || case
        -- Before PostgreSQL 15, the sequence of an unlogged table's identity column is logged.
        when r.relkind = 'S' then '{}'
        else jsonb_build_object('persistence', r.relpersistence)
    end
from relation as r
union all
select 'column', format('%s.%I', r.full_name, a.attname), r.kind || ' ' || r.full_name, null,
    jsonb_build_object(
        'type', format_type(a.atttypid, a.atttypmod),
        'not null', a.attnotnull::text,
        'identity', a.attidentity,
        'generated', a.attgenerated,
        'default', coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
        'collation', coalesce(
            (select k.collname from pg_collation as k where k.oid = a.attcollation and k.collname not in ('default', 'C')), ''
        )
    )
from relation as r
join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = r.oid and d.adnum = a.attnum
where r.relkind in ('r', 'p', 'v', 'm', 'c', 'f')
union all
select 'constraint', format('%s.%I', r.full_name, k.conname), r.kind || ' ' || r.full_name, null,
    jsonb_build_object('definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated::text)
from relation as r
join pg_constraint as k on k.conrelid = r.oid
where k.contype not in ('n', 't')
union all
select 'index', format('seqctl.%I', i.relname), r.kind || ' ' || r.full_name, null,
    jsonb_build_object('definition', pg_get_indexdef(x.indexrelid), 'valid', (x.indisvalid and x.indisready)::text)
from relation as r
join pg_index as x on x.indrelid = r.oid
join pg_class as i on i.oid = x.indexrelid
union all
select 'trigger', format('%I on %s', g.tgname, r.full_name), r.kind || ' ' || r.full_name, null,
    jsonb_build_object('definition', pg_get_triggerdef(g.oid), 'enabled', g.tgenabled)
from relation as r
join pg_trigger as g on g.tgrelid = r.oid
where not g.tgisinternal
union all
select 'foreign key trigger', format('%I on %s', k.conname, g.tgrelid::regclass), r.kind || ' ' || r.full_name, null,
    jsonb_build_object('enabled', string_agg(g.tgenabled, '' order by g.tgtype))
from relation as r
join pg_constraint as k on k.conrelid = r.oid
join pg_trigger as g on g.tgconstraint = k.oid and g.tgisinternal
group by 2, r.kind, r.full_name
union all
select 'rule', format('%I on %s', w.rulename, r.full_name), r.kind || ' ' || r.full_name, null,
    jsonb_build_object('definition', pg_get_ruledef(w.oid), 'enabled', w.ev_enabled)
from relation as r
join pg_rewrite as w on w.ev_class = r.oid
where w.rulename <> '_RETURN'
union all
select 'policy', format('%I on %s', y.polname, r.full_name), r.kind || ' ' || r.full_name, null, '{}'
from relation as r
join pg_policy as y on y.polrelid = r.oid
union all
select 'type', t.oid::regtype::text, null, t.typowner::regrole::text, jsonb_build_object('kind', t.typtype)
from pg_type as t
join seqctl on seqctl.oid = t.typnamespace
where t.typtype in ('d', 'e', 'r', 'b') and t.typelem = 0
order by 1, 2`;
