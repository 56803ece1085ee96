import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';

import { ConnectionError } from '../errors.js';

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

export interface SslSettings {
  readonly host: string;
  readonly sslMode: SslMode;
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
}

/** What pg takes as `ssl`: false is a plain connection. */
export type SslOption = false | ConnectionOptions;

export function parseSslMode(text: string): SslMode {
  const mode = sslModes.find((known) => known === text);
  if (mode === undefined) {
    throw new ConnectionError(`the sslmode "${text}" is unknown`, {
      hint: `It is one of: ${sslModes.join(', ')}.`,
    });
  }
  return mode;
}

/**
 * The ways to try, in order, that libpq's sslmode stands for. pg's own reading of a URL takes `require` for
 * `verify-full` and knows no fallback, therefore it gets the finished option instead.
 *
 * @throws ConnectionError when a certificate cannot be read or is missing
 */
export function sslAttempts(settings: SslSettings): readonly [SslOption, ...SslOption[]] {
  if (settings.host.startsWith('/')) return [false];
  switch (settings.sslMode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unverified(settings)];
    case 'prefer':
      return [unverified(settings), false];
    case 'require':
      // As in libpq: with a root certificate at hand, "require" verifies it.
      return [rootCertificates(settings) === undefined ? unverified(settings) : verifiedChain(settings)];
    case 'verify-ca':
      return [verifiedChain(settings)];
    case 'verify-full':
      return [verified(settings)];
  }
}

function unverified(settings: SslSettings): ConnectionOptions {
  return { ...clientCertificate(settings), rejectUnauthorized: false };
}

/** The certificate must be signed by the CA; the host name in it does not matter. */
function verifiedChain(settings: SslSettings): ConnectionOptions {
  if (settings.sslRootCert === 'system') {
    throw new ConnectionError(`sslrootcert=system needs sslmode=verify-full, not ${settings.sslMode}`, {
      hint: 'A public CA signs anybody’s certificate, so the host name has to be verified as well.',
    });
  }
  return { ...verified(settings), checkServerIdentity: () => undefined };
}

function verified(settings: SslSettings): ConnectionOptions {
  const ca = rootCertificates(settings);
  if (ca === undefined) {
    throw new ConnectionError(`sslmode=${settings.sslMode} needs a root certificate, and there is none`, {
      detail: `Neither sslrootcert is given nor is there a file ${defaultRootCertificate()}.`,
      hint: 'Give sslrootcert=FILE, or with verify-full sslrootcert=system for a certificate of a public CA.',
    });
  }
  const trusted = ca === 'system' ? {} : { ca };
  return { ...clientCertificate(settings), ...trusted, rejectUnauthorized: true };
}

function rootCertificates(settings: SslSettings): string | undefined {
  if (settings.sslRootCert === 'system') return 'system';
  if (settings.sslRootCert !== undefined) return readCertificate('sslrootcert', settings.sslRootCert);
  const standard = defaultRootCertificate();
  return existsSync(standard) ? readCertificate('sslrootcert', standard) : undefined;
}

function defaultRootCertificate(): string {
  return path.join(homedir(), '.postgresql', 'root.crt');
}

function clientCertificate(settings: SslSettings): ConnectionOptions {
  return {
    ...(settings.sslCert === undefined ? {} : { cert: readCertificate('sslcert', settings.sslCert) }),
    ...(settings.sslKey === undefined ? {} : { key: readCertificate('sslkey', settings.sslKey) }),
  };
}

function readCertificate(parameter: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConnectionError(`cannot read the file of ${parameter}, "${file}"`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Check the path and that this user may read the file.',
      cause,
    });
  }
}
