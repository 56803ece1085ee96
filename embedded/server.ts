import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { Client } from 'pg';

import { chownAll, conninfoOf, copyForStandby } from './base-backup.js';
import { copyBinaries, type EmbeddedMajor } from './binaries.js';

const run = promisify(execFile);

const host = '127.0.0.1';
const startTimeoutMs = 30_000;

export interface EmbeddedServerOptions {
  /** PostgreSQL major, 18 when left out. */
  readonly major?: EmbeddedMajor;
  /** true: commits are flushed to disk as on a real server. false (default): faster, lost by a power cut. */
  readonly durable?: boolean;
  /** Where its folder is made; default: among the system's temporary ones. */
  readonly parent?: string;
  /** Server settings (`postgresql.conf` names) on top of, or instead of, the ones chosen here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Starts a hot standby of this server, which is of the same major, in the place of a server of its own. */
  readonly standbyOf?: EmbeddedServer;
}

export interface EmbeddedServer {
  /** Connection URL of the superuser `postgres` and database `postgres`, password included. */
  readonly url: string;
  readonly major: EmbeddedMajor;
  /** Folder with the data, the programs and `server.log`; it is removed by `stop`. */
  readonly directory: string;
  /** Process id of the postmaster; another one after `crash`. */
  readonly pid: number;
  /** Kills the server without warning, as a power cut would (but for what the operating system has), and starts it again. */
  crash(): Promise<void>;
  /** Ends every connection, stops the server and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
}

/** The user the server runs as: PostgreSQL refuses to be started by root. */
interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Starts a PostgreSQL server from npm packages on a free port of 127.0.0.1, in a temporary folder of its own.
 * The server ends with this process, however that ends: also by SIGINT or SIGKILL.
 *
 * @throws Error with the server's log when it does not start
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const major = options.major ?? options.standbyOf?.major ?? 18;
  const user = await chooseUser();
  const directory = await mkdtemp(path.join(options.parent ?? tmpdir(), `seqctl-pg${major}-`));
  try {
    await chmod(directory, 0o755);
    const bin = await copyBinaries(major, path.join(directory, 'programs'));
    const data = path.join(directory, 'data');
    const { standbyOf } = options;
    if (standbyOf !== undefined) {
      const { password } = new URL(standbyOf.url);
      await copyForStandby(standbyOf.url, path.join(standbyOf.directory, 'data'), data);
      await chmod(data, 0o700);
      if (user.uid !== undefined && user.gid !== undefined) await chownAll(data, user.uid, user.gid);
      const settings = { ...options.settings, primary_conninfo: conninfoOf(standbyOf.url) };
      return await startWithFreePort({ ...options, settings, major, user, directory, bin, data, password });
    }
    const password = randomBytes(16).toString('hex');
    await initialise(bin, data, directory, password, user);
    return await startWithFreePort({ ...options, major, user, directory, bin, data, password });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function chooseUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function initialise(
  bin: string,
  data: string,
  directory: string,
  password: string,
  user: ServerUser,
): Promise<void> {
  const passwordFile = path.join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await mkdir(data, { mode: 0o700 });
  if (user.uid !== undefined && user.gid !== undefined) {
    await chown(passwordFile, user.uid, user.gid);
    await chown(data, user.uid, user.gid);
  }
  await run(
    path.join(bin, 'initdb'),
    [
      `--pgdata=${data}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...user, cwd: directory },
  );
  await rm(passwordFile);
}

interface StartOptions extends EmbeddedServerOptions {
  readonly major: EmbeddedMajor;
  readonly user: ServerUser;
  readonly directory: string;
  readonly bin: string;
  readonly data: string;
  readonly password: string;
}

/** A port seen free may be taken before the server binds it, so a failed start is tried again on another. */
async function startWithFreePort(options: StartOptions): Promise<EmbeddedServer> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    const server = await spawnServer(options, port);
    if (await isReady(server)) return server;
    const log = await readFile(path.join(options.directory, 'server.log'), 'utf8');
    if (attempt === 3 || !log.includes('could not bind')) {
      await server.stop();
      throw new Error(`the embedded PostgreSQL ${options.major} did not start. Its log:\n${log}`);
    }
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port found on 127.0.0.1');
  return address.port;
}

interface SpawnedServer extends EmbeddedServer {
  hasExited(): boolean;
}

async function spawnServer(options: StartOptions, port: number): Promise<SpawnedServer> {
  const { directory, bin, data, password, major, user } = options;
  const settings: Record<string, string> = {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    max_prepared_transactions: '20',
    track_counts: 'on',
    ...(options.durable === true ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'on' }),
    ...options.settings,
  };
  const launch = async (): Promise<RunningServer> => {
    const log = await open(path.join(directory, 'server.log'), 'a');
    // Detached: a Ctrl-C in the terminal must reach this process alone, which then stops the server in order.
    const child = spawn(
      path.join(bin, 'postgres'),
      ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...user, cwd: directory, detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    await once(child, 'spawn');
    await log.close();
    child.unref();
    const pid = child.pid ?? 0;
    return { child, pid, guard: startGuard(pid, directory) };
  };
  let running = await launch();
  const hasExited = (): boolean => running.child.exitCode !== null || running.child.signalCode !== null;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    running.guard?.kill('SIGKILL');
    if (hasExited()) return;
    const exited = once(running.child, 'exit');
    running.child.ref();
    running.child.kill(signal);
    await exited;
  };
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await end('SIGQUIT'); // immediate shutdown: the data is thrown away, nothing needs to be flushed
    await rm(directory, { recursive: true, force: true });
  };

  const server: SpawnedServer = {
    url: `postgres://postgres:${password}@${host}:${port}/postgres`,
    major,
    directory,
    get pid() {
      return running.pid;
    },
    hasExited,
    stop: () => (stopped ??= stop()),
    crash: async () => {
      await end('SIGKILL');
      // The backends outlive the postmaster for a moment, and a new one does not start as long as there are any.
      for (let attempt = 1; ; attempt += 1) {
        running = await launch();
        if (await isReady(server)) return;
        await end('SIGKILL');
        if (attempt === 50) throw new Error(`the server did not start again: see ${directory}/server.log`);
        await delay(50);
      }
    },
  };
  return server;
}

interface RunningServer {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly guard: ChildProcess | undefined;
}

/**
 * A shell that waits for the end of this process and then stops the server and removes its folder.
 * Its standard input is a pipe that only this process holds open, so even SIGKILL is noticed.
 */
function startGuard(pid: number, directory: string): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const script = `
    read -r _
    kill -QUIT "$1" 2>/dev/null
    tries=0
    while kill -0 "$1" 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.05; done
    rm -rf -- "$2"`;
  const guard = spawn('/bin/sh', ['-c', script, 'seqctl-guard', String(pid), directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.stdin.on('error', () => undefined);
  guard.unref();
  // A socket underneath; without this the open pipe would keep this process alive for ever.
  (guard.stdin as unknown as { unref(): void }).unref();
  return guard;
}

async function isReady(server: SpawnedServer): Promise<boolean> {
  const deadline = Date.now() + startTimeoutMs;
  while (!server.hasExited() && Date.now() < deadline) {
    const client = new Client({ connectionString: server.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
      return true;
    } catch {
      await delay(30);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}
