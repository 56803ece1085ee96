import { type Html, html } from '../html.js';
import type { Report } from '../report.js';
import { moment } from '../words.js';
import type { Section } from './section.js';

/** How this page came to be, and how it can be made again. */
export const origin: Section = { id: 'about', title: 'About this report', bytes: 8_000, render };

function render(report: Report): Html {
  return html`<dl class="facts">
      <div>
        <dt>Made</dt>
        <dd>${moment(report.madeAt)} by role ${report.madeBy}</dd>
      </div>
      <div>
        <dt>Database</dt>
        <dd>${report.connection}${report.isStandby ? ' (a standby)' : ''}</dd>
      </div>
      <div>
        <dt>Server</dt>
        <dd>PostgreSQL ${report.server}</dd>
      </div>
      <div>
        <dt>seqctl</dt>
        <dd>${report.installed} installed, owner ${report.owner}; report by version ${report.tool}</dd>
      </div>
      <div>
        <dt>Contents</dt>
        <dd>${report.only === null ? 'every series' : html`only series ${report.only}`}</dd>
      </div>
    </dl>
    <p>
      Everything here was read in one snapshot of the database, that is of one moment; nothing was changed. A
      number counts as <b>given</b> when its counter has passed it, and as <b>missing</b> when no row of an
      attached table has it. A missing number is <b>explained</b> when the void register has a reason for it
      (<b>void</b>), when it was missing already when the table was taken over (<b>before adoption</b>), or by
      a checkout: it is <b>checked out</b> and its time is not over, was <b>released</b> and waits for the
      next document, or was <b>finalized</b> for a document that is in no attached table. The register is
      append-only.
    </p>
    <p>
      To check it again: <code>seqctl verify</code> compares everything, <code>seqctl gaps</code> lists every
      missing number, <code>seqctl report --format csv</code> gives these facts as a table.
    </p>`;
}
