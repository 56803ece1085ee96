import { printable } from '../output.js';

/** Markup that is safe to put into a page. */
export class Html {
  constructor(readonly markup: string) {}

  /** As UTF-8. */
  get bytes(): number {
    return Buffer.byteLength(this.markup);
  }
}

export type Content = string | number | bigint | null | Html | readonly Content[];

/** A template whose values are escaped, but for markup that was made by this function. Its own indentation is left out. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  const raw = strings.map((text) => text.replaceAll(/\s*\n\s*/g, '\n'));
  return new Html(String.raw({ raw }, ...values.map(render)));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(content: Content): string {
  if (content === null) return '';
  if (content instanceof Html) return content.markup;
  if (typeof content === 'object') return content.map(render).join('');
  return printable(String(content)).replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** What fits into so many bytes, in order; the rest is left out. */
export function fitting<T>(
  bytes: number,
  entries: readonly T[],
  toHtml: (entry: T) => Html,
): { readonly parts: readonly Html[]; readonly bytes: number } {
  const parts: Html[] = [];
  let used = 0;
  for (const entry of entries) {
    const part = toHtml(entry);
    if (used + part.bytes > bytes) break;
    used += part.bytes;
    parts.push(part);
  }
  return { parts, bytes: used };
}

/** Texts come from a database and can have any length. */
export function clip(text: string, length = 300): string {
  if (text.length <= length) return text;
  // Not in the middle of a character.
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
