import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { revokeAccess } from '../operations/access.js';
import { addExample, dryRunOption, lockTimeoutOption } from './options.js';
import { dryRunTail, type WriteFlags, writeOptions } from './write.js';

export function addRevokeCommand(program: Command, context: Context): void {
  const command = program
    .command('revoke')
    .description('take every right on seqctl from a role; inserting into attached tables needs none')
    .argument('<role>', 'the role, spelled as the database does')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (role: string, flags: WriteFlags, command: Command) => {
      const output = outputOf(command, context);
      const options = writeOptions(flags, context, output);
      await revokeAccess(connectionOf(command, context), role, options);
      const would = options.dryRun ? 'would have' : 'has';
      output.result(
        { revoked: role, dryRun: options.dryRun },
        `role ${role} ${would} no right on seqctl now.${dryRunTail(flags)}`,
      );
    });
  addExample(command, 'seqctl revoke auditor');
}
