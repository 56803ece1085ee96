import type { Context } from '../context.js';
import type { Output } from '../output.js';
import type { WriteOptions } from '../session/write.js';

/** The options of every command that writes. */
export interface WriteFlags {
  readonly dryRun?: boolean;
  readonly lockTimeout: number;
}

export function writeOptions(
  flags: WriteFlags,
  context: Context,
  output: Output,
): Omit<WriteOptions, 'doing'> {
  return {
    dryRun: flags.dryRun ?? false,
    lockTimeoutMs: flags.lockTimeout,
    signal: context.signal,
    onProgress: output.progress,
    onNotice: output.notice,
  };
}

export function dryRunTail(flags: WriteFlags): string {
  return flags.dryRun === true ? '\n\nThis was a dry run: nothing was changed.' : '';
}
