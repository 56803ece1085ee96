import { afterAll, inject } from 'vitest';

import { withClient } from './connect.js';

export interface TestRole {
  readonly name: string;
  readonly password: string;
}

/**
 * Call at the top of a test file: makes roles that can log in. Roles belong to the server, not to a database, hence
 * the names of the run and of the worker in front: files run side by side. What they own is dropped with the databases of the file: call this before useDatabase.
 */
export function useRoles(): (name: string) => Promise<TestRole> {
  const made: string[] = [];
  afterAll(async () => {
    await withClient(inject('serverUrl'), async (client) => {
      // A database that was kept because a test failed may still hold objects of the role.
      for (const name of made) await client.query(`drop role if exists ${name}`).catch(() => undefined);
    });
  });
  return async (name) => {
    const role = {
      name: `${inject('runName')}_${process.env['VITEST_POOL_ID'] ?? '0'}_${name}`,
      password: 'p@ss/w#rd?%:',
    };
    await withClient(inject('serverUrl'), (client) =>
      client.query(`create role ${role.name} login password '${role.password}'`),
    );
    made.push(role.name);
    return role;
  };
}
