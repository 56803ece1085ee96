import path from 'node:path';

import { type Command, Option } from 'commander';

import { connectionOf, type Context, type GlobalOptions, outputOf } from '../context.js';
import { CheckFailed, UsageError } from '../errors.js';
import { toJson } from '../output.js';
import { renderCsv } from '../report/csv.js';
import { writeWhole } from '../report/file.js';
import { renderPage } from '../report/page.js';
import { makeReport, type Report } from '../report/report.js';
import { count, counted, missingOf, uncompared } from '../report/words.js';
import { addExample, parseFile } from './options.js';

const formats = ['html', 'csv', 'json'] as const;
type Format = (typeof formats)[number];

/** A page of more is read by nobody; the rest is counted in it. Machines get more, and memory stays bounded. */
const listed: Record<Format, number> = { html: 1000, csv: 10_000, json: 10_000 };

interface ReportFlags {
  readonly out?: string;
  readonly format?: Format;
  readonly series?: string;
}

export function addReportCommand(program: Command, context: Context): void {
  const command = program
    .command('report')
    .description(
      'make a report for an auditor: numbers issued by month, every missing number with its reason, voids, the findings of ' +
        'verify, settings; reads only; exit 1 when an error was found (the report is made all the same)',
    )
    .option(
      '--out <file>',
      'where the report goes; a file of that name is replaced (default: standard output)',
      parseFile,
    )
    .addOption(
      new Option(
        '--format <format>',
        'html: one page that needs nothing else; csv: a row a fact; json (default: what the ending of --out says, else html)',
      ).choices(formats),
    )
    .option('--series <name>', 'only this series')
    .action(async (flags: ReportFlags, command: Command) => {
      const output = outputOf(command, context);
      const { json = false } = command.optsWithGlobals<GlobalOptions>();
      const format = formatOf(flags, json);
      const make = (): Promise<Report> =>
        makeReport(connectionOf(command, context), {
          series: flags.series,
          limit: listed[format],
          signal: context.signal,
          onProgress: context.terminal === undefined ? undefined : output.progress,
          onWaiting: output.progress,
        });
      let report: Report;
      const { out } = flags;
      if (out === undefined) {
        report = await make();
        context.stdout(render(report, format));
      } else {
        report = await writeWhole(out, async (write) => {
          const made = await make();
          await write(render(made, format));
          return made;
        });
        output.result({ out, format, ...summaryOf(report) }, `${describe(report)} The report is in ${out}.`);
      }
      if (!report.ok) throw new CheckFailed();
    });
  addExample(command, 'seqctl report --out report.html', 'seqctl report --series invoice --format csv');
}

/** With --json and no file, stdout has one JSON document: the report. */
function formatOf({ out, format }: ReportFlags, json: boolean): Format {
  if (json && out === undefined) {
    if (format !== undefined && format !== 'json') {
      throw new UsageError(`--json and --format ${format} both say what goes to standard output`, {
        hint: 'Leave one of them out, or name a file with --out.',
      });
    }
    return 'json';
  }
  if (format !== undefined) return format;
  const ending = path.extname(out ?? '').toLowerCase();
  if (['', '.', '.htm'].includes(ending)) return 'html';
  const meant = formats.find((one) => `.${one}` === ending);
  if (meant !== undefined) return meant;
  throw new UsageError(`a report is not written as ${ending}`, {
    hint: 'Let the name end in .html, .csv or .json, or say which one it is with --format.',
  });
}

function render(report: Report, format: Format): string {
  if (format === 'csv') return renderCsv(report);
  return format === 'json' ? `${toJson(report)}\n` : renderPage(report);
}

function summaryOf({ ok, errors, warnings, series }: Report): object {
  const { explained, unexplained } = missingOf(series);
  return { ok, errors, warnings, unexplained, explained, notCompared: uncompared(series).length };
}

function describe(report: Report): string {
  const found = `${counted(report.errors, 'error')}, ${counted(report.warnings, 'warning')}`;
  return `${describeMissing(report)}; ${found}.`;
}

/** What an auditor reads first: what was not compared is not said to be complete. */
function describeMissing({ series }: Report): string {
  const { explained, unexplained } = missingOf(series);
  if (series.every(({ compared }) => !compared)) return 'No number was compared with a table';
  const bare = uncompared(series).length;
  const beside = bare === 0 ? '' : `, but ${counted(bare, 'series was', 'series were')} not compared`;
  const missing = `${counted(unexplained + explained, 'number')} missing`;
  if (unexplained + explained === 0n) return `No number is missing${beside}`;
  if (unexplained === 0n) return `${missing}, all explained${beside}`;
  return `${missing}, ${count(unexplained)} without a reason${beside}`;
}
