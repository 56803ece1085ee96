/** What happens to an invoice. */
export type InvoiceEvent =
  | { readonly type: 'InvoiceRequested'; readonly data: InvoiceRequest }
  | { readonly type: 'NumberCheckedOut'; readonly data: { readonly documentNumber: string; readonly number: string } }
  | { readonly type: 'DocumentMade'; readonly data: { readonly file: string } }
  | { readonly type: 'DocumentRefused'; readonly data: { readonly reason: string } }
  | { readonly type: 'InvoiceIssued'; readonly data: { readonly documentNumber: string; readonly number: string } }
  | { readonly type: 'InvoiceRejected'; readonly data: { readonly reason: string } };

export interface InvoiceRequest {
  readonly company: string;
  /** `YYYY-MM-DD` */
  readonly date: string;
  readonly cents: number;
}

/** How far an invoice is. */
export type Invoice =
  | { readonly status: 'unknown' }
  | ({ readonly status: 'requested' } & InvoiceRequest)
  | ({ readonly status: 'numbered'; readonly documentNumber: string } & InvoiceRequest)
  | ({ readonly status: 'made'; readonly documentNumber: string; readonly file: string } & InvoiceRequest)
  | ({ readonly status: 'refused'; readonly reason: string } & InvoiceRequest)
  | { readonly status: 'issued' }
  | { readonly status: 'rejected' };

export function invoiceOf(events: readonly InvoiceEvent[]): Invoice {
  return events.reduce(apply, { status: 'unknown' });
}

/** Each event has one status that it can follow, so that a stream which is out of order is noticed. */
function apply(invoice: Invoice, event: InvoiceEvent): Invoice {
  switch (`${invoice.status} ${event.type}`) {
  }
  return invoice;
}
