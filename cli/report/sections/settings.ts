import { clip, type Html, html } from '../html.js';
import type { Report } from '../report.js';
import { type Section, table } from './section.js';

/** What holds for all series: those of one stand in its chapter. */
export const settings: Section = { id: 'settings', title: 'Server and rights', bytes: 60_000, render };

function render({ settings, access, owner }: Report, bytes: number): Html | null {
  if (settings.length === 0) return null;
  return html`<h3>Server settings</h3>
    <p>They decide whether what was committed survives a crash of the server.</p>
    ${table(
      settings,
      [
        { title: 'Setting', isHeader: true, value: ({ name }) => name },
        { title: 'Value', value: ({ value }) => value },
        { title: 'From', value: ({ source }) => source },
      ],
      { label: 'Server settings', bytes: bytes / 4 },
    )}
    <h3>Who may use seqctl</h3>
    <p>
      The owner may do everything; read is to look and verify, issue also to take numbers, admin also the
      rest. Who may insert into an attached table gets numbers by that alone.
    </p>
    ${table(
      [
        { role: owner, level: 'owner' },
        ...access.map(({ role, level }) => ({ role, level: level ?? 'less than read' })),
      ],
      [
        { title: 'Role', isHeader: true, value: ({ role }) => clip(role) },
        { title: 'Level', value: ({ level }) => level },
      ],
      { label: 'Roles', bytes: bytes / 2, more: () => html`: <code>seqctl grant</code>` },
    )}`;
}
