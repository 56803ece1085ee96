import type { Client } from 'pg';

import type { Finding } from './finding.js';

export const accessLevels = ['read', 'issue', 'admin'] as const;
export type AccessLevel = (typeof accessLevels)[number];

/** Rights as GRANT writes them, e.g. `SELECT on table seqctl.counters` (a view, too, is a table there), by level. */
export type AccessRights = Readonly<Record<AccessLevel, readonly string[]>>;

/** One right that somebody other than the owner has in schema seqctl. */
export interface Grant {
  /** As SQL writes it; `PUBLIC` for everybody. */
  readonly grantee: string;
  readonly right: string;
}

/** What a role may do in schema seqctl. */
export interface RoleAccess {
  readonly role: string;
  /** The highest level of which it has every right; null when it has not even those of `read`. */
  readonly level: AccessLevel | null;
  /** Rights that grant_access gives nobody. */
  readonly beyond: readonly string[];
  /** It has some rights of the next level. */
  readonly isPartial: boolean;
}

/** Reads every right on schema seqctl and what is in it. The search_path must be pg_catalog alone. */
export async function readGrants(client: Client): Promise<Grant[]> {
  const { rows } = await client.query<Grant>(`
    with seqctl as (
        select oid, nspowner, nspacl
        from pg_namespace
        where nspname = 'seqctl'
    ),
    object as (
        select 'schema seqctl' as name, null as column_name, nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl
        from seqctl
        union all
        select 'function ' || p.oid::regprocedure, null, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_proc as p
        join seqctl on seqctl.oid = p.pronamespace
        union all
        select
            format('%s seqctl.%I', case c.relkind when 'S' then 'sequence' else 'table' end, c.relname),
            null,
            c.relowner,
            coalesce(c.relacl, acldefault((case c.relkind when 'S' then 's' else 'r' end)::"char", c.relowner))
        from pg_class as c
        join seqctl on seqctl.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        union all
        select format('table seqctl.%I', c.relname), quote_ident(a.attname), c.relowner, a.attacl
        from pg_class as c
        join seqctl on seqctl.oid = c.relnamespace
        join pg_attribute as a on a.attrelid = c.oid and not a.attisdropped
        where a.attacl is not null
    )
    select
        case when g.grantee = 0 then 'PUBLIC' else g.grantee::regrole::text end as grantee,
        concat(g.privilege_type, ' (' || o.column_name || ')', ' on ', o.name, suffix.text) as right
    from object as o
    cross join aclexplode(o.acl) as g
    join (values (''), (' with grant option')) as suffix (text) on suffix.text = '' or g.is_grantable
    where g.grantee <> o.owner
        -- A condition is a pure function of a row, asked with the rights of whoever writes the row.
        and not (g.grantee = 0 and o.name ~ '^function seqctl\\._attachment_[0-9]+_issues\\(')
        -- Who makes a partition needs the functions of the row triggers.
        and not exists (
            select
            from seqctl.attachment as a
            join pg_class as c on c.oid = a.target
            where c.relkind = 'p'
                and c.relowner = g.grantee
                and not g.is_grantable
                and o.name ~ format('^function seqctl\\._attachment_%s_(number|refuse|issue|protect|keep|move|late)\\(', a.id)
        )
    order by 1, 2`);
  return rows;
}

/** Sums up who may do what; PUBLIC is a role here. */
export function summarizeGrants(rights: AccessRights, grants: readonly Grant[]): RoleAccess[] {
  const byRole = new Map<string, Grant[]>();
  for (const grant of grants) {
    const own = byRole.get(grant.grantee);
    if (own === undefined) byRole.set(grant.grantee, [grant]);
    else own.push(grant);
  }
  const levelOf = new Map(accessLevels.flatMap((level) => rights[level].map((right) => [right, level])));
  return [...byRole].map(([role, own]) => {
    const granted = new Set(own.map(({ right }) => right));
    const complete = accessLevels.findIndex((level) => !rights[level].every((right) => granted.has(right)));
    const levels = complete < 0 ? accessLevels.length : complete;
    const higher = accessLevels.slice(levels).flatMap((level) => rights[level]);
    return {
      role,
      level: accessLevels[levels - 1] ?? null,
      beyond: [...granted].filter((right) => !levelOf.has(right)),
      isPartial: higher.some((right) => granted.has(right)),
    };
  });
}

/** PUBLIC may have nothing; a role what grant_access gives. */
export function checkAccess(rights: AccessRights, grants: readonly Grant[]): Finding[] {
  const ofPublic = grants
    .filter(({ grantee }) => grantee === 'PUBLIC')
    .map(({ right }): Finding => {
      const [privilege = '', object = ''] = right.split(' on ');
      return {
        severity: 'error',
        area: 'installation',
        kind: 'grant_to_public',
        object,
        what: `everybody (PUBLIC) has ${privilege} on it`,
        hint: `revoke all on ${object} from public;`,
      };
    });
  const roles = grants.filter(({ grantee }) => grantee !== 'PUBLIC');
  const ofRoles = summarizeGrants(rights, roles).flatMap(({ role, level, beyond, isPartial }) => {
    const about = { area: 'installation', object: `role ${role}` } as const;
    const findings: Finding[] = beyond.map((right) => ({
      ...about,
      severity: 'error',
      kind: 'grant_beyond_levels',
      what: `has ${right}, which no level gives`,
      hint: `revoke ${right.replace(/ with grant option$/, '')} from ${role};`,
    }));
    if (isPartial) {
      findings.push({
        ...about,
        severity: 'warning',
        kind: 'partial_grant',
        what:
          level === null
            ? 'has some rights of level read only'
            : `has more than level ${level}, less than the next`,
        hint: `Run seqctl grant ${role} with the level it should have (or seqctl revoke ${role} first).`,
      });
    }
    return findings;
  });
  return [...ofPublic, ...ofRoles];
}
