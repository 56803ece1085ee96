import { argumentsFor, type NumberRequest, run } from './numbers.js';
import type { Queryable } from './queryable.js';

/** Whose number it is: each of the three calls means the same checkout however often it is made with these two. */
export interface CheckoutKey {
  /** Name of the series. */
  readonly series: string;
  /** The id of the work that the number is for, such as that of an order or a saga; 1 to 1000 bytes. */
  readonly correlationId: string;
}

/** The checkout that is to be settled. */
export interface CheckoutToSettle extends CheckoutKey {
  /**
   * The number that it is taken to have, as `checkout()` gave it. The checkout may have expired meanwhile, and the correlation id stand for
   * another number by now: then the call is refused (SQ038) instead of settling that one.
   */
  readonly number?: bigint | undefined;
}

/** Which number is wanted, for what, and how long the work may take. */
export interface CheckoutRequest extends NumberRequest, CheckoutKey {
  /**
   * After this time the checkout counts as expired. An interval as PostgreSQL reads it, `1 second` to `30 days`, `15 minutes` when left
   * out. The number stays checked out then, unless the series has `ttl_action` `release`.
   */
  readonly ttl?: string | undefined;
}

/** A number that is checked out. */
export interface Checkout extends CheckoutKey {
  readonly number: bigint;
  /** The number as the series' format writes it, e.g. `INV-2026-00042`. */
  readonly documentNumber: string;
  /** By the clock of the server. */
  readonly expiresAt: Date;
}

/**
 * Checks a number out, for work that is done outside of the database. It is yours when the transaction of `queryable` has committed,
 * so do not use it before; then `finalize()` or `release()` it. Until then nobody gets a later number of this counter. The same
 * correlation id again gives the same number, and after a release a new one.
 *
 * `withCheckout()` does all of it, in transactions of its own.
 *
 * @throws SeqctlError SQ001, SQ010, SQ011, SQ014, SQ015; SQ033 for a wrong ttl or correlation id; SQ034 or SQ035 while another checkout is
 * open (`on_checkout` `fail`) or has expired; SQ038 when the correlation id stands for another group or date; PostgreSQL's 55P03 after
 * `lock_timeout`; TypeError for a date that is not `YYYY-MM-DD`
 */
export async function checkout(queryable: Queryable, request: CheckoutRequest): Promise<Checkout> {
  const { series, correlationId, ttl } = request;
  const { call, values } = argumentsFor(request);
  const mark = (value: unknown): string => `$${values.push(value)}`;
  const id = `correlation_id => ${mark(correlationId)}::text`;
  const time = ttl === undefined ? '' : `, ttl => ${mark(ttl)}::interval`;
  const rows = await run(
    queryable,
    `select c.number::text as number, c.document_number as document,
       extract(epoch from c.expires_at)::text as expires
     from seqctl.checkout(${call}, ${id}${time}) as c`,
    values,
  );
  const [row] = rows as { number: string; document: string; expires: string }[];
  if (row === undefined) throw new Error('seqctl.checkout() gave no row');
  return {
    series,
    correlationId,
    number: BigInt(row.number),
    documentNumber: row.document,
    expiresAt: new Date(Number(row.expires) * 1000),
  };
}

/**
 * The number of a checkout is used: it stays given for ever. In the same transaction, afterwards, a row with this number may be inserted
 * into an attached table. Repeated, it changes nothing.
 *
 * @param key - `reference`: what tells where the document is, kept with the checkout
 * @returns the number
 * @throws SeqctlError SQ037 when there is no such checkout, SQ038 when it was released, finalized with another reference, or has another
 * number
 */
export async function finalize(
  queryable: Queryable,
  {
    series,
    correlationId,
    number,
    reference,
  }: CheckoutToSettle & { readonly reference?: string | undefined },
): Promise<bigint> {
  return settle(
    queryable,
    `select seqctl.finalize(series => $1::text, correlation_id => $2::text, number => $3::bigint, reference => $4::text)::text as number`,
    [series, correlationId, number ?? null, reference ?? null],
  );
}

/**
 * The number of a checkout was not used: the next caller gets it. Repeated, it changes nothing.
 *
 * @returns the number
 * @throws SeqctlError SQ037 when there is no such checkout, SQ038 when it was finalized, or has another number
 */
export async function release(
  queryable: Queryable,
  { series, correlationId, number }: CheckoutToSettle,
): Promise<bigint> {
  return settle(
    queryable,
    'select seqctl.release(series => $1::text, correlation_id => $2::text, number => $3::bigint)::text as number',
    [series, correlationId, number ?? null],
  );
}

async function settle(queryable: Queryable, text: string, values: unknown[]): Promise<bigint> {
  const [row] = (await run(queryable, text, values)) as { number: string }[];
  if (row === undefined) throw new Error('seqctl gave no row');
  return BigInt(row.number);
}
