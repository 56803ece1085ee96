import type { Context } from './context.js';

const barWidth = 24;

/** How far a count has come, on stderr: a bar that is drawn in place on a terminal, else a line each tenth of the way. */
export class ProgressBar {
  readonly #total: bigint | null;
  #tenth = -1n;
  #logged = '';
  #drawn = false;

  /** `total` null: nobody knows. */
  constructor(
    private readonly context: Pick<Context, 'stderr' | 'terminal'>,
    total: bigint | null,
  ) {
    this.#total = total === 0n ? null : total;
  }

  update(done: bigint): void {
    const text = this.#total === null ? `${done} rows` : `${done} of ${this.#total} rows`;
    if (this.context.terminal === undefined) this.#log(done, text);
    else this.#draw(done, text);
  }

  /** Leaves what is drawn on a line of its own. */
  end(): void {
    if (this.#drawn) this.context.stderr('\n');
    this.#drawn = false;
  }

  #draw(done: bigint, text: string): void {
    const columns = this.context.terminal?.columns ?? 80;
    const line = this.#total === null ? text : `${bar(done, this.#total)} ${text}`;
    // A line that is wrapped could not be drawn over.
    this.context.stderr(`\r${line.slice(0, Math.max(columns - 1, 10))}\u001b[K`);
    this.#drawn = true;
  }

  #log(done: bigint, text: string): void {
    if (this.#total !== null) {
      const tenth = (done * 10n) / this.#total;
      if (tenth <= this.#tenth) return;
      this.#tenth = tenth;
    }
    if (text === this.#logged) return;
    this.#logged = text;
    this.context.stderr(`seqctl: ${text}\n`);
  }
}

/** e.g. `[######------]  50 %` */
function bar(done: bigint, total: bigint): string {
  const part = done >= total ? 1 : Number((done * 1000n) / total) / 1000;
  const filled = Math.floor(part * barWidth);
  const percent = String(Math.floor(part * 100)).padStart(3);
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${percent} %`;
}
