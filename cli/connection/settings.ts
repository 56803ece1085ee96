import { userInfo } from 'node:os';

import { ConnectionError } from '../errors.js';
import { parseDatabaseUrl, refuseSeveralHosts } from './database-url.js';
import { parseSslMode, type SslMode } from './ssl.js';

/** Where and how to connect. Every field is decided here; nothing is left to the environment later. */
export interface ConnectionSettings {
  /** Host name, IP address, or the folder of a unix socket (starts with `/`). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** undefined: pg looks into the password file. */
  readonly password: string | undefined;
  readonly database: string;
  readonly sslMode: SslMode;
  /** Path of the CA certificates, or `system`. */
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  /** Seconds; 0 waits for ever. */
  readonly connectTimeout: number;
  /** Server options, e.g. `-c statement_timeout=0`. */
  readonly options: string | undefined;
}

/** Connection parameters by the names libpq gives them in a URL, e.g. `dbname`. */
export type ConnectionParameters = Readonly<Partial<Record<ParameterName, string>>>;

export type ParameterName =
  | 'host'
  | 'port'
  | 'user'
  | 'password'
  | 'dbname'
  | 'sslmode'
  | 'sslrootcert'
  | 'sslcert'
  | 'sslkey'
  | 'connect_timeout'
  | 'options';

const variableOf: Record<ParameterName, string> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
};

/** Where libpq would find the server, and seqctl does not look. */
const notUnderstood = ['PGSERVICE', 'PGHOSTADDR'];

/** An unreachable host should end in an error, not in silence. */
const defaultConnectTimeoutSeconds = '10';

/**
 * The settings from `--database-url`, else DATABASE_URL; what the URL leaves open, from the PG* variables.
 *
 * @throws ConnectionError when a part cannot be understood; the message never contains the password
 */
export function readConnectionSettings(
  databaseUrl: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ConnectionSettings {
  const url = databaseUrl ?? nonEmpty(env['DATABASE_URL']);
  const given = url === undefined ? {} : parseDatabaseUrl(url);
  refuseOtherServer(given, env);
  const parameters = { ...readVariables(env), ...given };
  const user = parameters.user ?? userInfo().username;
  const host = parameters.host ?? 'localhost';
  refuseSeveralHosts(host);
  return {
    host,
    port: readNumber('port', parameters.port ?? '5432', 65_535),
    user,
    password: parameters.password,
    database: parameters.dbname ?? user,
    sslMode: parseSslMode(parameters.sslmode ?? 'prefer'),
    sslRootCert: parameters.sslrootcert,
    sslCert: parameters.sslcert,
    sslKey: parameters.sslkey,
    connectTimeout: readNumber(
      'connect_timeout',
      parameters.connect_timeout ?? defaultConnectTimeoutSeconds,
      86_400,
    ),
    options: parameters.options,
  };
}

/** e.g. `database "shop" on db.example.com:5432 as user "app"`, without secrets. */
export function describeConnection(settings: ConnectionSettings): string {
  const server = settings.host.startsWith('/')
    ? `socket ${settings.host}/.s.PGSQL.${settings.port}`
    : `${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${settings.port}`;
  return `database "${settings.database}" on ${server} as user "${settings.user}"`;
}

/** With these, psql connects elsewhere: nobody should install into one database and look into another. */
function refuseOtherServer(
  { host, dbname }: ConnectionParameters,
  env: Readonly<Record<string, string | undefined>>,
): void {
  if (host !== undefined && dbname !== undefined) return;
  const variable = notUnderstood.find((name) => nonEmpty(env[name]) !== undefined);
  if (variable === undefined) return;
  throw new ConnectionError(`${variable} is set, and seqctl does not understand it`, {
    detail: `psql would connect to where ${variable}=${env[variable] ?? ''} leads.`,
    hint:
      `Name the host and the database with --database-url or DATABASE_URL; or unset ${variable} and set ` +
      'PGHOST, PGPORT, PGUSER and PGDATABASE.',
  });
}

function readVariables(env: Readonly<Record<string, string | undefined>>): ConnectionParameters {
  const found = Object.entries(variableOf)
    .map(([name, variable]) => [name, nonEmpty(env[variable])] as const)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(found);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function readNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) {
    throw new ConnectionError(`the ${name} "${text}" is not a number from 0 to ${max}`, {
      hint: 'If the password has a special character (@ # / % ? :), percent-encode it in the URL, e.g. %40 for @.',
    });
  }
  return value;
}
