import { type Client, DatabaseError, type FieldDef, type QueryResult } from 'pg';

/** What psql prints for a text of several statements, but for command tags and the CONTEXT of errors. */
export async function runLikePsql(client: Client, sql: string): Promise<{ output: string; failed: boolean }> {
  const printed: string[] = [];
  const onNotice = ({ severity, message, detail, hint }: Notice): void => {
    printed.push(formatMessage(severity ?? 'NOTICE', message ?? '', detail, hint));
  };
  client.on('notice', onNotice);
  let failed = false;
  try {
    for (const statement of splitStatements(sql)) {
      const result = await client.query<string[]>({ text: statement, rowMode: 'array', types: asText });
      if (result.fields.length > 0) printed.push(formatResult(result));
    }
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    failed = true;
    printed.push(formatMessage('ERROR', `${error.code ?? ''}: ${error.message}`, error.detail, error.hint));
  } finally {
    client.off('notice', onNotice);
  }
  return { output: printed.join('\n\n'), failed };
}

interface Notice {
  readonly severity?: string | undefined;
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

const asText = { getTypeParser: () => (value: string) => value };

function formatMessage(
  severity: string,
  message: string,
  detail: string | undefined,
  hint: string | undefined,
): string {
  return [
    `${severity}:  ${message}`,
    ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
    ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
  ].join('\n');
}

/** At semicolons outside of quotes, dollar quotes and comments. */
export function splitStatements(sql: string): string[] {
  const parts = sql.match(/'(?:[^']|'')*'|"[^"]*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|;|[^'"$;-]+|[$-]/g) ?? [];
  const statements: string[] = [''];
  for (const part of parts) {
    if (part === ';') statements.push('');
    else if (!part.startsWith('--')) statements.push((statements.pop() ?? '') + part);
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}

/** int2, int4, int8, numeric, oid */
const numeric = new Set([21, 23, 20, 1700, 26]);

function formatResult({ fields, rows }: QueryResult<string[]>): string {
  const columns = fields.map((field, index) => formatColumn(field, rows, index));
  const line = (row: number): string =>
    columns
      .map((column) => ` ${column[row] ?? ''} `)
      .join('|')
      .trimEnd();
  const ruler = columns.map((column) => '-'.repeat((column[0]?.length ?? 0) + 2)).join('+');
  const count = `(${rows.length} row${rows.length === 1 ? '' : 's'})`;
  return [line(0), ruler, ...rows.map((_, row) => line(row + 1)), count].join('\n');
}

/** The title, then the cells, all of one width. */
function formatColumn(
  field: FieldDef,
  rows: readonly (readonly (string | null)[])[],
  index: number,
): string[] {
  const cells = rows.map((row) => row[index] ?? '');
  const width = Math.max(field.name.length, ...cells.map((cell) => cell.length));
  const left = Math.floor((width - field.name.length) / 2);
  const title = (' '.repeat(left) + field.name).padEnd(width);
  return [
    title,
    ...cells.map((cell) => (numeric.has(field.dataTypeID) ? cell.padStart(width) : cell.padEnd(width))),
  ];
}
