import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A fenced block: what stands between ```language and ```. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Line of the text's first line, from 1. */
  readonly line: number;
  /** The words of a comment like `<!-- new database -->` on the lines before it. */
  readonly note: string | undefined;
  /** Only blank lines are between this block and the one before. */
  readonly followsBlock: boolean;
}

export interface MarkdownFile {
  /** e.g. `docs/how-it-works.md` */
  readonly path: string;
  readonly text: string;
}

/** README.md and docs/, which show examples and describe what there is. */
export function readDocuments(): MarkdownFile[] {
  const names = readdirSync('docs').filter((name) => name.endsWith('.md'));
  const paths = ['README.md', ...names.sort().map((name) => path.posix.join('docs', name))];
  return paths.map((file) => ({ path: file, text: readFileSync(file, 'utf8') }));
}

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  let note: string | undefined;
  let followsBlock = false;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const fence = /^```(\w+)$/.exec(line);
    if (fence !== null) {
      const end = lines.indexOf('```', index + 1);
      if (end < 0) throw new Error(`the block of line ${index + 1} has no end`);
      const body = lines.slice(index + 1, end).join('\n');
      blocks.push({ language: fence[1] ?? '', text: body, line: index + 2, note, followsBlock });
      note = undefined;
      followsBlock = true;
      index = end;
    } else if (line.trim() !== '') {
      note = /^<!-- (.*) -->$/.exec(line)?.[1] ?? note;
      followsBlock = false;
    }
  }
  return blocks;
}

/** The text between a heading and the next one of its level or above, without fenced blocks. */
export function sectionOf(text: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const lines = withoutBlocks(text).split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const isNext = (line: string): boolean => {
    const marks = /^#+(?= )/.exec(line)?.[0].length ?? 0;
    return marks > 0 && marks <= level;
  };
  const length = lines.slice(start + 1).findIndex(isNext);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** Cells of the rows of every table in the text, without titles and rulers. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  const isRow = (line: string | undefined): boolean => line?.startsWith('|') ?? false;
  return lines
    .filter((line, index) => isRow(line) && isRow(lines[index - 1]) && !/^\|[ :|-]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

export function withoutBlocks(text: string): string {
  return text.replaceAll(/^```\w*\n[\s\S]*?^```$/gm, '');
}

/** What stands in backquotes outside of blocks. */
export function codeSpans(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');
}

/** The anchors of the headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
