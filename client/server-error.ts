import { SeqctlError } from './errors.js';

/** The fields of an error of PostgreSQL that matter here, as pg's DatabaseError has them. */
export interface ServerError extends Error {
  /** SQLSTATE */
  readonly code: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly constraint?: string | undefined;
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** What pg says of a statement on a connection that was lost before; there is no code for it. */
export function isNotQueryable(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith('is not queryable');
}

/** The error and what it was caused by, outermost first. Drizzle, for one, wraps what pg throws. */
export function* causesOf(error: unknown): Generator {
  for (let current = error, depth = 0; current !== undefined && depth < 10; depth += 1) {
    yield current;
    current = current instanceof Error ? current.cause : undefined;
  }
}

/** A refusal of seqctl in the database becomes a SeqctlError; everything else stays what it is. */
export function translate(error: unknown): unknown {
  if (error instanceof SeqctlError || !isServerError(error) || !error.code.startsWith('SQ')) return error;
  const { message, code, detail, hint } = error;
  return new SeqctlError(message, { code, detail, hint, cause: error });
}
