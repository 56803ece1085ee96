import { expect, test } from 'vitest';

import { withClient } from '../support/connect.js';
import { briefly, inDatabase, partitioned, verifyUrl } from '../support/verify.js';

/** Numbers of one counter in two partitions. */
const byTill = `
  select seqctl.create_series('slip', reset => 'never');
  create table slips (till text not null, number bigint) partition by list (till);
  create table slips_a partition of slips for values in ('a');
  create table slips_b partition of slips for values in ('b');
  select seqctl.attach('slips', 'slip');
  insert into slips values ('a'), ('b'), ('a');`;

test('a partition made after attach: its hint repairs what the warning says, in one call', () =>
  inDatabase(
    `${partitioned}
     create table receipts_2027 partition of receipts for values from ('2027-01-01') to ('2028-01-01');
     create table receipts_2028 (like receipts);
     alter table receipts attach partition receipts_2028 for values from ('2028-01-01') to ('2029-01-01');
     insert into receipts values ('2027-05-01'), ('2028-05-01');`,
    async (database) => {
      const { findings } = await verifyUrl(database.url);
      expect(findings.map(briefly)).toEqual([
        'warning partition_without_settle public.receipts_2027',
        'warning partition_without_settle public.receipts_2028',
      ]);
      const [finding] = findings;
      expect(finding?.what).toContain('a TRUNCATE of this partition is not refused');
      await withClient(database.url, async (client) => {
        // That is so, and it is missed.
        await client.query('begin');
        await client.query('truncate receipts_2028');
        await client.query('rollback');
        await client.query(finding?.hint ?? '');
        for (const table of ['receipts_2027', 'receipts_2028']) {
          await expect(client.query(`truncate ${table}`)).rejects.toMatchObject({ code: 'SQ022' });
        }
      });
      expect((await verifyUrl(database.url)).findings).toEqual([]);
    },
  ));

test.each([
  ['detached', 'alter table slips detach partition slips_b; drop table slips_b'],
  ['dropped', 'drop table slips_b'],
  ['truncated, having been made later', 'create table slips_c partition of slips default; truncate slips_b'],
])('issued rows of a partition that was %s are missing', (what, sql) =>
  inDatabase(
    what === 'detached' || what === 'dropped'
      ? byTill
      : byTill
          .replace(/create table slips_b.*/, '')
          .replace('insert', `create table slips_b partition of slips for values in ('b'); insert`),
    async (database) => {
      await database.execute(sql);
      const { findings, errors } = await verifyUrl(database.url);
      expect(errors).toBe(1);
      const gap = findings.find(({ severity }) => severity === 'error');
      expect(gap).toMatchObject({ kind: 'missing_numbers', object: 'slip' });
      expect(gap?.what).toMatch(/number 2 is missing, between 1 and 3/);
      expect(gap?.hint).toContain('partition');
    },
  ),
);

test('a partition that brings rows with numbers: those that are there twice, or that no counter gave', () =>
  inDatabase(byTill, async (database) => {
    await database.execute(`
      create table slips_c (like slips);
      insert into slips_c values ('c', 2), ('c', 9);
      alter table slips attach partition slips_c for values in ('c')`);
    const { findings } = await verifyUrl(database.url);
    expect(findings.filter(({ severity }) => severity === 'error').map(briefly)).toEqual([
      'error duplicate_numbers slip',
      'error counter_behind slip',
      'error missing_numbers slip',
    ]);
  }));

test.each([
  ['by a column', 'hash (id)', ''],
  // There can be no unique index then.
  ['by an expression', 'range ((id + 0))', ' partition of nested_a for values from (minvalue) to (maxvalue)'],
])('a partition that is partitioned itself, %s of its own', (_, key, range) =>
  inDatabase(
    `select seqctl.create_series('nested', reset => 'never');
     create table nested (id bigint not null, till text not null, number bigint) partition by list (till);
     create table nested_a partition of nested for values in ('a') partition by ${key};
     create table nested_a_1 ${range === '' ? 'partition of nested_a for values with (modulus 1, remainder 0)' : range};
     create table nested_b partition of nested for values in ('b');
     select seqctl.attach('nested', 'nested');
     insert into nested values (1, 'a'), (2, 'b'), (3, 'a')`,
    async (database) => {
      expect((await verifyUrl(database.url)).findings).toEqual([]);
    },
  ),
);
