import { connect } from 'node:net';

/** What pg's client knows of its connection. */
interface Cancellable {
  readonly host: string;
  readonly port: number;
  readonly processID: number;
  readonly secretKey: number;
}

/** PostgreSQL's number for a cancel request, 1234 and 5678 in two bytes each. */
const cancelRequestCode = 80877102;

/** Milliseconds. A request that comes before the backend has read the statement is lost, so another one follows. */
const repetitions = [0, 200, 1000];

/**
 * Asks the server to end the statement that runs on the client's connection, over a connection of its own, as the protocol has it.
 * Otherwise a backend notices only at the end of its statement that nobody is there any more, and keeps the counter locked until
 * then. Nobody waits for it, and no answer is given: where it fails, that is the worst that happens.
 */
export function cancel(client: object): void {
  if (!isCancellable(client)) return;
  for (const delay of repetitions) setTimeout(() => request(client), delay).unref();
}

function request({ host, port, processID, secretKey }: Cancellable): void {
  const message = Buffer.alloc(16);
  [message.length, cancelRequestCode, processID, secretKey].forEach((value, index) =>
    message.writeInt32BE(value, index * 4),
  );
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  socket.on('error', () => undefined);
  socket.unref();
  socket.end(message);
}

function isCancellable(client: object): client is Cancellable {
  const { host, port, processID, secretKey } = client as Partial<Cancellable>;
  return (
    typeof host === 'string' &&
    typeof port === 'number' &&
    typeof processID === 'number' &&
    typeof secretKey === 'number'
  );
}
