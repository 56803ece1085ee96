import { createHash } from 'node:crypto';

import { Html, html } from './html.js';
import { script } from './page-script.js';
import { style } from './page-style.js';
import type { Report } from './report.js';
import { findings } from './sections/findings.js';
import { mapDefinitions } from './sections/gap-map.js';
import { origin } from './sections/origin.js';
import type { Section } from './sections/section.js';
import { renderSeries } from './sections/series.js';
import { settings } from './sections/settings.js';
import { summary } from './sections/summary.js';
import { moment } from './words.js';

/** Chapters that are not about one series, in order; those of the series stand after the first. */
const sections: readonly Section[] = [summary, findings, settings, origin];

/** So that the page stays under 2 MB, whatever is in the database. */
const seriesBytes = 1_300_000;

/** One page that needs nothing else: no network, no file beside it. Nothing but its own style and script, named by their hashes, runs in it. */
export function renderPage(report: Report): string {
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`;
  const chapters = sections.map((section) => renderSection(section, report));
  const title = `Numbering report: ${report.database}, ${moment(report.madeAt)}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        ${mapDefinitions}
        <header>
          <p class="kind">Numbering report</p>
          <h1>Document numbers in database ${report.database}</h1>
          <p class="lead">
            As of ${moment(report.madeAt)}${report.only === null ? '' : html`, only series ${report.only}`}.
            Made by role ${report.madeBy} with seqctl ${report.tool}.
          </p>
        </header>
        <main>${chapters.slice(0, 1)} ${renderSeries(report, seriesBytes)} ${chapters.slice(1)}</main>
        <div id="note" role="status" hidden></div>
        ${new Html(`<script>${script}</script>`)}
      </body>
    </html> `;
  return `${page.markup.trimEnd()}\n`;
}

function renderSection({ id, title, render, bytes }: Section, report: Report): Html | '' {
  const body = render(report, bytes);
  if (body === null) return '';
  return html`<section id="${id}" class="chapter" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${body}
  </section> `;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
