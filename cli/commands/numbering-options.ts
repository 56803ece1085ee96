import { type Command, Option } from 'commander';

import {
  type Assign,
  assigns,
  type AttachSettings,
  chronologies,
  type Chronology,
} from '../operations/attachments.js';
import { parseNames } from './options.js';

/** The options of `attach` and `adopt` that say how a table is numbered. */
export interface NumberingFlags {
  readonly series: string;
  readonly numberColumn: string;
  readonly dateColumn?: string;
  readonly groupColumns?: string[];
  readonly documentNumberColumn?: string;
  readonly issueWhen?: string;
  readonly assign?: Assign;
  readonly chronology?: Chronology;
  readonly protect: boolean;
  readonly chainColumn?: string[];
}

export function addNumberingOptions(command: Command): Command {
  return command
    .requiredOption('--series <name>', 'the series that the numbers come from')
    .option('--number-column <name>', 'the bigint or integer column that takes the number', 'number')
    .option('--date-column <name>', 'the date of the document; needed unless the series never resets')
    .option(
      '--group-columns <names>',
      'columns that have numbers of their own, e.g. company_id,branch',
      parseNames,
    )
    .option('--document-number-column <name>', 'the text column that takes the document number')
    .option(
      '--issue-when <condition>',
      `SQL condition on the row under which it is issued, e.g. "status = 'issued'"; until then it is a draft without a number`,
    )
    .addOption(
      new Option(
        '--assign <when>',
        'when a row gets its number: insert (at once), commit (no lock before), manual (by seqctl number-pending); insert if not given',
      ).choices(assigns),
    )
    .addOption(
      new Option(
        '--chronology <how>',
        'dates never go back against numbers: enforce (refuse such rows), stamp (seqctl sets the date); off if not given',
      ).choices(chronologies),
    )
    .option('--no-protect', 'let issued rows be deleted, and their number, group and period changed')
    .option(
      '--chain-column <name>',
      'a column that the hash chain of the series covers besides number, document number, group and date; may be given again',
      (name: string, before: string[] | undefined) => [...(before ?? []), name],
    );
}

export function numberingSettings(flags: NumberingFlags): AttachSettings {
  return {
    ...flags,
    groupColumns: flags.groupColumns ?? [],
    protect: flags.protect ? undefined : false,
    chainColumns: flags.chainColumn,
  };
}
