import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import { type EmbeddedMajor, embeddedMajors } from '../../embedded/binaries.js';
import { type EmbeddedServer, startEmbeddedServer } from '../../embedded/server.js';

/** The PostgreSQL server the tests run against. */
export interface TestServer {
  /** Connection URL of a superuser. */
  readonly url: string;
  /** What it is, for the first line of a test run. */
  readonly description: string;
  stop(): Promise<void>;
}

const settings = { max_connections: '200', max_prepared_transactions: '20', track_counts: 'on' };

/** The server named by SEQCTL_TEST_DATABASE_URL, else a Docker container, else the embedded server. */
export async function provideServer(env: NodeJS.ProcessEnv): Promise<TestServer> {
  const url = env['SEQCTL_TEST_DATABASE_URL'];
  if (url !== undefined && url !== '') {
    return { url, description: 'the server of SEQCTL_TEST_DATABASE_URL', stop: () => Promise.resolve() };
  }
  const major = chooseMajor(env);
  const image = env['SEQCTL_TEST_IMAGE'] ?? `postgres:${major}-alpine`;
  return (await startContainer(image)) ?? (await startEmbedded(major));
}

function chooseMajor(env: NodeJS.ProcessEnv): EmbeddedMajor {
  const wanted = env['SEQCTL_TEST_PG'] ?? '18';
  const major = embeddedMajors.find((known) => String(known) === wanted);
  if (major === undefined) {
    throw new Error(`SEQCTL_TEST_PG is "${wanted}"; it can be ${embeddedMajors.join(' or ')}`);
  }
  return major;
}

// Flushing to disk as a real one does: verify would find fault with another. In memory that costs nothing.
async function startEmbedded(major: EmbeddedMajor): Promise<TestServer> {
  const start = (parent: string): Promise<EmbeddedServer> =>
    startEmbeddedServer({ major, durable: true, settings, parent });
  const server = (await hasRoom('/dev/shm'))
    ? // Where programs may not be run from it, it does not start.
      await start('/dev/shm').catch(() => start(tmpdir()))
    : await start(tmpdir());
  return {
    url: server.url,
    description: `embedded PostgreSQL ${major}`,
    stop: () => server.stop(),
  };
}

/** Containers often have 64 MB there; the databases of a run and their log need some 2 GB. */
async function hasRoom(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize > 8 * 1024 ** 3;
  } catch {
    return false;
  }
}

/** undefined when no Docker engine is reachable, or when it cannot get the image. */
async function startContainer(image: string): Promise<TestServer | undefined> {
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  try {
    await getContainerRuntimeClient();
  } catch {
    return undefined;
  }
  const command = Object.entries(settings);
  try {
    const container = await new GenericContainer(image)
      .withEnvironment({ POSTGRES_PASSWORD: 'seqctl' })
      .withCommand(['postgres', ...command.flatMap(([name, value]) => ['-c', `${name}=${value}`])])
      .withExposedPorts(5432)
      // The image starts the server twice: once to initialise it, once for good.
      .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
      .start();
    return {
      url: `postgres://postgres:seqctl@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
      description: `${image} in Docker`,
      stop: async () => {
        await container.stop();
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`Docker is running, but ${image} did not start (${reason}); using the embedded server.`);
    return undefined;
  }
}
