import { createHash } from 'node:crypto';

import { expect } from 'vitest';

import { briefly, verifyUrl } from './verify.js';
import type { TestDatabase } from './database.js';

interface Link {
  readonly series: string;
  readonly group_key: string;
  readonly period: string;
  readonly ordinal: string;
  readonly number: string;
  readonly document_number: string | null;
  readonly on_date: string | null;
  readonly attachment_id: number | null;
  readonly content: string | null;
  readonly replaces: string | null;
  readonly issued_at: string;
  readonly issued_by: string;
  readonly hash: string;
}

/** Every link, in the order of its chain; bytes in hexadecimal digits, times as JSON has them. */
export function readLinks(database: TestDatabase, series?: string): Promise<Link[]> {
  return database.rows<Link & Record<string, unknown>>(
    `select s.name as series, k.group_key, to_json(k.period) #>> '{}' as period, k.ordinal, k.number, k.document_number,
        to_json(k.on_date) #>> '{}' as on_date,
        k.attachment_id, encode(k.content, 'hex') as content, k.replaces, to_json(timezone('UTC', k.issued_at)) #>> '{}' as issued_at,
        k.issued_by, encode(k.hash, 'hex') as hash
     from seqctl.chain_link k join seqctl.series s on s.id = k.series_id
     where $1::text is null or s.name = $1
     order by 1, k.group_key collate "C", k.period, k.ordinal`,
    [series ?? null],
  );
}

/** As PostgreSQL writes a JSON array. */
function jsonArray(values: readonly (string | bigint | null)[]): string {
  return `[${values.map((value) => (typeof value === 'bigint' ? value.toString() : JSON.stringify(value))).join(', ')}]`;
}

const sha256 = (...parts: (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

const integer = (text: string | null): bigint | null => (text === null ? null : BigInt(text));

/**
 * Every number of every series with a chain (or of one), from its first to the counter's last (but for those before adoption), has one link in use; ordinals are
 * 1 … n; the hashes are what the documentation says, worked out here; and verify finds nothing.
 */
export async function expectChained(database: TestDatabase, series?: string): Promise<void> {
  const before = new Map<string, Link>();
  for (const link of await readLinks(database, series)) {
    const key = `${link.series}\u0001${link.group_key}\u0001${link.period}`;
    const last = before.get(key);
    expect(BigInt(link.ordinal)).toBe(BigInt(last?.ordinal ?? '0') + 1n);
    const start = sha256(jsonArray(['seqctl', link.series, link.group_key, link.period]));
    const text = jsonArray([
      BigInt(link.ordinal),
      BigInt(link.number),
      link.document_number,
      link.on_date,
      integer(link.attachment_id?.toString() ?? null),
      link.content,
      integer(link.replaces),
      link.issued_at,
      link.issued_by,
    ]);
    expect(link.hash, key).toBe(sha256(Buffer.from(last?.hash ?? start, 'hex'), text));
    before.set(key, link);
  }
  const odd = await database.rows(
    `with checked as (
        select s.* from seqctl.series s where s.chain and ($1::text is null or s.name = $1)
     ),
     used as (
        select k.series_id, k.group_key, k.period, k.number, count(*) as links
        from seqctl.chain_link k
        join checked s on s.id = k.series_id
        where not exists (
            select from seqctl.chain_link l
            where l.series_id = k.series_id and l.group_key = k.group_key and l.period = k.period and l.replaces = k.ordinal
        )
        group by 1, 2, 3, 4
     ),
     wanted as (
        select c.series_id, c.group_key, c.period, n.number
        from seqctl.counter c
        join checked s on s.id = c.series_id
        cross join lateral generate_series(s.first_number, c.last_number) n (number)
        where not exists (
            select from seqctl.voided_range v
            where v.series_id = c.series_id and v.group_key = c.group_key and v.period = c.period
                and v.kind = 'before adoption' and n.number between v.from_number and v.to_number
        )
     )
     select w.*, u.* from wanted w full join used u using (series_id, group_key, period, number) where u.links is distinct from 1 or w.number is null
     limit 20`,
    [series ?? null],
  );
  expect(odd, 'numbers that have not exactly one link').toEqual([]);
  const { findings } = await verifyUrl(database.url, series);
  expect(
    findings.filter(({ kind, severity }) => kind.startsWith('chain_') && severity === 'error').map(briefly),
  ).toEqual([]);
}
