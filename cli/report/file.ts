import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
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
  const found = await ifThere(stat(target));
  const isDirectory = found?.isDirectory() ?? false;
  const isSpecial = found !== undefined && !found.isFile() && !isDirectory;
  // A pipe has no other path: what /dev/stdout leads to is `pipe:[4711]`, which is nowhere.
  const place = isSpecial ? target : await leadsTo(target);
  // Nor has an open file that was deleted.
  if (place === undefined) return { path: target, isDirectory, isSpecial: true, mode: 0o666 };
  return { path: place, isDirectory, isSpecial, mode: found === undefined ? 0o666 : found.mode & 0o777 };
}

/** The end of a chain of links, also where there is no file yet; undefined: what is there has no path. */
async function leadsTo(target: string): Promise<string | undefined> {
  const resolved = await ifThere(realpath(target));
  if (resolved !== undefined) return resolved;
  if ((await ifThere(stat(target))) !== undefined) return undefined;
  const place = path.join(await realpath(path.dirname(target)), path.basename(target));
  const next = await readlink(place).catch(() => undefined);
  return next === undefined ? place : leadsTo(path.resolve(path.dirname(place), next));
}

async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  return found.catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  });
}

async function fill(file: FileHandle, text: string): Promise<void> {
  await file.writeFile(text);
  await file.sync();
}

async function writeThrough(target: string, text: string): Promise<void> {
  const file = await open(target, 'w');
  try {
    await file.writeFile(text);
  } catch (error) {
    // A reader that closed its end, as `head` does, is no failure of ours.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  } finally {
    await file.close();
  }
}
