/** A format in parts: what stands in a document number one after the other. */
export interface DocumentText {
  readonly parts: readonly Part[];
  /** It has random characters: the parts make a pattern for LIKE, in which literal text is escaped. */
  readonly isPattern: boolean;
}

export type Part =
  | { readonly kind: 'number'; readonly width: number }
  | { readonly kind: 'group' }
  | { readonly kind: 'random'; readonly length: number }
  /** Literal text, or fields of the date with the text around them; a format again. */
  | { readonly kind: 'text' | 'dated'; readonly format: string };

/** SQL for what the parts are made of. */
export interface PartValues {
  /** The number column. */
  readonly number: string;
  readonly group: string;
  /** The dated parts, in order. */
  readonly dated: readonly string[];
  readonly quote: (text: string) => string;
}

export function readFormat(format: string): DocumentText {
  const tokens = format.match(/\{\{|\}\}|\{[^{}]*\}|[^{}]+/g) ?? [];
  const isPattern = tokens.some((token) => token.startsWith('{random:'));
  const parts: Part[] = [];
  for (const token of tokens) {
    const [, name, width] = /^\{([a-z_]+)(?::(\d+))?\}$/.exec(token) ?? [];
    if (name === 'number') parts.push({ kind: 'number', width: Number(width ?? 1) });
    else if (name === 'group') parts.push({ kind: 'group' });
    else if (name === 'random') parts.push({ kind: 'random', length: Number(width) });
    else {
      const text = name === undefined && isPattern ? token.replaceAll(/[\\%_]/g, String.raw`\$&`) : token;
      const last = parts.at(-1);
      const isText = last?.kind === 'text' || last?.kind === 'dated';
      parts.splice(parts.length - Number(isText), Number(isText), {
        kind: name !== undefined || last?.kind === 'dated' ? 'dated' : 'text',
        format: (isText ? last.format : '') + text,
      });
    }
  }
  return { parts, isPattern };
}

/** The formats of the dated parts. */
export function datedFormats({ parts }: DocumentText): string[] {
  return parts.flatMap((part) => (part.kind === 'dated' ? part.format : []));
}

/**
 * SQL: whether `documentNumber` is what the format makes, in a third of the time that making it takes. lpad(), to_char() and concat()
 * are what costs: zeros are chosen by the size of the number instead, and dated parts are made once for each day. It is never true of
 * another text. Where it is not true (a day without dated parts, a number below zero), the long way has to be asked. null: the
 * format has not one {number}.
 */
export function quickComparison(
  documentNumber: string,
  { parts, isPattern }: DocumentText,
  values: PartValues,
): string | null {
  const [width, ...more] = parts.flatMap((part) => (part.kind === 'number' ? part.width : []));
  if (width === undefined || more.length > 0) return null;
  const cases = Array.from({ length: width }, (_, zeros) => {
    const least = zeros === width - 1 ? '0' : `1${'0'.repeat(width - 1 - zeros)}`;
    const texts = textsOf(parts, isPattern, '0'.repeat(zeros), values);
    return `when ${values.number} >= ${least} then ${texts.join(' || ')}`;
  });
  return `${documentNumber} ${isPattern ? 'like' : '='} case ${cases.join(' ')} end`;
}

function textsOf(
  parts: readonly Part[],
  isPattern: boolean,
  zeros: string,
  { number, group, dated, quote }: PartValues,
): string[] {
  const days = dated.values();
  return parts.flatMap((part) => {
    switch (part.kind) {
      case 'number':
        return zeros === '' ? [`${number}::text`] : [quote(zeros), `${number}::text`];
      case 'group':
        return [isPattern ? String.raw`regexp_replace(${group}, '([\\%_])', '\\\1', 'g')` : group];
      case 'random':
        return [quote('_'.repeat(part.length))];
      case 'dated':
        return days.next().value ?? 'null';
      case 'text':
        return [quote(part.format.replaceAll('{{', '{').replaceAll('}}', '}'))];
    }
  });
}
