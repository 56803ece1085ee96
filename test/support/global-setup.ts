import { randomBytes } from 'node:crypto';

import type { TestProject } from 'vitest/node';

import { createTemplate, dropTemplate } from './template.js';
import { provideServer } from './server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Connection URL of a superuser of the test server. */
    serverUrl: string;
    /** Prefix of every database and role of this run, so that runs can share a server. */
    runName: string;
  }
}

/** Starts the test server and installs seqctl into the template database that every test file clones. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await provideServer(process.env);
  const runName = `seqctl_${randomBytes(3).toString('hex')}`;
  try {
    await createTemplate(server.url, runName);
  } catch (error) {
    await server.stop();
    throw error;
  }
  console.log(`Tests run against ${server.description}.`);
  project.provide('serverUrl', server.url);
  project.provide('runName', runName);
  return async () => {
    await dropTemplate(server.url, runName);
    await server.stop();
  };
}
