import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import ts from 'typescript';

import { packageRoot } from '../../cli/package.js';
import type { Block } from './markdown.js';
import type { ShellResult } from './shell.js';

/**
 * The ```ts blocks of a document as programs: each a module of its own, with the block that is noted <!-- setup --> before it.
 * That block, which runs with every one of them, should import and open what is needed and do nothing.
 */
export function programsOf(blocks: readonly Block[]): Map<Block, string> {
  const programs = new Map<Block, string>();
  let setup = '';
  for (const block of blocks.filter(({ language }) => language === 'ts')) {
    if (block.note === 'setup') setup = `${block.text}\n`;
    else programs.set(block, `${setup}${block.text}\n`);
  }
  return programs;
}

/** An application's folder, in which `seqctl` is installed, as it was built, beside what it is developed with. */
export class Application {
  private constructor(private readonly folder: string) {}

  static async open(): Promise<Application> {
    const folder = await mkdtemp(path.join(tmpdir(), 'seqctl-docs-'));
    const modules = path.join(folder, 'node_modules');
    await mkdir(modules);
    const installed = path.join(packageRoot, 'node_modules');
    for (const name of await readdir(installed))
      await symlink(path.join(installed, name), path.join(modules, name));
    await symlink(packageRoot, path.join(modules, 'seqctl'));
    await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
    return new Application(folder);
  }

  /** What the compiler has against the programs, in its strictest mode. */
  async check(programs: readonly string[]): Promise<string[]> {
    const files = programs.map((_, index) => path.join(this.folder, `example-${index}.ts`));
    for (const [index, file] of files.entries()) await writeFile(file, programs[index] ?? '');
    const program = ts.createProgram(files, {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [path.join(this.folder, 'node_modules/@types')],
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
    });
    return ts
      .getPreEmitDiagnostics(program)
      .map((diagnostic) => ts.formatDiagnostic(diagnostic, formatHost).replaceAll(`${this.folder}/`, ''));
  }

  /** Runs a program until its last statement; a pool that is still open does not keep it. */
  async run(program: string, databaseUrl: string): Promise<ShellResult> {
    const { outputText } = ts.transpileModule(program, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    });
    const file = path.join(this.folder, 'example.js');
    await writeFile(file, `${outputText}\nprocess.exit();\n`);
    const child = spawn(process.execPath, [file], {
      env: { DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, output: output.trimEnd() }));
    });
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => '/',
  getNewLine: () => '\n',
};
