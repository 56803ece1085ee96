import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';

import { type AccessLevel, accessLevels, readGrants } from '../../cli/verify/access.js';
import { readCatalogue } from '../../cli/verify/catalogue.js';
import { manifestPath } from '../../cli/verify/manifest.js';
import { withClient } from '../support/connect.js';
import { useDatabase } from '../support/database.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();
const database = useDatabase();

/** Taken from a real installation. Bodies are left out: verify compares them with the files of sql/functions/. So is ''. */
async function makeManifest(): Promise<string> {
  const role = (await makeRole('manifest')).name;
  return withClient(database.url, async (client) => {
    await client.query('set search_path = pg_catalog');
    const objects = (await readCatalogue(client)).map(({ kind, name, parent, properties }) => ({
      kind,
      name,
      parent,
      properties: Object.fromEntries(
        Object.entries(properties).filter(([key, value]) => key !== 'body' && value !== ''),
      ),
    }));
    const access: Record<AccessLevel, string[]> = { read: [], issue: [], admin: [] };
    const seen = new Set<string>();
    for (const level of accessLevels) {
      await client.query('select seqctl.grant_access($1, $2)', [role, level]);
      const rights = (await readGrants(client)).filter(({ grantee }) => grantee === role);
      access[level] = rights.map(({ right }) => right).filter((right) => !seen.has(right));
      for (const { right } of rights) seen.add(right);
    }
    const manifest = { objects, access };
    const options = await resolveConfig(manifestPath);
    return format(JSON.stringify(manifest), { ...options, parser: 'json' });
  });
}

test('sql/manifest.json is what an installation looks like', async () => {
  const manifest = await makeManifest();
  try {
    await expect(manifest).toMatchFileSnapshot(manifestPath);
  } catch (cause) {
    throw new Error('sql/manifest.json is out of date: run npm run manifest', { cause });
  }
});
