import type { Command } from 'commander';

import { connectionOf, type Context, outputOf } from '../context.js';
import { type ChainHead, listChainHeads } from '../operations/chain.js';
import { formatTable } from '../output.js';
import { addExample } from './options.js';

export function addChainHeadsCommand(program: Command, context: Context): void {
  const command = program
    .command('chain-heads')
    .description(
      'list the last link of each hash chain; noted down elsewhere, they show later that no chain was cut off',
    )
    .option('--series <name>', 'only this series')
    .action(async ({ series }: { series?: string }, command: Command) => {
      const heads = await listChainHeads(connectionOf(command, context), series, context.signal);
      outputOf(command, context).result(
        { heads },
        heads.length === 0 ? 'No series keeps a hash chain, or none has given a number.' : headTable(heads),
      );
    });
  addExample(
    command,
    'seqctl chain-heads --json > heads-2026-03-31.json',
    'seqctl verify --chain-heads heads-2026-03-31.json',
  );
}

function headTable(heads: readonly ChainHead[]): string {
  return formatTable(heads, [
    { title: 'SERIES', value: (one) => one.series },
    { title: 'GROUP', value: (one) => one.group },
    { title: 'PERIOD', value: (one) => one.period },
    { title: 'LINKS', value: (one) => one.links },
    { title: 'NUMBER', value: (one) => one.number },
    { title: 'HASH', value: (one) => one.hash },
  ]);
}
