import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { TLSSocket } from 'node:tls';

import { onTestFinished } from 'vitest';

/** What a PostgreSQL client sends first when it wants encryption: length 8, code 80877103. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

const folder = path.join(import.meta.dirname, 'tls');
export const caCertificate = path.join(folder, 'ca.crt');
const tlsOptions = {
  isServer: true,
  cert: readFileSync(path.join(folder, 'server.crt')),
  key: readFileSync(path.join(folder, 'server.key')),
};

export interface Proxy {
  /** Port on 127.0.0.1, or 0 for a unix socket. */
  readonly port: number;
  /** How many connections went through encrypted, and plain. */
  readonly seen: { encrypted: number; plain: number };
}

/** What happens to what a client sends: `cut` loses it with the connection, `cut after it` loses only the answer. */
export type Fate = 'forward' | 'cut' | 'cut after it';

export interface ProxyOptions {
  /** The path of a unix socket to listen on, instead of a free port. */
  readonly socket?: string;
  /** Asked for each packet of a connection without encryption. */
  readonly decide?: (sent: Buffer) => Fate;
}

/** Puts a server with encryption in front of the test server, whichever that is. It ends with the test. */
export async function startProxy(serverUrl: string, options: ProxyOptions = {}): Promise<Proxy> {
  const upstream = new URL(serverUrl);
  const seen = { encrypted: 0, plain: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(Number(upstream.port || 5432), upstream.hostname);
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        target.destroy();
      });
    }
    client.once('data', (first) => {
      if (Buffer.compare(Buffer.from(first), sslRequest) === 0) {
        seen.encrypted += 1;
        client.write('S');
        const secure = new TLSSocket(client, tlsOptions);
        secure.on('error', () => client.destroy());
        secure.pipe(target).pipe(secure);
      } else {
        seen.plain += 1;
        target.write(first);
        target.pipe(client);
        if (options.decide === undefined) client.pipe(target);
        else client.on('data', forwardAs(options.decide, client, target));
      }
    });
  });
  if (options.socket === undefined) server.listen(0, '127.0.0.1');
  else server.listen(options.socket);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: portOf(server), seen };
}

function forwardAs(decide: (sent: Buffer) => Fate, client: Socket, target: Socket): (sent: Buffer) => void {
  return (sent) => {
    const fate = decide(sent);
    if (fate === 'cut') {
      client.destroy();
      return;
    }
    if (fate === 'cut after it') {
      target.unpipe(client);
      target.once('data', () => client.destroy()).resume();
    }
    target.write(sent);
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}
