import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseDatabaseUrl } from '../../cli/connection/database-url.js';
import { describeConnection, readConnectionSettings } from '../../cli/connection/settings.js';
import { ConnectionError } from '../../cli/errors.js';

describe('parseDatabaseUrl', () => {
  test.each([
    ['postgres://', {}],
    ['postgresql:///shop', { dbname: 'shop' }],
    [
      'postgres://app:secret@db:5433/shop',
      { user: 'app', password: 'secret', host: 'db', port: '5433', dbname: 'shop' },
    ],
    ['postgres://db/shop?sslmode=require', { host: 'db', dbname: 'shop', sslmode: 'require' }],
    ['postgres://app@[::1]:5433/shop', { user: 'app', host: '::1', port: '5433', dbname: 'shop' }],
    ['postgres://%2Fvar%2Frun/shop', { host: '/var/run', dbname: 'shop' }],
    ['postgres:///shop?host=/tmp&port=6432', { host: '/tmp', port: '6432', dbname: 'shop' }],
    ['postgres://app:a:b@db/shop', { user: 'app', password: 'a:b', host: 'db', dbname: 'shop' }],
    // What other tools and libpq understand does no harm here.
    ['postgres://db/shop?schema=public&pgbouncer=true', { host: 'db', dbname: 'shop' }],
    ['postgres://db/shop?application_name=x&channel_binding=require', { host: 'db', dbname: 'shop' }],
    ['postgres://app:a,b@db/shop', { user: 'app', password: 'a,b', host: 'db', dbname: 'shop' }],
    [
      'postgres://db/shop?sslmode=verify-ca&sslrootcert=r&sslcert=c&sslkey=k&connect_timeout=3&options=-c%20x.y%3D1&user=u&password=p',
      {
        ...{
          host: 'db',
          dbname: 'shop',
          user: 'u',
          password: 'p',
          connect_timeout: '3',
          options: '-c x.y=1',
        },
        ...{ sslmode: 'verify-ca', sslrootcert: 'r', sslcert: 'c', sslkey: 'k' },
      },
    ],
  ])('%s', (url, expected) => {
    expect(parseDatabaseUrl(url)).toEqual(expected);
  });

  test.each(['@', '#', '/', '%', '?'])(
    'a raw %s in the password: one clear error, without it',
    (character) => {
      const url = `postgres://app:top${character}secret@db:5432/shop`;
      expect(() => parseDatabaseUrl(url)).toThrow(ConnectionError);
      try {
        parseDatabaseUrl(url);
      } catch (error) {
        const { message, hint } = error as ConnectionError;
        expect(`${message} ${hint ?? ''}`).not.toMatch(/top|secret/);
        expect(hint).toMatch(/percent-encode/i);
      }
    },
  );

  test('any user and password, percent-encoded, come back as they were', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (user, password) => {
          const url = `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@db/shop`;
          expect(parseDatabaseUrl(url)).toEqual({ user, password, host: 'db', dbname: 'shop' });
        },
      ),
    );
  });

  test.each([
    ['mysql://db/shop', /does not start with/],
    ['host=db dbname=shop', /does not start with/],
    ['postgres://db/shop?sslmod=require', /unknown parameter "sslmod"/],
    ['postgres:///?service=shop', /parameter "service", which seqctl does not understand/],
    ['postgres://db/shop?hostaddr=10.0.0.1', /parameter "hostaddr", which seqctl does not understand/],
    ['postgres://u@127.0.0.1:1,127.0.0.1:5615/x', /^several hosts in "127.0.0.1:1,127.0.0.1:5615"$/],
    ['postgres://[::1]:1,[::1]:2/x', /^several hosts in/],
  ])('%s is refused', (url, message) => {
    expect(() => parseDatabaseUrl(url)).toThrow(message);
  });
});

describe('readConnectionSettings', () => {
  const env = { DATABASE_URL: 'postgres://env/one', PGHOST: 'pg', PGUSER: 'joe', PGSSLMODE: 'disable' };

  test('--database-url wins over DATABASE_URL, that over PG*, which fill what is left open', () => {
    expect(readConnectionSettings('postgres://flag/two', env)).toMatchObject({ host: 'flag', user: 'joe' });
    expect(readConnectionSettings(undefined, env)).toMatchObject({ host: 'env', database: 'one' });
    const withoutUrl = readConnectionSettings(undefined, { ...env, DATABASE_URL: '' });
    expect(withoutUrl).toMatchObject({ host: 'pg', database: 'joe', sslMode: 'disable', port: 5432 });
  });

  test('its description has no password', () => {
    const settings = readConnectionSettings('postgres://app:secret@[::1]/shop', {});
    expect(describeConnection(settings)).toBe('database "shop" on [::1]:5432 as user "app"');
  });

  test.each([
    [undefined, { ...env, DATABASE_URL: '', PGSERVICE: 'shop' }, 'PGSERVICE'],
    [undefined, { PGHOST: 'pg', PGHOSTADDR: '10.0.0.1' }, 'PGHOSTADDR'],
    // They would fill what is left open.
    ['postgres:///shop', { PGSERVICE: 'shop' }, 'PGSERVICE'],
    ['postgres://db', { PGSERVICE: 'shop' }, 'PGSERVICE'],
  ])('%s with %j: refused, because psql connects elsewhere', (url, variables, name) => {
    expect(() => readConnectionSettings(url, variables)).toThrow(
      expect.objectContaining({
        message: `${name} is set, and seqctl does not understand it`,
        hint: expect.stringContaining('--database-url') as string,
      }),
    );
  });

  test('PGSERVICE has no part in a URL with host and database, and is nothing when it is empty', () => {
    const variables = { ...env, PGSERVICE: 'shop' };
    expect(readConnectionSettings(undefined, variables)).toMatchObject({ host: 'env', database: 'one' });
    expect(readConnectionSettings('postgres:///two', { PGHOST: 'pg', PGSERVICE: '' }).host).toBe('pg');
  });

  test.each([
    ['postgres://db:54x2/shop', /port "54x2"/],
    ['postgres://a,b/shop', /several hosts/],
    ['postgres://db/shop?sslmode=maybe', /sslmode "maybe" is unknown/],
  ])('%s is refused', (url, message) => {
    expect(() => readConnectionSettings(url, {})).toThrow(message);
  });
});
