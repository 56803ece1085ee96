import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { CheckFailed } from '../errors.js';
import { readNotedHeads } from '../operations/chain.js';
import { formatTable } from '../output.js';
import type { Finding } from '../verify/finding.js';
import { type CheckedSeries, verify, type VerifyReport } from '../verify/verify.js';
import { addExample } from './options.js';

/** More than anybody reads; the rest is counted. */
const shownFindings = 1000;

const titles: Record<Finding['area'], string> = {
  server: 'Server',
  installation: 'Installation',
  table: 'Attached tables',
  numbers: 'Numbers',
};

export function addVerifyCommand(program: Command, context: Context): void {
  const command = program
    .command('verify')
    .description(
      'check the server, the installation, the attached tables, and every number for gaps and duplicates; reads only; ' +
        'exit 1 when an error was found',
    )
    .argument('[series]', 'only the tables and numbers of this series')
    .option(
      '--chain-heads <file>',
      'compare the hash chains with heads that seqctl chain-heads --json noted earlier',
    )
    .action(async (series: string | undefined, flags: { chainHeads?: string }, command: Command) => {
      const output = outputOf(command, context);
      const chainHeads = flags.chainHeads === undefined ? undefined : readNotedHeads(flags.chainHeads);
      const report = await verify(connectionOf(command, context), {
        series,
        limit: shownFindings,
        chainHeads,
        signal: context.signal,
        onProgress: context.terminal === undefined ? undefined : output.progress,
        onWaiting: output.progress,
      });
      output.result(report, describe(report));
      if (!report.ok) throw new CheckFailed();
    });
  addExample(command, 'seqctl verify invoice');
}

function describe(report: VerifyReport): string {
  const sections = (Object.keys(titles) as Finding['area'][]).flatMap((area) => {
    const findings = report.findings.filter((finding) => finding.area === area);
    if (findings.length === 0) return [];
    const lines = formatTable(findings, [
      { title: 'SEVERITY', value: (finding) => finding.severity },
      { title: 'OBJECT', value: (finding) => finding.object },
      { title: 'FINDING', value: (finding) => finding.what },
      { title: 'NEXT STEP', value: (finding) => finding.hint },
    ]);
    return [`${titles[area]}\n${lines}${area === 'numbers' ? describeOmitted(report) : ''}`];
  });
  const checked =
    report.series.length === 0
      ? []
      : [
          formatTable(report.series, [
            { title: 'SERIES', value: (one) => one.name },
            { title: 'COUNTERS', value: (one) => one.counters },
            { title: 'NUMBERS', value: (one) => one.numbers },
            {
              title: 'COMPARED WITH',
              value: describeCompared,
            },
          ]),
        ];
  return [...sections, ...checked, verdict(report)].join('\n\n');
}

function describeCompared({ compared, tables }: CheckedSeries): string {
  if (compared) return tables.join(', ');
  return tables.length === 0 ? 'no table: nothing to compare with' : `not compared with ${tables.join(', ')}`;
}

function describeOmitted({ omitted, omittedExplained }: VerifyReport): string {
  return [
    omitted > 0 ? `\n… and ${omitted} more findings about numbers.` : '',
    omittedExplained > 0 ? `\n… and ${omittedExplained} more explained gaps: seqctl gaps lists them.` : '',
  ].join('');
}

function verdict({ errors, warnings, explained, installed, series, headsCompared }: VerifyReport): string {
  const found = warnings > 0 ? [`${counted(warnings, 'warning')}.`] : [];
  if (errors > 0) return `${counted(errors, 'error')}, ${counted(warnings, 'warning')}.`;
  const numbers = series.some(({ compared }) => compared)
    ? `${explained > 0 ? 'every missing number is explained' : 'no number is missing'}, none is there twice`
    : 'no table is attached to compare numbers with';
  return [
    `seqctl ${installed} is as it should be: ${numbers}.`,
    ...describeBare(series),
    ...(headsCompared === null
      ? []
      : [`${counted(headsCompared, 'noted chain head was', 'noted chain heads were')} compared.`]),
    ...found,
  ].join(' ');
}

/** Numbers that nobody can say are there. */
function describeBare(series: readonly CheckedSeries[]): string[] {
  const bare = series.filter(({ compared, numbers }) => !compared && numbers > 0n);
  if (bare.length === 0) return [];
  const numbers = bare.reduce((sum, one) => sum + one.numbers, 0n);
  return [
    `${counted(bare.length, 'series has', 'series have')} no table: ${counted(numbers, 'number was', 'numbers were')} compared with nothing.`,
  ];
}

function counted(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count} ${BigInt(count) === 1n ? one : many}`;
}
