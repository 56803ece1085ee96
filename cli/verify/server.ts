import type { Client } from 'pg';

import type { Finding } from './finding.js';

interface Setting {
  readonly name: string;
  readonly value: string;
  /** Whose setting it is, as ALTER writes it, e.g. `role app`; else `the server`. */
  readonly owner: string;
}

/** Settings with which a crash can lose or damage what was committed, or rows get no numbers. */
export async function checkServer(client: Client): Promise<Finding[]> {
  const { rows } = await client.query<Setting>(`
    select g.name, g.setting as value, 'the server' as owner
    from pg_settings as g
    where g.name in ('fsync', 'full_page_writes')
    union all
    -- What a role or a database has of its own is in the second part.
    select g.name, g.reset_val, 'the server'
    from pg_settings as g
    where g.name in ('synchronous_commit', 'session_replication_role')
        and g.source in ('default', 'configuration file', 'command line', 'environment variable')
    union all
    select
        split_part(c.setting, '=', 1),
        split_part(c.setting, '=', 2),
        concat_ws(' in ', 'role ' || quote_ident(r.rolname), 'database ' || quote_ident(d.datname))
    from pg_db_role_setting as x
    cross join unnest(x.setconfig) as c (setting)
    left join pg_database as d on d.oid = x.setdatabase
    left join pg_roles as r on r.oid = x.setrole
    where split_part(c.setting, '=', 1) in ('synchronous_commit', 'session_replication_role')
        and (d.datname is null or d.datname = current_database())
    order by 1, 3`);
  return rows
    .filter(({ value }) => ['off', 'false', 'no', '0', 'replica'].includes(value.toLowerCase()))
    .map(describe);
}

function describe({ name, owner }: Setting): Finding {
  const object = owner === 'the server' ? `setting ${name}` : `setting ${name} of ${owner}`;
  if (name === 'synchronous_commit') {
    return {
      severity: 'warning',
      area: 'server',
      kind: 'synchronous_commit_off',
      object,
      what: 'is off: a crash of the server loses the last transactions, and their numbers are given again',
      hint: 'Turn it on, or tell nobody a number before await_durable() has returned.',
    };
  }
  if (name === 'session_replication_role') {
    return {
      severity: 'error',
      area: 'server',
      kind: 'triggers_off',
      object,
      what: 'is replica: in such sessions no trigger fires, so rows come in without numbers, and change and go',
      hint: `Take it back (alter ${owner === 'the server' ? 'system' : owner} reset session_replication_role), and set it for one transaction where it is needed.`,
    };
  }
  return {
    severity: 'error',
    area: 'server',
    kind: `${name}_off`,
    object,
    what: 'is off: a crash of the server or a power cut can damage rows and counters',
    hint: `alter system set ${name} = on; select pg_reload_conf();`,
  };
}
