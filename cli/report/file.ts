import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { OperationError } from '../errors.js';

/**
 * Opens a file beside `target` before the work, so that a folder that cannot be written is known at once, and puts it into its place when
 * it is complete: who looks finds the old file or the new one, never half of one.
 *
 * @throws OperationError when the file cannot be written; else what `work` throws
 */
export async function writeWhole<T>(
  target: string,
  work: (write: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const refuse = (cause: unknown): never => {
    throw new OperationError(`could not write ${target}: ${(cause as Error).message}`, {
      hint: 'Choose another file with --out.',
      cause,
    });
  };
  const old = await describeOld(target).catch(refuse);
  if (old.isDirectory) return refuse(new Error('it is a directory'));
  // A pipe or a device is written to; a file in its place would be something else.
  if (old.isSpecial) return work((text) => writeThrough(old.path, text).catch(refuse));

  const temporary = path.join(
    path.dirname(old.path),
    `.${path.basename(old.path)}.${randomBytes(6).toString('hex')}`,
  );
  const file = await open(temporary, 'wx', old.mode).catch(refuse);
  try {
    const result = await work((text) => fill(file, text).catch(refuse));
    await file.close();
    await rename(temporary, old.path).catch(refuse);
    return result;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

interface OldFile {
  /** What a link leads to. */
  readonly path: string;
  readonly isDirectory: boolean;
  readonly isSpecial: boolean;
  readonly mode: number;
}

async function describeOld(target: string): Promise<OldFile> {
  try {
    const resolved = await realpath(target);
    const found = await stat(resolved);
    return {
      path: resolved,
      isDirectory: found.isDirectory(),
      isSpecial: !found.isFile() && !found.isDirectory(),
      mode: found.mode & 0o777,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { path: path.resolve(target), isDirectory: false, isSpecial: false, mode: 0o666 };
  }
}

async function fill(file: FileHandle, text: string): Promise<void> {
  await file.writeFile(text);
  await file.sync();
}

async function writeThrough(target: string, text: string): Promise<void> {
  const file = await open(target, 'w');
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
