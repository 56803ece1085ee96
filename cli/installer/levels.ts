import type { Client } from 'pg';

import { type AccessLevel, accessLevels, type Grant, readGrants } from '../verify/access.js';

/** A role, and the highest level of access of which it may call every function. */
export interface HeldLevel {
  readonly role: string;
  /** As SQL writes it. */
  readonly quotedRole: string;
  readonly level: AccessLevel;
}

/** Who has which level, and what else must stay as it is when an installation gives the levels again. */
export interface HeldAccess {
  readonly levels: readonly HeldLevel[];
  /** Every right that somebody has, as `rightOf` writes it. */
  readonly rights: ReadonlySet<string>;
  /** What the levels give rights on, and from which level on. */
  readonly given: ReadonlyMap<string, AccessLevel>;
}

/** Reads what `restoreAccess` needs. Empty without an installation. */
export async function readHeldAccess(client: Client): Promise<HeldAccess> {
  const levels = await readHeldLevels(client);
  if (levels.length === 0) return { levels, rights: new Set(), given: new Map() };
  const { rows } = await client.query<{ name: string; level: AccessLevel }>(`
    select 'schema seqctl' as name, 'read' as level
    union all
    select format('table seqctl.%I', c.relname), 'read'
    from pg_class as c
    where c.relnamespace = 'seqctl'::regnamespace and c.relkind in ('r', 'v')
    union all
    select 'function ' || p.oid::regprocedure, g.level
    from seqctl._grantable_functions() as g
    join pg_proc as p on p.oid = to_regprocedure(g.signature)`);
  return {
    levels,
    rights: new Set((await readGrants(client)).map(rightOf)),
    given: new Map(rows.map(({ name, level }) => [name, level])),
  };
}

/**
 * Which roles have which level, judged by the functions that are there: one that somebody dropped takes no level away. And by what the
 * installed version gives, not by the package's list (see summarizeGrants), which may give more.
 */
async function readHeldLevels(client: Client): Promise<readonly HeldLevel[]> {
  const { rows: known } = await client.query<{ exists: boolean }>(
    `select to_regprocedure('seqctl._grantable_functions()') is not null as exists`,
  );
  if (known[0]?.exists !== true) return [];
  const { rows } = await client.query<HeldLevel>(`
    with grantable as (
        select array_position('{read,issue,admin}', g.level) as level, p.oid, p.proowner, p.proacl
        from seqctl._grantable_functions() as g
        join pg_proc as p on p.oid = to_regprocedure(g.signature)
    ),
    granted as (
        select distinct g.oid, g.level, a.grantee
        from grantable as g
        cross join aclexplode(g.proacl) as a
        where a.privilege_type = 'EXECUTE' and a.grantee not in (0, g.proowner)
    ),
    lacking as (
        select r.oid as grantee, min(g.level) as level
        from pg_roles as r
        cross join grantable as g
        where r.oid in (select grantee from granted) and (g.oid, r.oid) not in (select oid, grantee from granted)
        group by r.oid
    )
    -- Where nothing is left of a level, nobody has it.
    select r.rolname::text as role, r.oid::regrole::text as "quotedRole", ('{read,issue,admin}'::text[])[max(g.level)] as level
    from granted as g
    join pg_roles as r on r.oid = g.grantee
    left join lacking as l on l.grantee = g.grantee
    where g.level < coalesce(l.level, 4)
    group by r.oid, r.rolname
    order by r.rolname`);
  return rows;
}

/** Gives the roles what their levels give now. What they gave before, and somebody took away, stays away. */
export async function restoreAccess(client: Client, held: HeldAccess): Promise<void> {
  for (const { role, level } of held.levels)
    await client.query('select seqctl.grant_access($1::text::name, $2)', [role, level]);
  const levelOf = new Map(held.levels.map(({ quotedRole, level }) => [quotedRole, level]));
  for (const grant of await readGrants(client)) {
    const level = levelOf.get(grant.grantee);
    const given = held.given.get(grant.right.split(' on ')[1] ?? '');
    if (level === undefined || given === undefined || held.rights.has(rightOf(grant))) continue;
    if (accessLevels.indexOf(given) <= accessLevels.indexOf(level))
      await client.query(`revoke ${grant.right} from ${grant.grantee}`);
  }
}

function rightOf({ grantee, right }: Grant): string {
  return `${right} to ${grantee}`;
}
