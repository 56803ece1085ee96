import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { packageRoot } from '../../cli/package.js';

/** A Node process of its own that runs a file of test/processes/, so that it can be killed. It imports what was built: dist/. */
export class TestProcess {
  readonly lines: string[] = [];
  /** What it wrote to stderr. */
  errors = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #onLine: (line: string) => void = () => undefined;

  constructor(file: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [path.join(packageRoot, 'test/processes', file)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('a child without output');
    const reader = createInterface(stdout);
    reader.on('line', (line) => {
      this.lines.push(line);
      this.#onLine(line);
    });
    stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    this.#ended = Promise.all([once(this.#child, 'close'), once(reader, 'close')]);
  }

  /** Returns when it has printed a line that begins so, or has ended. */
  async printed(start: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#onLine = (printed) => {
        if (printed.startsWith(start)) resolve();
      };
    });
    if (!this.lines.some((line) => line.startsWith(start))) await Promise.race([seen, this.#ended]);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** How it ended: its exit code, or the signal. */
  async end(): Promise<number | NodeJS.Signals | null> {
    await this.#ended;
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}
