import { ConnectionError, sqlstateOf } from '../errors.js';
import { type ConnectionSettings, describeConnection } from './settings.js';

interface Explanation {
  readonly what: string;
  readonly hint: string;
}

/** Says in one sentence why there is no connection, and what to do next. */
export function explainConnectionFailure(error: unknown, settings: ConnectionSettings): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const sqlstate = sqlstateOf(error);
  const code = networkCode(error);
  const explanation =
    (sqlstate === undefined ? undefined : explainServerRefusal(sqlstate, settings)) ??
    (code === undefined ? undefined : explainNetworkFailure(code, settings)) ??
    explainMessage(messageOf(error), settings);
  return new ConnectionError(`cannot connect to ${describeConnection(settings)}: ${explanation.what}`, {
    detail: messageOf(error),
    hint: explanation.hint,
    sqlstate,
    cause: error,
  });
}

function explainServerRefusal(sqlstate: string, settings: ConnectionSettings): Explanation | undefined {
  switch (sqlstate) {
    case '28P01':
      return {
        what: 'the server refused the password',
        hint:
          'Check the user name and the password; in a URL, special characters of the password have to be ' +
          'percent-encoded (@ as %40).',
      };
    case '28000':
      return {
        what: 'the server does not let this user in',
        hint: 'Check the user name, sslmode, and the server’s pg_hba.conf.',
      };
    case '3D000':
      return {
        what: 'there is no such database',
        hint: `Check the name, or create it: create database "${settings.database}";`,
      };
    case '42501':
      return {
        what: 'this user may not connect to the database',
        hint: `Have its owner run: grant connect on database "${settings.database}" to "${settings.user}";`,
      };
    case '53300':
      return {
        what: 'the server has no free connection',
        hint: 'Try again when other connections have ended.',
      };
    case '57P03':
      return { what: 'the server is starting up or shutting down', hint: 'Try again in a moment.' };
    default:
      return undefined;
  }
}

function explainNetworkFailure(code: string, settings: ConnectionSettings): Explanation | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return { what: 'nothing answers there', hint: 'Check that the server runs, and its host and port.' };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { what: `the host name "${settings.host}" is unknown`, hint: 'Check the host name.' };
    case 'ENOENT':
    case 'EACCES':
      return {
        what: 'the unix socket cannot be opened',
        hint: 'Check the folder and the port, and that this user may read the folder.',
      };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return {
        what: 'the host cannot be reached',
        hint: 'Check the host, the port and the firewall between.',
      };
    default:
      return undefined;
  }
}

function explainMessage(message: string, settings: ConnectionSettings): Explanation {
  if (message.includes('timeout')) {
    return {
      what: `no answer within ${settings.connectTimeout} seconds`,
      hint: 'Check the host, the port and the firewall between; connect_timeout sets the patience in seconds.',
    };
  }
  if (message.includes('does not support SSL')) {
    return {
      what: `the server has no encryption, and sslmode=${settings.sslMode} asks for it`,
      hint: 'Switch on ssl in the server, or use sslmode=prefer if the network is trusted.',
    };
  }
  if (/certificate|altnames|signed/i.test(message)) {
    return {
      what: `the server’s certificate does not pass sslmode=${settings.sslMode}`,
      hint: 'Check sslrootcert, and with verify-full that the host is spelled as in the certificate.',
    };
  }
  if (message.includes('client password must be a string')) {
    return {
      what: 'the server asks for a password, and there is none',
      hint: 'Give it in the database URL, in PGPASSWORD, or in the password file.',
    };
  }
  return { what: 'the connection failed', hint: 'See the detail; --verbose shows where it happened.' };
}

/** Node tries every address of a host and reports them together, each with a code of its own. */
function networkCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return networkCode(error.errors[0]);
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
