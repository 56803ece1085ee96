import { expect, test } from 'vitest';

import { useDatabase } from '../support/database.js';
import { expectExact } from '../support/numbering.js';
import { useRoles } from '../support/roles.js';
import { waitUntilBlocked } from '../support/session.js';

const makeRole = useRoles();
const database = useDatabase();

const attach = `select seqctl.attach('papers', 'papers')`;
const detach = `select seqctl.detach('papers')`;

/** The first statements are done, the second statement waits, the first is committed: what becomes of the second. */
async function race(first: readonly string[], second: string): Promise<{ code: string }> {
  const a = await database.session('A');
  const b = await database.session('B');
  await a.query('begin');
  for (const statement of first) await a.query(statement);
  const { result } = b.start(second);
  await waitUntilBlocked(b, a);
  await a.query('commit');
  return result.then(
    () => ({ code: '00000' }),
    (error: unknown) => error as { code: string },
  );
}

test('what another session has done meanwhile is taken as it is, or refused in seqctl’s words', async () => {
  await database.execute(`
    select seqctl.create_series('papers', reset => 'never');
    create table papers (id int, number bigint) partition by range (id);
    create table papers_1 partition of papers default;
    ${attach}`);
  expect(await race([detach], detach)).toMatchObject({ code: 'SQ009' });
  await database.execute(attach);
  expect(await race([detach], `select seqctl.attach_partitions('papers')`)).toMatchObject({ code: 'SQ009' });
  await database.execute(attach);
  // It detaches the new attachment.
  expect(await race([detach, attach], detach)).toEqual({ code: '00000' });
  await database.execute(`${attach}; insert into papers values (1)`);
  await expectExact(database);

  await database.execute(`select seqctl.create_series('gone')`);
  const drop = `select seqctl.drop_series('gone')`;
  expect(await race([drop], drop)).toMatchObject({ code: 'SQ001' });

  const { name } = await makeRole('granted');
  const grant = (level: string): string => `select seqctl.grant_access('${name}', '${level}')`;
  expect(await race([grant('admin')], grant('read'))).toEqual({ code: '00000' });
  expect(await race([grant('issue')], `select seqctl.revoke_access('${name}')`)).toEqual({ code: '00000' });
});
