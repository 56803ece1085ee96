import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { withClient } from '../support/connect.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Block, blocksOf, readDocuments } from './markdown.js';
import { runLikePsql } from './psql.js';
import { Shell } from './shell.js';
import { Application, programsOf } from './typescript.js';

// Every ```sql, ```console and ```ts block of README.md and docs/ is run as it stands, in the order of the document; a ```ts block
// is compiled before, against the built package.
//
// A ```text block after a ```sql block is what psql prints for it (without command tags and the CONTEXT of errors), after a ```ts
// block what the program prints; a line that is just `…` stands for any lines. A ```sql block without one must succeed and say nothing but results.
// <!-- new database --> before a block: it and what follows run in an empty database; <!-- new database with seqctl -->: in one
// where seqctl is installed.
//
// npx vitest run test/docs --update writes what was really printed into the documents.

/** Roles belong to the server, which may be shared: each stands for one of another name and the same length. */
const roles = new Map(
  ['accounting', 'auditor', 'shop_app'].map((name) => [
    name,
    `r${randomBytes(8)
      .toString('hex')
      .slice(0, name.length - 1)}`,
  ]),
);

let shell: Shell;
let application: Application;
beforeAll(async () => {
  shell = await Shell.open();
  application = await Application.open();
});
afterAll(async () => {
  await shell.close();
  await application.close();
  await withClient(inject('serverUrl'), async (client) => {
    for (const role of roles.values())
      await client.query(`drop role if exists ${role}`).catch(() => undefined);
  });
});

test.each(readDocuments())('the examples of $path print what it shows', async ({ path: file, text }) => {
  const run = new DocumentRun();
  let lines = text.split('\n');
  try {
    const blocks = blocksOf(text);
    const programs = programsOf(blocks);
    expect(await application.check([...programs.values()])).toEqual([]);
    // From the end of the list to the start, so that line numbers stay true; but run in order.
    const changes: { readonly block: Block; readonly text: string }[] = [];
    for (const [index, block] of blocks.entries()) {
      const next = blocks[index + 1];
      const shown = next?.language === 'text' && next.followsBlock ? next : undefined;
      if (block.language === 'sql') {
        const { output, failed } = await run.sql(block);
        if (shown !== undefined) changes.push({ block: shown, text: merge(shown.text, output) });
        else expect(failed, `${file}:${block.line} fails: ${output}`).toBe(false);
      } else if (programs.has(block)) {
        const { output, code } = await run.typescript(block, programs.get(block) ?? '');
        expect(code, `${file}:${block.line} fails: ${output}`).toBe(0);
        if (shown !== undefined) changes.push({ block: shown, text: merge(shown.text, output) });
      } else if (block.language === 'console') {
        changes.push({ block, text: await run.console(block, `${file}:${block.line}`) });
      }
    }
    for (const { block, text: printed } of changes.reverse()) {
      const length = block.text === '' ? 0 : block.text.split('\n').length;
      lines = lines.toSpliced(block.line - 1, length, ...printed.split('\n'));
    }
  } finally {
    await run.close();
  }
  await expect(lines.join('\n')).toMatchFileSnapshot(path.resolve(file));
});

/** The databases and sessions of one document. */
class DocumentRun {
  #database: TestDatabase | undefined;
  #client: Client | undefined;

  async sql(block: Block): Promise<{ output: string; failed: boolean }> {
    await this.#prepare(block);
    if (this.#client === undefined) throw new Error(`line ${block.line}: no <!-- new database --> before`);
    const { output, failed } = await runLikePsql(this.#client, withRoles(block.text));
    return { output: this.#normalise(output), failed };
  }

  async typescript(block: Block, program: string): Promise<{ output: string; code: number }> {
    await this.#prepare(block);
    const { output, code } = await application.run(program, this.#database?.url ?? '');
    return { output: this.#normalise(output), code };
  }

  /** The block with what its commands really print. */
  async console(block: Block, place: string): Promise<string> {
    await this.#prepare(block);
    const entries = block.text.split(/^\$ /m).slice(1);
    const printed: string[] = [];
    let code = 0;
    for (const [index, entry] of entries.entries()) {
      const command = /^(?:.*\\\n)*.*/.exec(entry)?.[0] ?? '';
      const result = await shell.run(withRoles(`(exit ${code}); ${command}`), this.#database?.url ?? '');
      code = result.code;
      const isExpected = code === 0 || entries[index + 1]?.startsWith('echo $?') === true;
      expect(isExpected, `${place}: exit code ${code} of ${command}\n${result.output}`).toBe(true);
      const shown = entry.slice(command.length).trim();
      const output = merge(shown, this.#normalise(result.output));
      printed.push(`$ ${command}${output === '' ? '' : `\n${output}`}${entry.endsWith('\n\n') ? '\n' : ''}`);
    }
    return printed.join('\n');
  }

  async close(): Promise<void> {
    await this.#client?.end();
    await this.#database?.drop();
    this.#client = undefined;
    this.#database = undefined;
  }

  async #prepare({ note }: Block): Promise<void> {
    if (note !== 'new database' && note !== 'new database with seqctl') return;
    await this.close();
    this.#database = await createDatabase({ installed: note.endsWith('with seqctl') });
    this.#client = new Client({ connectionString: this.#database.url });
    await this.#client.connect();
  }

  /** What differs from run to run, as the documents write it. */
  #normalise(text: string): string {
    let normal = text.replaceAll(this.#database?.name ?? '?', 'shop').replaceAll(/[ \t]+$/gm, '');
    // The superuser of the test server.
    normal = normal.replaceAll(new RegExp(`^${new URL(inject('serverUrl')).username}\\b`, 'gm'), 'postgres');
    for (const [name, role] of roles) normal = normal.replaceAll(role, name);
    return normal
      .replaceAll(/\bon [\w.-]+:\d+ as user "\w+"/g, 'on db.example.com:5432 as user "postgres"')
      .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\b/g, '2026-03-09T10:00:00.000Z')
      .replaceAll(/\bby \w+ on \d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'by postgres on 2026-01-31 10:00 UTC')
      .replaceAll(/\b[0-9a-f]{64}\b/g, '3f0a'.padEnd(64, '9c1e52d7'))
      .replaceAll(/\bPostgreSQL \d+\.\d+( \([^)]*\))?/g, 'PostgreSQL 18.4');
  }
}

function withRoles(text: string): string {
  let replaced = text;
  for (const [name, role] of roles) replaced = replaced.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), role);
  return replaced;
}

/**
 * What the document shows, if that is right (`…` stands for any lines, and columns may have other widths); else what was
 * printed.
 */
function merge(shown: string, printed: string): string {
  const narrow = (text: string): string => text.replaceAll(/(?<=\S) {2,}/g, '  ');
  const pattern = narrow(shown)
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\n)*?.*' : line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('\n');
  return new RegExp(`^${pattern}$`).test(narrow(printed)) ? shown : printed;
}
