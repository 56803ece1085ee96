import { writeFile } from 'node:fs/promises';

import PDFDocument from 'pdfkit';

export interface Order {
  readonly id: string;
  readonly company: string;
  /** `YYYY-MM-DD` */
  readonly date: string;
  readonly lines: readonly { readonly text: string; readonly cents: number }[];
}

/** Returns when all of the file is on disk. */
export async function writePdf(
  path: string,
  order: Order,
  documentNumber: string,
  signal: AbortSignal,
): Promise<void> {
  const document = draw(order, documentNumber);
  document.end();
  await writeFile(path, document, { signal, flush: true });
}

function draw({ company, date, lines }: Order, documentNumber: string): PDFKit.PDFDocument {
  const document = new PDFDocument({ size: 'A4', info: { Title: documentNumber, Author: company } });
  document.fontSize(20).text(`Invoice ${documentNumber}`).fontSize(11).text(`${company}, ${date}`).moveDown();
  for (const { text, cents } of lines) document.text(`${text}: ${euros(cents)}`);
  const total = lines.reduce((sum, { cents }) => sum + cents, 0);
  return document.moveDown().text(`Total: ${euros(total)}`);
}

function euros(cents: number): string {
  return (cents / 100).toFixed(2);
}
