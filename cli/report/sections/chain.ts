import type { ChainHead } from '../../operations/chain.js';
import { quote } from '../../shell.js';
import { clip, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import { count, moment } from '../words.js';
import { type SeriesSection, table } from './section.js';

/** What is to be noted down. */
export const chain: SeriesSection = { title: 'Heads of the hash chains', share: 0.06, render };

function render({ heads, series }: SeriesReport, bytes: number): Html | null {
  if (heads === null) return null;
  if (heads.total === 0) return html`<p>None yet: no number was issued since the chain is kept.</p>`;
  const { entries, total } = heads;
  const hasPeriods = entries.some(({ period }) => period !== '');
  const hasGroups = entries.some(({ group }) => group !== '');
  return html`<p>
      A head that is noted down where nobody here can write (this page on paper will do) proves later that
      nothing up to it was altered, removed or cut off: the link of that place must still have that hash.
      <code>seqctl chain-heads --json</code> notes them for <code>seqctl verify --chain-heads</code>.
    </p>
    ${table(
      entries,
      [
        { title: 'Last number', isHeader: true, value: ({ number }) => number },
        ...(hasPeriods ? [{ title: 'Period', value: ({ period }: ChainHead) => period }] : []),
        ...(hasGroups
          ? [{ title: 'Group', text: 'any' as const, value: ({ group }: ChainHead) => clip(group) }]
          : []),
        { title: 'Links', isNumber: true, value: ({ links }) => count(links) },
        { title: 'Issued', value: ({ issuedAt }) => html`<span class="date">${moment(issuedAt)}</span>` },
        { title: 'Hash (SHA-256)', value: ({ hash }) => eights(hash) },
      ],
      {
        label: 'Heads of the hash chains',
        bytes,
        total,
        more: () => html`: <code>seqctl chain-heads --series ${quote(series.name)}</code>`,
      },
    )}`;
}

/** Two lines of four times eight digits, which an eye can compare; copied, they are one word. */
function eights(hash: string): Html {
  const parts = (hash.match(/.{8}/g) ?? []).map((digits) => html`<span>${digits}</span>`);
  return html`<code class="hash">${parts}</code>`;
}
