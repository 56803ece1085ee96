import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import * as library from '../../client/index.js';
import { exitCodes } from '../../cli/errors.js';
import { buildProgram } from '../../cli/program.js';
import { useDatabase } from '../support/database.js';
import { leavesOf, nameOf, quietContext } from './command-tree.js';
import {
  anchorsOf,
  blocksOf,
  codeSpans,
  readDocuments,
  sectionOf,
  tableRows,
  withoutBlocks,
} from './markdown.js';

const database = useDatabase();
const documents = readDocuments();
const readme = documents.find(({ path: file }) => file === 'README.md')?.text ?? '';

function filesUnder(folder: string, extension: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => path.join(folder, name));
}

test('the error table has every SQLSTATE of sql/ and no other', () => {
  const raised = filesUnder('sql', '.sql').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'(SQ[0-9A-Z]{3})'/g)].map(([, code]) => code ?? ''),
  );
  const rows = tableRows(sectionOf(readme, '## Errors'));
  const documented = rows.flatMap(([code = '']) => (code.startsWith('SQ') ? [code] : []));
  expect(documented).toEqual([...new Set(raised)].sort());
  expect(rows.map(([code]) => code)).toEqual(expect.arrayContaining(['40001', '40P01', '55P03', '23505']));
  for (const [, meaning, nextStep] of rows) {
    expect(meaning).not.toBe('');
    expect(nextStep).not.toBe('');
  }
});

test('the SQL reference has every public function, with its parameters, and no other', async () => {
  const rows = await database.rows<{ name: string; parameters: string[] | null }>(`
    select
        p.proname as name,
        (select array_agg(a.name order by a.at)
         from unnest(p.proargnames) with ordinality as a (name, at)
         where a.at <= p.pronargs) as parameters
    from pg_catalog.pg_proc as p
    where p.pronamespace = 'seqctl'::regnamespace and p.proname !~ '^_'
    order by p.proname`);
  const files = readdirSync('sql/functions').filter((name) => /^[a-z].*\.sql$/.test(name));
  expect(rows.map(({ name }) => `${name}.sql`)).toEqual(files.sort());

  const called = rows.map(({ name, parameters }) => `${name}(${(parameters ?? []).join(', ')})`);
  const documented = tableRows(sectionOf(readme, '## SQL reference'))
    .map(([call = '']) => call.replaceAll('`', ''))
    .filter((call) => call.includes('('));
  expect(documented.sort()).toEqual(called.sort());
});

test('each error that the SQL reference names is in the error table', () => {
  const known = tableRows(sectionOf(readme, '## Errors')).map(([code]) => code);
  const named = sectionOf(readme, '## SQL reference').match(/\bSQ\d{3}\b/g) ?? [];
  expect(named.length).toBeGreaterThan(0);
  expect(known).toEqual(expect.arrayContaining(named));
});

test('the command-line reference has every command with every option, and no other', () => {
  const program = buildProgram(quietContext);
  const commands = leavesOf(program).filter(({ commands: children }) => children.length === 0);
  const rows = tableRows(sectionOf(readme, '## Command line'))
    .map(([usage = '']) => usage.replaceAll('`', ''))
    .filter((usage) => usage.startsWith('seqctl '));
  const documented = rows.map((usage) => ({
    name: (/^seqctl( [a-z-]+)+/.exec(usage)?.[0] ?? '').trim(),
    options: (usage.match(/--[a-z-]+/g) ?? []).sort(),
    parameters: usage.replaceAll(/\[?--[a-z-]+( <[a-z-]+>)?\]?/g, '').match(/<[a-z]+>|\[[a-z]+\]/g) ?? [],
  }));
  const actual = commands.map((command) => ({
    name: nameOf(command),
    options: command.options
      .map(({ long }) => long ?? '')
      .filter((long) => long !== '--help')
      .sort(),
    parameters: command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    ),
  }));
  expect(documented).toEqual(actual);

  const global = program.options.map(({ long }) => long);
  const shown = tableRows(sectionOf(readme, '### Every command')).map(
    ([option = '']) => /--[a-z-]+/.exec(option)?.[0],
  );
  expect(shown.sort()).toEqual([...global, '--help'].sort());
});

test('the exit codes are those of the code', () => {
  const rows = tableRows(sectionOf(readme, '### Exit codes'));
  expect(rows.map(([code]) => Number(code))).toEqual(Object.values(exitCodes));
});

test('every command and option that is mentioned anywhere exists', () => {
  const program = buildProgram(quietContext);
  const names = new Set(leavesOf(program).flatMap((command) => [nameOf(command), ...aliasesOf(command)]));
  const options = new Set(
    [program, ...leavesOf(program)].flatMap((command) => command.options.map(({ long }) => long)),
  );
  for (const { text } of documents) {
    const code = [...codeSpans(text), ...commandsOf(text)].join('\n');
    for (const [mention, first = ''] of code.matchAll(/\bseqctl ([a-z-]+)/g)) {
      expect(names, mention).toContain(`seqctl ${first}`);
    }
    for (const [line] of code.matchAll(/\bseqctl [a-z].*/g)) {
      for (const option of line.match(/(?<= )--[a-z-]+/g) ?? []) expect(options, line).toContain(option);
    }
  }
});

/** What a reader would type: blocks of ```sh, and the lines of ```console that are not output. */
function commandsOf(text: string): string[] {
  return blocksOf(text).flatMap(({ language, text: body }) => {
    if (language === 'sh') return [body];
    if (language !== 'console') return [];
    return (body.match(/^\$ (?:.*\\\n)*.*/gm) ?? []).map((command) => command.replaceAll('\\\n', ' '));
  });
}

function aliasesOf(command: ReturnType<typeof leavesOf>[number]): string[] {
  return command.aliases().map((alias) => `seqctl ${alias}`);
}

test('everything in schema seqctl that is mentioned exists', async () => {
  const rows = await database.rows<{ name: string }>(`
    select proname as name from pg_catalog.pg_proc where pronamespace = 'seqctl'::regnamespace
    union
    select relname from pg_catalog.pg_class where relnamespace = 'seqctl'::regnamespace
    union
    select i.conname from pg_catalog.pg_constraint as i where i.connamespace = 'seqctl'::regnamespace`);
  const names = new Set(rows.map(({ name }) => name));
  for (const { text } of documents) {
    for (const [mention, name = ''] of text.matchAll(/\bseqctl\.([a-z_]+)\b/g)) {
      const isGenerated = name.startsWith('_attachment_');
      expect(isGenerated || names.has(name), mention).toBe(true);
    }
  }
});

test('the library reference has every function and every error, and no other', () => {
  const rows = tableRows(sectionOf(readme, '## TypeScript library')).map(
    ([name = '']) => /^`(\w+)/.exec(name)?.[1] ?? '',
  );
  const exported = Object.entries(library).flatMap(([name, value]) =>
    typeof value === 'function' && name !== 'SeqctlError' ? [name] : [],
  );
  expect(rows.sort()).toEqual(exported.sort());
});

test('links lead somewhere', () => {
  for (const { path: file, text } of documents) {
    for (const [link, target = '', anchor] of withoutBlocks(text).matchAll(
      /\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g,
    )) {
      const linked = target === '' ? file : path.join(path.dirname(file), target);
      expect(existsSync(linked), `${file}: ${link}`).toBe(true);
      if (anchor !== undefined) {
        expect(anchorsOf(readFileSync(linked, 'utf8')), `${file}: ${link}`).toContain(anchor);
      }
    }
  }
});

test('npm scripts that are mentioned exist, and what is linked is in the package', () => {
  const { scripts, files } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: Record<string, string>;
    files: string[];
  };
  const mentioned = documents.flatMap(({ text }) =>
    [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name]) => name ?? ''),
  );
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(mentioned));
  expect(files).toContain('docs');
});
