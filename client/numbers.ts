import { refuseOutsideOfTransaction } from './in-transaction.js';
import type { InTransaction, Queryable } from './queryable.js';
import { causesOf, isServerError, translate } from './server-error.js';

/** Which number is wanted. */
export interface NumberRequest {
  /** Name of the series. */
  readonly series: string;
  /** The group; several values make the same key as several group columns. Left out: the series has no groups. */
  readonly group?: string | readonly string[] | undefined;
  /** The document's date, `YYYY-MM-DD`, which decides the period. Can be left out where the series never resets. */
  readonly date?: string | undefined;
}

/** A number that was given. */
export interface AllocatedNumber {
  readonly number: bigint;
  /** The number as the series' format writes it, e.g. `INV-2026-00042`. */
  readonly documentNumber: string;
}

/**
 * The next number of a series, for a row that the transaction of `queryable` writes itself. It locks the counter until that
 * transaction ends, and goes back when it rolls back.
 *
 * Through `fromKysely()` and its like, and with a client that is not pg's own, the server is asked first whether there is a transaction:
 * one more round trip.
 *
 * @throws NotInTransactionError; SeqctlError SQ001, SQ010, SQ011, SQ014; TypeError for a date that is not `YYYY-MM-DD` or a wrong group
 */
export async function nextNumber(queryable: InTransaction, request: NumberRequest): Promise<bigint> {
  const { call, values } = argumentsFor(request);
  await refuseOutsideOfTransaction(queryable);
  const rows = await run(queryable, `select seqctl.next_number(${call})::text as number`, values);
  const [row] = rows as { number: string }[];
  if (row === undefined) throw new Error('seqctl.next_number() gave no row');
  return BigInt(row.number);
}

/**
 * Several numbers at once, in their order, with their document numbers; else as `nextNumber()`.
 *
 * @param request - `howMany`: 1 to 1000000, 1 when left out
 * @throws NotInTransactionError; SeqctlError SQ001, SQ010, SQ011, SQ014, SQ015, SQ016; TypeError for a date that is not `YYYY-MM-DD` or a
 * wrong group
 */
export async function allocate(
  queryable: InTransaction,
  request: NumberRequest & { readonly howMany?: number | undefined },
): Promise<[AllocatedNumber, ...AllocatedNumber[]]> {
  const { call, values } = argumentsFor(request);
  await refuseOutsideOfTransaction(queryable);
  // Column names of one word, which no plugin of a query builder rewrites; text, which no type parser rounds.
  const rows = await run(
    queryable,
    `select a.number::text as number, a.document_number as document
     from seqctl.allocate(${call}, how_many => $${values.length + 1}::integer) as a
     order by a.number`,
    [...values, request.howMany ?? 1],
  );
  const [first, ...others] = (rows as { number: string; document: string }[]).map(({ number, document }) => ({
    number: BigInt(number),
    documentNumber: document,
  }));
  if (first === undefined) throw new Error('seqctl.allocate() gave no row');
  return [first, ...others];
}

/** Each value stands once and in the order of its number, so that adapters can write another mark instead of `$1`. */
export function argumentsFor({ series, group = '', date }: NumberRequest): {
  call: string;
  values: unknown[];
} {
  if (date !== undefined && !/^\d{4}-\d\d-\d\d$/.test(date)) {
    throw new TypeError(
      `date is ${JSON.stringify(date)}; write the document's date as 'YYYY-MM-DD' (a Date is another day in another time zone)`,
    );
  }
  refuseOtherGroup(group);
  const values: unknown[] = [series];
  const mark = (value: unknown): string => `$${values.push(value)}`;
  const key =
    typeof group === 'string'
      ? `${mark(group)}::text`
      : `seqctl.group_key(${group.map((part) => `${mark(part)}::text`).join(', ')})`;
  return {
    call: `series => $1::text, group_key => ${key}, on_date => ${mark(date ?? null)}::date`,
    values,
  };
}

/** JavaScript callers may give anything. */
function refuseOtherGroup(group: unknown): void {
  if (typeof group === 'string' || (Array.isArray(group) && group.length > 0)) return;
  throw new TypeError(
    `group is ${JSON.stringify(group)}; give a string, or an array of strings with one for each group column`,
  );
}

export async function run(queryable: Queryable, text: string, values: unknown[]): Promise<unknown[]> {
  try {
    return (await queryable.query(text, values)).rows;
  } catch (error) {
    // The statement is this library's, so whatever the driver threw came from it, also when a query builder wrapped it.
    const refusal = [...causesOf(error)].find((cause) => isServerError(cause) && cause.code.startsWith('SQ'));
    throw refusal === undefined ? error : translate(refusal);
  }
}
