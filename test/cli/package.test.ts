import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

/** As `npm install` would lay it out, with the packages that a user gets: those that are no development ones. */
test('the packed package works in an empty folder, with its run-time dependencies alone', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'seqctl-pack-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
  });
  const [tarball] = JSON.parse(packed.stdout) as { filename: string; files: { path: string }[] }[];
  const installed = path.join(folder, 'node_modules', 'seqctl');
  await mkdir(installed, { recursive: true });
  await run('tar', [
    '-xzf',
    path.join(folder, tarball?.filename ?? ''),
    '-C',
    installed,
    '--strip-components=1',
  ]);
  const listed = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root });
  for (const dependency of listed.stdout
    .trim()
    .split('\n')
    .filter((line) => line !== root)) {
    const target = path.join(folder, path.relative(root, dependency));
    await mkdir(path.dirname(target), { recursive: true });
    await symlink(dependency, target).catch(() => undefined);
  }

  const cli = path.join(installed, 'dist/cli/main.js');
  const version = await run(process.execPath, [cli, '--version'], { cwd: folder });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
  const script = await run(process.execPath, [cli, 'install', '--print-sql'], { cwd: folder });
  expect(script.stdout).toContain('create table seqctl.installation');
  const evaluate = (code: string): Promise<{ stdout: string }> =>
    run(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder });
  const library = await evaluate(`import { version } from 'seqctl'; console.log(version);`);
  expect(library.stdout).toBe(version.stdout);
  const adapters = await evaluate(`
    import { withCheckout, withNumber } from 'seqctl';
    import { fromDrizzle } from 'seqctl/drizzle';
    import { fromKnex } from 'seqctl/knex';
    import { fromKysely } from 'seqctl/kysely';
    console.log([withCheckout, withNumber, fromDrizzle, fromKnex, fromKysely].map((it) => typeof it).join());`);
  expect(adapters.stdout).toBe('function,function,function,function,function\n');
  const files = tarball?.files.map((file) => file.path) ?? [];
  expect(files.filter((file) => /^(test|cli|client|dist\/examples)\//.test(file))).toEqual([]);
  expect(files).toContain('examples/README.md');
});
