import { ConnectionError } from '../errors.js';
import type { ConnectionParameters, ParameterName } from './settings.js';

const known = new Set<string>([
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'connect_timeout',
  'options',
] satisfies ParameterName[]);

/** They would lead psql elsewhere. */
const notUnderstood = new Set(['service', 'servicefile', 'hostaddr']);

const encodeHint =
  'Percent-encode special characters in the user name and the password: ' +
  '@ is %40, # is %23, / is %2F, % is %25, ? is %3F, : is %3A.';

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…` as libpq does. Written here, because
 * `new URL` and pg's own parser guess when a password has raw special characters, and fail later, elsewhere.
 *
 * @throws ConnectionError, with a message that never contains the password
 */
export function parseDatabaseUrl(text: string): ConnectionParameters {
  const scheme = /^postgres(?:ql)?:\/\//i.exec(text)?.[0];
  if (scheme === undefined) {
    throw new ConnectionError('the database URL does not start with postgres:// or postgresql://', {
      hint: 'Write it as postgres://user:password@host:5432/database',
    });
  }
  const rest = text.slice(scheme.length);
  refuseAmbiguous(rest);

  const [, authority = '', path = '', query = ''] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  const at = authority.indexOf('@');
  const [user, password] = splitOnce(authority.slice(0, Math.max(at, 0)), ':');
  refuseSeveralHosts(authority.slice(at + 1));
  const [host, port] = splitHost(authority.slice(at + 1));
  const parts: Record<string, string | undefined> = {
    user: user === undefined ? undefined : decode(user),
    password: password === undefined ? undefined : decode(password),
    host: host === undefined ? undefined : decode(host),
    port,
    dbname: decode(path),
    ...readQuery(query),
  };
  const given = Object.entries(parts).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(given);
}

/** A raw `@`, `#`, `/` or `?` in the password moves the `@` before the host to a place where none can be. */
function refuseAmbiguous(rest: string): void {
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const ats = authority.split('@').length - 1;
  const isCut = ats === 0 && rest.includes('@');
  if (ats > 1 || isCut || rest.includes('#')) {
    throw new ConnectionError('the database URL is ambiguous: a special character in it is not encoded', {
      hint: encodeHint,
    });
  }
}

/** @throws ConnectionError for `host1,host2`, also with ports */
export function refuseSeveralHosts(text: string): void {
  if (!text.includes(',')) return;
  throw new ConnectionError(`several hosts in "${text}"`, {
    hint: 'seqctl takes one: name the host that is the primary server.',
  });
}

function splitOnce(text: string, separator: string): [string | undefined, string | undefined] {
  if (text === '') return [undefined, undefined];
  const index = text.indexOf(separator);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

/** `host`, `host:port`, `[::1]:port` */
function splitHost(text: string): [string | undefined, string | undefined] {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  return bracketed === null ? splitOnce(text, ':') : [bracketed[1], bracketed[2]];
}

function readQuery(query: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [rawName, rawValue = ''] = splitOnce(pair, '=');
    const name = decode(rawName ?? '');
    if (known.has(name)) values[name] = decode(rawValue);
    else if (notUnderstood.has(name)) {
      throw new ConnectionError(
        `the database URL has the parameter "${name}", which seqctl does not understand`,
        {
          hint: 'Name the host and the database in the URL: postgres://user:password@host:5432/database',
        },
      );
    }
    // Other tools put settings of their own into DATABASE_URL; but nothing about encryption is ignored silently.
    else if (name.startsWith('ssl')) {
      throw new ConnectionError(`the database URL has the unknown parameter "${name}"`, {
        hint: 'Encryption is chosen with sslmode (and sslrootcert, sslcert, sslkey), e.g. ?sslmode=verify-full',
      });
    }
  }
  return values;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConnectionError('the database URL has a % that does not start a percent-encoded character', {
      hint: encodeHint,
    });
  }
}
