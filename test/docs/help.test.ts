import type { Command } from 'commander';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';

import { buildProgram } from '../../cli/program.js';
import { withClient } from '../support/connect.js';
import { createDatabase } from '../support/database.js';
import { leavesOf, nameOf, quietContext } from './command-tree.js';
import { Shell } from './shell.js';

let shell: Shell;
beforeAll(async () => {
  shell = await Shell.open();
});
afterAll(() => shell.close());

const tables = `create table public.invoices
    (company_id text, issued_on date, number bigint, document_number text)`;
const series = `select seqctl.create_series('invoice', format => 'INV-{year}-{number:5}')`;
const attached = `select seqctl.attach('public.invoices', 'invoice', date_column => 'issued_on')`;
const rows = `insert into public.invoices (company_id, issued_on) values ('acme', '2026-03-09')`;

const leased = `select seqctl.checkout('invoice', 'order-17', on_date => '2026-03-09')`;

/** What a command's examples need to be there; everything where nothing is said. */
const needs: Readonly<Record<string, readonly string[]>> = {
  seqctl: [tables],
  'seqctl series': [],
  'seqctl series create': [],
  'seqctl series drop': [series],
  'seqctl attach': [
    tables,
    series,
    `create table public.orders (id int primary key, status text, number bigint); select seqctl.create_series('order', reset => 'never')`,
  ],
  'seqctl adopt': [tables, series],
  'seqctl lower-counter': [
    series,
    `select seqctl.allocate('invoice', on_date => '2026-03-09', how_many => 10)`,
  ],
  'seqctl remove-counter': [series, `select seqctl.next_number('invoice', 'acmee', '2026-03-09')`],
  'seqctl gaps': [tables, series, attached.replace(')', `, group_columns => '{company_id}')`), rows],
  'seqctl lease finalize': [series, leased],
  'seqctl lease release': [series, leased],
  'seqctl number-pending': [
    tables,
    series,
    'alter table public.invoices add id bigint generated always as identity primary key',
    attached.replace(')', `, assign => 'manual')`),
    rows,
  ],
};

/** They start servers and put them under load; test/demo and test/bench run them. */
const notRun = ['seqctl demo', 'seqctl bench'];

const program = buildProgram(quietContext);
const commands = [program, ...leavesOf(program)];

test.each(commands.map((command) => ({ name: nameOf(command), command })))(
  'the examples of $name --help run as written',
  async ({ name, command }) => {
    const examples = examplesOf(command);
    expect(examples).not.toEqual([]);
    if (notRun.includes(name)) return;

    const database = await createDatabase();
    const role = `${database.name}_auditor`;
    // Run in reverse: the role cannot go while it holds rights in the database.
    onTestFinished(() => onServer(`drop role if exists ${role}`));
    onTestFinished(() => database.drop());
    await onServer(`create role ${role}`);
    for (const sql of needs[name] ?? [tables, series, attached, rows]) await database.execute(sql);
    for (const example of examples) {
      const written = example
        .replace(/postgres:\/\/\S+/, `'${database.url}'`)
        .replaceAll(/\bauditor\b/g, role);
      const { code, output } = await shell.run(written, database.url);
      expect(code, `${example}\n${output}`).toBe(0);
    }
  },
);

function examplesOf(command: Command): string[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help
    .split(/^Examples?:$/m)
    .slice(1)
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line.startsWith('seqctl '));
}

async function onServer(sql: string): Promise<void> {
  await withClient(inject('serverUrl'), (client) => client.query(sql));
}
