import { Argument, type Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { UsageError } from '../errors.js';
import { type AccessReport, grantAccess, listAccess } from '../operations/access.js';
import { formatTable } from '../output.js';
import { type AccessLevel, accessLevels, type RoleAccess } from '../verify/access.js';
import { addExample, dryRunOption, lockTimeoutOption } from './options.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

export function addGrantCommand(program: Command, context: Context): void {
  const command = program
    .command('grant')
    .alias('grants')
    .description('give a role access to seqctl; without a role: list who has what')
    .argument('[role]', 'the role, spelled as the database does')
    .addArgument(
      new Argument(
        '[level]',
        'read (look and verify), issue (also take numbers with next_number and allocate) or admin (also the rest)',
      ).choices(accessLevels),
    )
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(
      async (
        role: string | undefined,
        level: AccessLevel | undefined,
        flags: WriteFlags,
        command: Command,
      ) => {
        const output = outputOf(command, context);
        const connection = connectionOf(command, context);
        if (role === undefined) {
          const report = await listAccess(connection, context.signal);
          output.result(report, describe(report));
          return;
        }
        if (level === undefined) {
          throw new UsageError(`which level should role ${role} get?`, {
            hint: `seqctl grant ${role} read, issue or admin`,
          });
        }
        const options = writeOptions(flags, context, output);
        await grantAccess(connection, role, level, options);
        const would = options.dryRun ? 'would have' : 'has';
        output.result(
          { role, level, dryRun: options.dryRun },
          `role ${role} ${would} level ${level} now.${dryRunTail(flags)}`,
        );
      },
    );
  addExample(command, 'seqctl grant auditor read', 'seqctl grant');
}

function describe({ owner, roles }: AccessReport): string {
  const rows = [
    { role: owner, level: 'owner', note: 'may do everything' },
    ...roles.map((access) => ({ role: access.role, level: access.level ?? 'none', note: noteOn(access) })),
  ];
  return formatTable(rows, [
    { title: 'ROLE', value: (row) => row.role },
    { title: 'LEVEL', value: (row) => row.level },
    { title: 'NOTE', value: (row) => row.note },
  ]);
}

function noteOn({ beyond, isPartial, level }: RoleAccess): string {
  const notes = [
    ...(isPartial ? [level === null ? 'some rights of read only' : 'and some rights of the next level'] : []),
    ...(beyond.length > 0 ? [`and beyond any level: ${beyond.join(', ')}`] : []),
  ];
  return notes.join('; ');
}
