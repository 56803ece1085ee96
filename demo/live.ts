import type { Streams } from '../cli/output.js';

/** The terminal that progress is shown in. */
export interface Terminal {
  readonly columns: number;
}

const escape = '\u001b';

/** Shows what changes in the same lines again and again; where there is no terminal, one line now and then. */
export class LiveBlock {
  #shown = 0;
  #lastLineAt = Date.now();

  constructor(
    private readonly stderr: Streams['stderr'],
    private readonly terminal: Terminal | undefined,
  ) {}

  /** What begins; a terminal is shown the lines at once instead. */
  begin(title: string): void {
    if (this.terminal === undefined) this.stderr(`seqctl: ${title}\n`);
  }

  /** `lines` for a terminal, `summary` for a log. */
  show(lines: readonly string[], summary: string): void {
    if (this.terminal === undefined) {
      if (Date.now() - this.#lastLineAt < 3000) return;
      this.#lastLineAt = Date.now();
      this.stderr(`seqctl: ${summary}\n`);
      return;
    }
    // A line that wraps would be two, and the way back up too short.
    const width = Math.max(20, this.terminal.columns - 1);
    const back = this.#shown === 0 ? '' : `${escape}[${this.#shown}A`;
    const text = lines.map((line) => `${escape}[2K${line.slice(0, width)}\n`).join('');
    this.stderr(back + text);
    this.#shown = lines.length;
  }
}
