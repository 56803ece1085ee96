import path from 'node:path';

import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';

import { connect, urlOfDatabase, withClient } from './connect.js';
import { Session } from './session.js';
import { templateName } from './template.js';

export interface DatabaseOptions {
  /** true (default): a clone of the template, with seqctl installed. false: an empty database. */
  readonly installed?: boolean;
}

/** A database of one test file. The sessions opened in a test are closed after it. */
export class TestDatabase {
  #name: string | undefined;
  readonly #sessions: Session[] = [];
  /** By URL. A backend that has seqctl's functions in memory answers several times as fast as a new one. */
  readonly #idle = new Map<string, Client[]>();

  constructor(private readonly options: DatabaseOptions = {}) {}

  get name(): string {
    if (this.#name === undefined) throw new Error('the database exists only while tests and hooks run');
    return this.#name;
  }

  /** Connection URL of the superuser. */
  get url(): string {
    return urlOfDatabase(inject('serverUrl'), this.name);
  }

  /** The same for another role of the server. */
  urlAs(role: string, password: string): string {
    const url = new URL(this.url);
    url.username = role;
    url.password = encodeURIComponent(password);
    return url.href;
  }

  /** Opens a named connection, as the superuser or with the given URL. */
  async session(name: string, url = this.url): Promise<Session> {
    const session = await Session.open(await this.#take(url), url, name);
    this.#sessions.push(session);
    return session;
  }

  /** One statement on a connection without a past. */
  async rows<R extends Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<R[]> {
    return this.#withClient(async (client) => (await client.query<R>(sql, values)).rows);
  }

  /** Several statements in one text, on a connection without a past. */
  async execute(sql: string): Promise<void> {
    await this.#withClient((client) => client.query(sql));
    // What these set is for connections that are made afterwards.
    if (/\balter\s+(database|role|user|system)\b/i.test(sql)) await this.#closeIdle();
  }

  async create(): Promise<void> {
    const name = nextDatabaseName();
    const template = (this.options.installed ?? true) ? templateName(inject('runName')) : 'template0';
    await withClient(inject('serverUrl'), (client) =>
      client.query(`create database ${name} template ${template}`),
    );
    this.#name = name;
  }

  async closeSessions(): Promise<void> {
    await Promise.all(
      this.#sessions.splice(0).map(async (session) => {
        const client = await session.leave();
        if (client !== undefined) await this.#giveBack(client, session.url);
      }),
    );
  }

  async #withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#take(this.url);
    try {
      return await work(client);
    } finally {
      await this.#giveBack(client, this.url);
    }
  }

  async #take(url: string): Promise<Client> {
    return this.#idle.get(url)?.pop() ?? (await connect(url));
  }

  async #giveBack(client: Client, url: string): Promise<void> {
    const idle = this.#idle.get(url) ?? [];
    this.#idle.set(url, idle);
    // The backend may be dead, or in a transaction that was left open.
    const isFresh = client.getTransactionStatus() === 'I' && (await forget(client));
    if (isFresh && idle.length < maxIdle) idle.push(client);
    else await client.end().catch(() => undefined);
  }

  async #closeIdle(): Promise<void> {
    const clients = [...this.#idle.values()].flat();
    this.#idle.clear();
    await Promise.all(clients.map((client) => client.end()));
  }

  async drop(): Promise<void> {
    await this.closeSessions();
    await this.#closeIdle();
    await withClient(inject('serverUrl'), (client) =>
      client.query(`drop database if exists ${this.name} with (force)`),
    );
  }
}

/** Of one URL: other files need connections, too. */
const maxIdle = 20;

/** What DISCARD ALL does, without the plans, which are what makes the backend fast. Returns whether it is done. */
async function forget(client: Client): Promise<boolean> {
  try {
    await client.query(`
      close all; set session authorization default; reset all; unlisten *;
      select pg_advisory_unlock_all(); discard temp; discard sequences`);
    // pg has a memory of its own for those that it prepared.
    const { rowCount } = await client.query('select from pg_prepared_statements');
    return rowCount === 0;
  } catch {
    return false;
  }
}

let databasesOfThisFile = 0;

/** e.g. seqctl_0a1b2c_cli_status_1: run, folder, file, how many-eth */
function nextDatabaseName(): string {
  databasesOfThisFile += 1;
  const file = path.relative('test', expect.getState().testPath ?? 'unknown').replace(/\.test\.ts$/, '');
  const readable = file
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
  return `${inject('runName')}_${readable}_${databasesOfThisFile}`;
}

/** Call at the top of a test file or `describe`: one database for all of its tests, kept when one fails. */
export function useDatabase(options: DatabaseOptions = {}): TestDatabase {
  const database = new TestDatabase(options);
  let hasFailed = false;
  beforeAll(() => database.create());
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') hasFailed = true;
    await database.closeSessions();
  });
  afterAll(async () => {
    if (hasFailed) console.warn(`A test failed; its database is kept: ${database.name}`);
    else await database.drop();
  });
  return database;
}

/** Call in a test or a `beforeEach`-like helper: a database of its own, dropped by the caller. */
export async function createDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const database = new TestDatabase(options);
  await database.create();
  return database;
}
