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
  if (!(await isInstalled(client))) return { levels: [], rights: new Set(), given: new Map() };
  return {
    levels: await readHeldLevels(client),
    rights: new Set((await readGrants(client)).map(rightOf)),
    given: await readGiven(client),
  };
}

/** Which level gives a right on what. */
async function readGiven(client: Client): Promise<ReadonlyMap<string, AccessLevel>> {
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
  return new Map(rows.map(({ name, level }) => [name, level]));
}

async function isInstalled(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regprocedure('seqctl._grantable_functions()') is not null as exists`,
  );
  return rows[0]?.exists === true;
}

/**
 * Which roles have which level, judged by the functions that are there: one that somebody dropped takes no level away. And by what the
 * installed version gives, not by the package's list (see summarizeGrants), which may give more.
 */
async function readHeldLevels(client: Client): Promise<readonly HeldLevel[]> {
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

/**
 * Gives the roles what their levels give now, and nobody anything else: what they gave before, and somebody took away, stays away; what
 * ALTER DEFAULT PRIVILEGES gave on objects that were just made is taken back. Rights that were there stay.
 */
export async function restoreAccess(client: Client, held: HeldAccess): Promise<void> {
  for (const { role, level } of held.levels)
    await client.query('select seqctl._grant_level($1::text::name, $2, false)', [role, level]);
  const levelOf = new Map(held.levels.map(({ quotedRole, level }) => [quotedRole, level]));
  const given = await readGiven(client);
  for (const grant of await readGrants(client)) {
    const [privilege = '', object = ''] = grant.right.split(' on ');
    const level = levelOf.get(grant.grantee);
    const wasTaken = reaches(level, held.given.get(object));
    const isNew = reaches(level, given.get(object)) && givable.has(privilege) && !wasTaken;
    if (isNew || held.rights.has(rightOf(grant))) continue;
    // With grant option it is there twice, and gone at once.
    await client.query(
      `revoke ${privilege} on ${object.replace(/ with grant option$/, '')} from ${grant.grantee}`,
    );
  }
}

function reaches(level: AccessLevel | undefined, given: AccessLevel | undefined): boolean {
  return (
    level !== undefined && given !== undefined && accessLevels.indexOf(given) <= accessLevels.indexOf(level)
  );
}

/** What grant_access gives. */
const givable = new Set(['USAGE', 'SELECT', 'EXECUTE']);

function rightOf({ grantee, right }: Grant): string {
  return `${right} to ${grantee}`;
}
