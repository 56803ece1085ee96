import { DatabaseError } from 'pg';

/** The exit codes of the command line. */
export const exitCodes = {
  ok: 0,
  /** A check found something: drift, a gap, pending steps. */
  checkFailed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** No connection to the database. */
  connection: 3,
  /** The operation failed and nothing was changed. */
  operation: 4,
  /** The database is newer than the tool. */
  newerDatabase: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface ErrorDetails {
  /** More facts, e.g. PostgreSQL's DETAIL. */
  readonly detail?: string | undefined;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** PostgreSQL's error code, e.g. `42501`. */
  readonly sqlstate?: string | undefined;
  readonly cause?: unknown;
}

/** An error made for the user: says what happened to what; carries the exit code and the next step. */
export class SeqctlError extends Error {
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly sqlstate: string | undefined;

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.detail = details.detail;
    this.hint = details.hint;
    this.sqlstate = details.sqlstate;
  }
}

export class UsageError extends SeqctlError {
  constructor(message: string, details?: ErrorDetails) {
    super(exitCodes.usage, message, details);
  }
}

export class ConnectionError extends SeqctlError {
  constructor(message: string, details?: ErrorDetails) {
    super(exitCodes.connection, message, details);
  }
}

/** The operation failed and its transaction was rolled back. */
export class OperationError extends SeqctlError {
  constructor(message: string, details?: ErrorDetails) {
    super(exitCodes.operation, message, details);
  }
}

export class NewerDatabaseError extends SeqctlError {
  constructor(message: string, details?: ErrorDetails) {
    super(exitCodes.newerDatabase, message, details);
  }
}

/**
 * Thrown by a command whose check found something, after it printed its findings. Not an error: the tool worked,
 * so nothing more is printed and the exit code is 1.
 */
export class CheckFailed extends Error {
  constructor() {
    super('the check found something');
    this.name = 'CheckFailed';
  }
}

/** PostgreSQL's error code, or undefined when the server had no part in it. */
export function sqlstateOf(error: unknown): string | undefined {
  return findDatabaseError(error)?.code;
}

/**
 * Makes an error for the user out of anything that was thrown while `doing` something ("install seqctl into …").
 * Errors that are made for the user already are returned as they are.
 */
export function toOperationError(error: unknown, doing: string): SeqctlError {
  if (error instanceof SeqctlError) return error;
  const origin = findDatabaseError(error);
  if (origin?.code?.startsWith('SQ') === true) {
    // seqctl's own refusals are written for the user: nothing is added to them.
    const { message, detail, hint, code: sqlstate } = origin;
    return new OperationError(message, { detail, hint, sqlstate, cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new OperationError(`could not ${doing}: ${message}`, { ...factsOf(error), cause: error });
}

function factsOf(error: unknown): ErrorDetails {
  const origin = findDatabaseError(error);
  if (origin === undefined) return {};
  const context = origin.where === undefined ? [] : [`Context: ${origin.where}`];
  const detail = [...(origin.detail === undefined ? [] : [origin.detail]), ...context].join('\n');
  return {
    sqlstate: origin.code,
    detail: detail === '' ? undefined : detail,
    hint: origin.hint ?? hintFor(origin),
  };
}

/** seqctl finds a table or function of its own schema gone: somebody dropped it. */
function hintFor({ code, message }: DatabaseError): string | undefined {
  if (!['42P01', '42883'].includes(code ?? '') || !message.includes('seqctl.')) return undefined;
  return 'seqctl verify names what is missing. seqctl install brings functions and views back; a table only a backup does.';
}

/** The server's own error, also when others were wrapped around it. */
function findDatabaseError(error: unknown): DatabaseError | undefined {
  if (error instanceof DatabaseError) return error;
  return error instanceof Error && error.cause !== undefined ? findDatabaseError(error.cause) : undefined;
}
