/** Light and dark on a screen, always light on paper. Colour never says anything alone: a square without a reason is full, an explained one a ring. */
export const style = `
:root {
  --paper: #fff; --ink: #1b1f24; --soft: #59616b; --line: #d8dde3; --faint: #f4f6f8; --there: #d3dae2;
  --bar: #5b7a9d; --good: #17693f; --known: #8a5300; --bad: #b3261e; --link: #1c5d99; --shade: 0 6px 24px rgb(20 30 40 / 18%);
}
@media screen {
  :root { color-scheme: light dark; }
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --ink: #e5e8eb; --soft: #9da7b1; --line: #303840; --faint: #1c2227; --there: #39434d;
    --bar: #7c9cc0; --good: #6bc796; --known: #e0aa55; --bad: #ff8577; --link: #8ab8e6; --shade: 0 6px 24px rgb(0 0 0 / 60%);
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 3rem 1.5rem 4rem; max-width: 66rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums;
  overflow-wrap: break-word;
}
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; text-wrap: balance; overflow-wrap: anywhere; }
h1 { margin: 0 0 .5rem; font-size: 2rem; letter-spacing: -.015em; }
h2 { margin: 0 0 .5rem; font-size: 1.5rem; letter-spacing: -.01em; }
h3 { margin: 2.25rem 0 .75rem; font-size: 1.0625rem; }
h4 { margin: 1.5rem 0 .125rem; font-size: 1rem; }
p { margin: 0 0 .75rem; max-width: 46rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code { font: .875em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.kind { margin: 0 0 .25rem; color: var(--soft); font-size: .875rem; font-weight: 500; letter-spacing: 0; }
h2 .kind { display: block; }
.lead, .sums, .note, .more, .by, .purpose { color: var(--soft); }
.purpose { margin-bottom: .25rem; font-style: italic; }
.note, .more, .sums { font-size: .9375rem; }
.by { font-size: .875rem; }
td .by { display: block; overflow-wrap: anywhere; }
.more { margin: .5rem 0 0; }
.chapter { margin-top: 3.5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
.verdict { margin: 1rem 0 2rem; padding: .125rem 0 .125rem 1.25rem; border-left: 4px solid var(--soft); }
.verdict p { margin: 0; }
.verdict .answer { font-size: 1.75rem; line-height: 1.3; font-weight: 600; letter-spacing: -.01em; }
.verdict.good { border-color: var(--good); } .verdict.good .answer, .state.good { color: var(--good); }
.verdict.known { border-color: var(--known); } .verdict.known .answer, .state.known { color: var(--known); }
.verdict.bad { border-color: var(--bad); } .verdict.bad .answer, .state.bad { color: var(--bad); }
.state.out { color: var(--link); }
.state { font-weight: 500; }
.state.none { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1.25rem 2rem; margin: 0 0 2rem; }
.figures div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.figures dt { color: var(--soft); font-size: .875rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-weight: 600; letter-spacing: -.01em; overflow-wrap: anywhere; }
.facts { margin: 1rem 0 1.5rem; }
.facts div { display: grid; grid-template-columns: 7rem 1fr; gap: 1rem; padding: .375rem 0; border-bottom: 1px solid var(--line); }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.facts.two { columns: 24rem 2; column-gap: 3rem; margin: 0 0 1rem; font-size: .9375rem; }
.facts.two div { break-inside: avoid; grid-template-columns: 8.5rem 1fr; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9375rem; line-height: 1.4; }
.scroll table { min-width: min(100%, 36rem); }
th, td { padding: .375rem 1.25rem .375rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: .8125rem; font-weight: 500; vertical-align: bottom; border-bottom-color: var(--soft); }
tbody th { min-width: 8.5rem; font-weight: 500; overflow-wrap: anywhere; }
td.w { width: 60%; min-width: 14rem; overflow-wrap: anywhere; }
td.t { min-width: 6rem; overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; }
.date, .state { white-space: nowrap; }
.years { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.75rem 2.5rem; align-items: start; }
.year { width: 100%; font-size: .875rem; line-height: 1.3; }
.year caption { padding-bottom: .375rem; text-align: left; font-weight: 600; border-bottom: 1px solid var(--soft); }
.year caption span { float: right; color: var(--soft); font-weight: 400; }
.year th, .year td { padding: .125rem .75rem .125rem 0; border: 0; vertical-align: middle; white-space: nowrap; }
.year th { width: 1%; min-width: 0; color: var(--soft); font-weight: 400; } .year td.n { width: 1%; }
.year td.bar { padding-right: 0; min-width: 5rem; }
.year svg { display: block; } .year rect { fill: var(--bar); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.definitions { position: absolute; }
.map { display: flex; flex-wrap: wrap; gap: 0 1.75rem; margin: .75rem 0 1.25rem; }
.map svg { display: block; overflow: visible; max-width: 100%; }
.map text { fill: var(--soft); font-size: 11px; text-anchor: end; }
.there { fill: var(--there); }
.map .open { fill: var(--bad); }
.map .known, .legend .known { fill: var(--paper); stroke: var(--known); stroke-width: 2; }
.map .out, .legend .out { fill: var(--paper); stroke: var(--link); stroke-width: 2; stroke-dasharray: 3 1.5; }
.map .late, .legend .late { fill: url(#late); } .definitions .open { fill: var(--bad); } .hole { fill: var(--paper); }
.map .mixed { stroke: var(--known); stroke-width: 2; }
.legend .open { fill: var(--bad); }
.map rect[aria-label] { cursor: pointer; outline: none; }
.map rect.on, .map rect:focus { stroke: var(--ink); stroke-width: 3; paint-order: stroke; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: 0 0 .5rem; padding: 0; list-style: none; color: var(--soft); font-size: .875rem; }
.legend svg { margin-right: .375rem; vertical-align: -1px; }
.hash { display: inline-block; width: 37ch; font-size: .8125rem; line-height: 1.5; overflow-wrap: normal; } .hash span { display: inline-block; margin-right: 1ch; }
.squares { columns: 13rem; margin: 0 0 1rem; padding: 0; list-style: none; font-size: .875rem; }
.squares li { break-inside: avoid; color: var(--soft); } .squares b { color: var(--ink); font-weight: 500; }
#note { position: absolute; z-index: 1; width: max-content; max-width: min(26rem, calc(100vw - 1rem)); padding: .5rem .75rem; border: 1px solid var(--soft); border-radius: 4px; background: var(--paper); box-shadow: var(--shade); font-size: .875rem; line-height: 1.4; overflow-wrap: anywhere; }
#note[hidden] { display: none; }
#note p { margin: 0; } #note p + p { margin-top: .375rem; }
@media (max-width: 40rem) {
  body { padding: 1.5rem .875rem 3rem; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; } .verdict .answer { font-size: 1.375rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: 1rem; } .figures dd { font-size: 1.25rem; }
  .facts div { grid-template-columns: 1fr; gap: 0; }
  th, td { padding-right: .875rem; } td.w { min-width: 12rem; } tbody th, td.t { min-width: 5rem; }
  .scroll th:first-child { position: sticky; left: 0; background: var(--paper); }
}
@page { size: A4; margin: 16mm 15mm 18mm; }
@page { @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #59616b; } }
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 19pt; } h2 { font-size: 14pt; } h3 { margin-top: 14pt; font-size: 10.5pt; } h4 { font-size: 9.5pt; }
  h2, h3, h4, .sums, .note:has(+ ul), .legend { break-after: avoid; }
  .chapter { margin-top: 22pt; padding-top: 10pt; }
  table { font-size: 8.25pt; } thead { display: table-header-group; }
  tr, h2, .verdict, .figures, .year, .map, .legend, .facts div { break-inside: avoid; }
  .scroll { overflow: visible; } .scroll table { min-width: 0; width: auto; }
  th, td { padding: 2.5pt 9pt 2.5pt 0; } tbody th, td.w, td.t { min-width: 6rem; } thead th { font-size: 7.5pt; }
  .facts.two { columns: 2; column-gap: 20pt; font-size: 8.25pt; } .facts.two div { grid-template-columns: 70pt 1fr; }
  .years { grid-template-columns: repeat(3, 1fr); gap: 12pt 18pt; } .year { font-size: 8pt; } .year td.bar { min-width: 2rem; }
  .hash { font-size: 7.5pt; }
  .squares { columns: 5; column-gap: 8pt; font-size: 7.5pt; }
  .figures { grid: auto / auto-flow auto; } .figures dd { font-size: 14pt; } .figures dt { font-size: 8pt; }
  .verdict .answer { font-size: 16pt; }
  .note, .more, .sums, .by, .kind, .legend { font-size: 8.5pt; }
  a { color: inherit; text-decoration: none; } #note { display: none; }
}
`;
