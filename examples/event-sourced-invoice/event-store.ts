import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import type pg from 'pg';
import type { Queryable } from 'seqctl';

/** What an event is to the store: a name and what happened, as JSON. */
export interface StoredEvent {
  readonly type: string;
  readonly data: object;
}

/** Somebody else wrote to the stream since it was read. */
export class StreamMovedError extends Error {}

/** A stream as far as it was read. */
export interface Stream<E extends StoredEvent> {
  readonly name: string;
  /** Of the last event; -1: there is none yet. */
  readonly version: number;
  readonly events: readonly E[];
}

/** Events in PostgreSQL, in Message DB. A stream is named `category-id`. */
export async function readStream<E extends StoredEvent>(client: Queryable, name: string): Promise<Stream<E>> {
  const { rows } = await client.query(
    'select type, data, position from message_store.get_stream_messages($1, 0, -1)',
    [name],
  );
  const messages = rows as { type: string; data: string; position: string }[];
  return {
    name,
    version: Number(messages.at(-1)?.position ?? -1),
    events: messages.map(({ type, data }) => ({ type, data: JSON.parse(data) as object }) as E),
  };
}

/** @throws StreamMovedError when the stream has more events than were read */
export async function append<E extends StoredEvent>(
  client: Queryable,
  { name, version }: Pick<Stream<E>, 'name' | 'version'>,
  { type, data }: E,
): Promise<void> {
  try {
    await client.query('select message_store.write_message($1, $2, $3, $4, null, $5)', [
      randomUUID(),
      name,
      type,
      JSON.stringify(data),
      version,
    ]);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Wrong expected version'))
      throw new StreamMovedError(error.message, { cause: error });
    throw error;
  }
}

/** The streams of a category, in the order in which they began. */
export async function streamsOf(client: Queryable, category: string): Promise<string[]> {
  const { rows } = await client.query(
    `select stream_name as name
     from message_store.get_category_messages($1, 1, -1)
     where position = 0
     order by global_position`,
    [category],
  );
  return (rows as { name: string }[]).map(({ name }) => name);
}

/** What install.sh of Message DB does, without psql, a role and pgcrypto, which PostgreSQL 13 and newer do not need. */
const files = [
  'schema/message-store',
  'tables/messages',
  'types/message',
  ...['message-store-version', 'hash-64', 'acquire-lock', 'category', 'is-category', 'id', 'cardinal-id'].map(
    (name) => `functions/${name}`,
  ),
  ...['stream-version', 'write-message', 'get-stream-messages', 'get-category-messages'].map(
    (name) => `functions/${name}`,
  ),
  'functions/get-last-stream-message',
  ...['id', 'stream', 'category'].map((name) => `indexes/messages-${name}`),
];

export async function installEventStore(pool: pg.Pool): Promise<void> {
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve('@eventide/message-db/package.json'));
  for (const file of files)
    await pool.query(await readFile(path.join(folder, 'database', `${file}.sql`), 'utf8'));
  // Its functions look for each other in the search_path, which belongs to the application.
  await pool.query(`
    do $$
    declare
      v_function regprocedure;
    begin
      for v_function in select oid from pg_proc where pronamespace = 'message_store'::regnamespace loop
        execute format('alter function %s set search_path = message_store, pg_temp', v_function);
      end loop;
    end $$`);
}
