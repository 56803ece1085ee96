import type { Attachment } from '../../operations/attachments.js';
import { clip, type Content, fitting, type Html, html } from '../html.js';
import type { SeriesReport } from '../report.js';
import { counted, moment } from '../words.js';
import type { SeriesSection } from './section.js';

/** By what rules the numbers are given, and what keeps them as they are. */
export const rules: SeriesSection = { title: 'Rules and tables', share: 0.07, render };

function render({ series, attachments }: SeriesReport, bytes: number): Html {
  const rules = facts([
    ['Format', html`<code>${clip(series.format)}</code>`],
    ['Starts again', startsAgain(series)],
    ['Time zone', series.timeZone],
    ['First number', series.firstNumber],
    ['Last number', series.maxNumber ?? 'no limit'],
    ['Greatest length', series.maxLength === null ? 'no limit' : counted(series.maxLength, 'character')],
    ['External code', series.externalCode === null ? 'none' : clip(series.externalCode)],
    ['While a number is checked out', onCheckout[series.onCheckout] ?? series.onCheckout],
    ['When its time is over', ttlAction[series.ttlAction] ?? series.ttlAction],
    ['Hash chain', series.chain ? 'kept: each number that is issued adds a link' : 'none'],
    ['Created', `${moment(series.createdAt)} by ${series.createdBy}`],
  ]);
  const { parts } = fitting(
    bytes - rules.bytes,
    attachments,
    (one) =>
      html`<h4>${one.target}</h4>
        ${facts(factsOf(one, series.chain))}`,
  );
  const left = attachments.length - parts.length;
  const rest =
    left === 0
      ? ''
      : html`<p class="more">… and ${counted(left, 'more table')}: <code>seqctl status</code>.</p>`;
  return html`${rules}${parts}${rest}`;
}

function startsAgain({ reset, fiscalYearStart }: SeriesReport['series']): string {
  if (reset === 'never') return 'never';
  return fiscalYearStart === '01-01' ? reset : `${reset}, from ${fiscalYearStart} (month and day)`;
}

function factsOf(one: Attachment, hasChain: boolean): (readonly [name: string, value: Content])[] {
  return [
    ['Number column', one.numberColumn],
    ['Document number', one.documentNumberColumn ?? 'none'],
    ['Date', one.dateColumn ?? 'none'],
    ['Groups', one.groupColumns.join(', ') || 'none'],
    [
      'Issued rows',
      one.protect
        ? 'protected: they cannot be deleted, and keep number, group and period'
        : html`<span class="state bad">not protected</span>`,
    ],
    ...(hasChain ? [['The chain covers', clip(covered(one), 500)] as const] : []),
    ['Order of dates', chronology[one.chronology] ?? one.chronology],
    ['Numbered', assign[one.assign] ?? one.assign],
    ['Issued when', one.issueWhen === null ? 'always' : html`<code>${clip(one.issueWhen)}</code>`],
    ['Unique index', one.uniqueIndex ?? 'none'],
    ['Attached', `${moment(one.attachedAt)} by ${one.attachedBy}`],
  ];
}

/** Number and group are in each chain; what there is none of, is not. */
function covered({ groupColumns, dateColumn, documentNumberColumn, chainColumns }: Attachment): string {
  return [
    'number',
    ...(documentNumberColumn === null ? [] : ['document number']),
    ...(groupColumns.length === 0 ? [] : ['group']),
    ...(dateColumn === null ? [] : ['date']),
    ...chainColumns,
  ].join(', ');
}

const onCheckout: Readonly<Record<string, string>> = {
  wait: 'others wait until it is settled',
  fail: 'others are refused until it is settled',
  recycle: 'others get the next ones; a released number is given again',
};

const ttlAction: Readonly<Record<string, string>> = {
  keep: 'it stays out until somebody settles it',
  release: 'the next caller releases it',
};

const assign: Readonly<Record<string, string>> = {
  insert: 'by the INSERT, or the UPDATE that issues the row',
  commit: 'at the commit',
  manual: 'in batches',
};

const chronology: Readonly<Record<string, string>> = {
  off: 'not kept',
  enforce: 'a document dated before the last one is refused',
  stamp: 'the date is set when the number is given',
};

function facts(all: readonly (readonly [name: string, value: Content])[]): Html {
  const rows = all.map(
    ([name, value]) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`,
  );
  return html`<dl class="facts two">${rows}</dl>`;
}
