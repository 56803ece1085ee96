import { readConnectionSettings } from '../../cli/connection/settings.js';
import { install } from '../../cli/installer/install.js';
import { urlOfDatabase, withClient } from './connect.js';

/** Name of the database with seqctl installed that test databases are cloned from. */
export function templateName(runName: string): string {
  return `${runName}_template`;
}

export async function createTemplate(serverUrl: string, runName: string): Promise<void> {
  const name = templateName(runName);
  await withClient(serverUrl, (client) => client.query(`create database ${name}`));
  await install(readConnectionSettings(urlOfDatabase(serverUrl, name), {}));
}

export async function dropTemplate(serverUrl: string, runName: string): Promise<void> {
  await withClient(serverUrl, (client) =>
    client.query(`drop database if exists ${templateName(runName)} with (force)`),
  );
}
