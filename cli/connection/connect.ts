import { Client } from 'pg';

import { ConnectionError, sqlstateOf } from '../errors.js';
import { explainConnectionFailure } from './failure.js';
import { type ConnectionSettings } from './settings.js';
import { sslAttempts, type SslOption } from './ssl.js';

/**
 * Connects, hands the client to `work` and always disconnects.
 *
 * @throws ConnectionError when there is no connection; else what `work` throws
 */
export async function withConnection<T>(
  settings: ConnectionSettings,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(settings);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connect(settings: ConnectionSettings): Promise<Client> {
  const [first, ...others] = sslAttempts(settings);
  try {
    return await tryToConnect(settings, first);
  } catch (error) {
    const next = others[0];
    if (next === undefined || !deservesOtherAttempt(error)) throw explainConnectionFailure(error, settings);
    try {
      return await tryToConnect(settings, next);
    } catch (secondError) {
      throw explainConnectionFailure(secondError, settings);
    }
  }
}

async function tryToConnect(settings: ConnectionSettings, ssl: SslOption): Promise<Client> {
  const client = new Client({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password,
    database: settings.database,
    options: settings.options,
    ssl,
    connectionTimeoutMillis: settings.connectTimeout * 1000,
    application_name: 'seqctl',
  });
  // A connection lost while idle would end the process; the next statement reports it anyway.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/**
 * `prefer` and `allow` go on with the other way when the server does not do this one: it has no encryption, the
 * handshake fails, or pg_hba.conf has no entry for it (28000). A wrong password is not sent a second time.
 */
function deservesOtherAttempt(error: unknown): boolean {
  if (error instanceof ConnectionError) return false;
  const sqlstate = sqlstateOf(error);
  if (sqlstate !== undefined) return sqlstate === '28000';
  const text =
    error instanceof Error ? `${error.message} ${(error as NodeJS.ErrnoException).code ?? ''}` : '';
  return /SSL|TLS|CERT/i.test(text);
}
