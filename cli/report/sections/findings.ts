import type { Finding } from '../../verify/finding.js';
import { clip, type Html, html } from '../html.js';
import type { Report } from '../report.js';
import { missingOf } from '../words.js';
import { type Section, table } from './section.js';

/** What `seqctl verify` found besides missing numbers. */
export const findings: Section = { id: 'findings', title: 'Findings of the check', bytes: 160_000, render };

const areas: Record<Finding['area'], string> = {
  server: 'server',
  installation: 'installation',
  table: 'attached table',
  numbers: 'numbers',
};

function render(report: Report, bytes: number): Html {
  const others = report.findings.filter(({ severity }) => severity !== 'info');
  const missing = missingOf(report.series);
  const checked =
    'Compared were the server’s settings, every object of the installation, the attached tables with their triggers and indexes, and every number with its counter' +
    (report.series.some(({ heads }) => heads !== null)
      ? '; where a hash chain is kept, every link of it with the one before it and with its row.'
      : '.');
  if (others.length === 0) {
    const except = missing.unexplained > 0n ? ' besides the missing numbers above' : '';
    return html`<p>${checked} Nothing was found${except}.</p>`;
  }
  return html`<p>${checked}</p>
    ${table(
      others.toSorted((a, b) => (a.severity === b.severity ? 0 : a.severity === 'error' ? -1 : 1)),
      [
        {
          title: 'Severity',
          value: ({ severity }) =>
            html`<span class="state ${severity === 'error' ? 'bad' : 'known'}">${severity}</span>`,
        },
        { title: 'Area', value: ({ area }) => areas[area] },
        { title: 'Object', isHeader: true, value: ({ object }) => clip(object) },
        { title: 'Finding', text: 'any', value: ({ what }) => clip(what, 600) },
        { title: 'Next step', text: 'any', value: ({ hint }) => clip(hint, 600) },
      ],
      {
        label: 'Findings',
        bytes,
        total: others.length + report.omitted,
        more: () => html`: <code>seqctl verify</code>`,
      },
    )}`;
}
