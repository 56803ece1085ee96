import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { cliPath } from '../support/cli.js';

export interface ShellResult {
  readonly code: number;
  /** What went to stderr, then what went to stdout. */
  readonly output: string;
}

/** A POSIX shell in which `seqctl` and `npx seqctl` are the built command. */
export class Shell {
  private constructor(private readonly folder: string) {}

  static async open(): Promise<Shell> {
    const folder = await mkdtemp(path.join(tmpdir(), 'seqctl-docs-'));
    const call = `exec '${process.execPath}' '${cliPath}' "$@"\n`;
    await writeFile(path.join(folder, 'seqctl'), `#!/bin/sh\n${call}`);
    await writeFile(path.join(folder, 'npx'), `#!/bin/sh\n[ "$1" = seqctl ] || exit 127\nshift\n${call}`);
    for (const name of ['seqctl', 'npx']) await chmod(path.join(folder, name), 0o755);
    return new Shell(folder);
  }

  run(command: string, databaseUrl: string): Promise<ShellResult> {
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: this.folder,
      env: { PATH: `${this.folder}:${process.env['PATH'] ?? ''}`, DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, output: (stderr + stdout).trimEnd() }));
    });
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
