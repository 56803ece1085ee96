import { type Command, InvalidArgumentError, Option } from 'commander';

/** `--lock-timeout 10`: seconds on the command line, milliseconds in the code. */
export function lockTimeoutOption(): Option {
  return new Option('--lock-timeout <seconds>', 'how long to wait for a lock; 0 waits for ever')
    .default(10_000, '10')
    .argParser(parseSeconds);
}

export function dryRunOption(): Option {
  return new Option('--dry-run', 'say what would happen, and change nothing');
}

/** Lines that can be pasted, below the options of a command's help. */
export function addExample(command: Command, ...lines: readonly string[]): Command {
  const title = lines.length > 1 ? 'Examples' : 'Example';
  return command.addHelpText('after', `\n${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

/** Digits, kept as text: PostgreSQL's bigint does not fit into a JavaScript number. */
export function parseInteger(text: string): string {
  if (!/^-?\d{1,18}$/.test(text))
    throw new InvalidArgumentError('It is a whole number of at most 18 digits.');
  return text;
}

/** As above, 1 or more. */
export function parseCount(text: string): string {
  if (!/^0*[1-9]\d{0,17}$/.test(text)) throw new InvalidArgumentError('It is a whole number of at least 1.');
  return text;
}

/** As above, for PostgreSQL's integer. */
export function parseSmallCount(text: string): string {
  if (!/^0*[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError('It is a whole number from 1 to 999999999.');
  }
  return text;
}

/** ISO 8601 only: what 01/02/2026 means depends on a setting. */
export function parseDate(text: string): string {
  // There is no year 0.
  const time = /^(?!0000)\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  // The 30th of February is parsed as another day.
  const isDate = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
  if (!isDate) throw new InvalidArgumentError('It is a date, e.g. 2025-12-31.');
  return text;
}

/** Column names as the database spells them, between commas; one with a comma in it stands in double quotes. */
export function parseNames(text: string): string[] {
  const names = [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(?:,|$)/gy)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain?.trim() ?? '')
    // The pattern matches the end of the text, too.
    .slice(0, -1);
  const read = names.length > 0 && !names.includes('');
  if (!read) throw new InvalidArgumentError('It is a list of column names, e.g. company_id,branch.');
  return names;
}

/** Nothing is what a script gives whose variable is empty. */
export function parseFile(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is the name of a file.');
  return text;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 86_400)) {
    throw new InvalidArgumentError('It is a number of seconds from 0 to 86400.');
  }
  return Math.round(seconds * 1000);
}
