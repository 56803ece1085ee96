/** What happens to an invoice. */
export type InvoiceEvent =
  | { readonly type: 'InvoiceRequested'; readonly data: InvoiceRequest }
  | { readonly type: 'NumberCheckedOut'; readonly data: { readonly documentNumber: string } }
  | { readonly type: 'DocumentMade'; readonly data: { readonly file: string } }
  | { readonly type: 'DocumentRefused'; readonly data: { readonly reason: string } }
  | { readonly type: 'InvoiceIssued'; readonly data: { readonly documentNumber: string } }
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
  | { readonly status: 'requested'; readonly request: InvoiceRequest }
  | { readonly status: 'numbered'; readonly request: InvoiceRequest; readonly documentNumber: string }
  | { readonly status: 'made'; readonly documentNumber: string; readonly file: string }
  | { readonly status: 'refused'; readonly reason: string }
  | { readonly status: 'issued'; readonly documentNumber: string }
  | { readonly status: 'rejected'; readonly reason: string };

export function invoiceOf(events: readonly InvoiceEvent[]): Invoice {
  return events.reduce<Invoice>(apply, { status: 'unknown' });
}

/** @throws Error when an event comes that cannot follow */
function apply(invoice: Invoice, { type, data }: InvoiceEvent): Invoice {
  if (type === 'InvoiceRequested' && invoice.status === 'unknown')
    return { status: 'requested', request: data };
  if (type === 'NumberCheckedOut' && invoice.status === 'requested')
    return { status: 'numbered', request: invoice.request, documentNumber: data.documentNumber };
  if (type === 'DocumentMade' && invoice.status === 'numbered')
    return { status: 'made', documentNumber: invoice.documentNumber, file: data.file };
  if (type === 'DocumentRefused' && invoice.status === 'numbered')
    return { status: 'refused', reason: data.reason };
  if (type === 'InvoiceIssued' && invoice.status === 'made')
    return { status: 'issued', documentNumber: data.documentNumber };
  if (type === 'InvoiceRejected' && invoice.status === 'refused')
    return { status: 'rejected', reason: data.reason };
  throw new Error(`${type} cannot follow when the invoice is ${invoice.status}`);
}
