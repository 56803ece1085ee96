import type { Client } from 'pg';

/**
 * Statements over a connection that pg opened, at the lowest price: at 16 clients on two cores, pg's own queries would
 * cost more CPU than the server's, and a slow client flatters a slow server. Messages are built once where they can be,
 * and of the answer only errors are read.
 */
export class WireClient {
  readonly #stream: Client['connection']['stream'];
  #received: Buffer = Buffer.alloc(0);
  #error: WireError | undefined;
  #waiting: { resolve: (error: WireError | undefined) => void; reject: (error: Error) => void } | undefined;
  #closed: Error | undefined;

  /** Takes the connection over: from now on the client itself is good for `end` only. */
  constructor(client: Client) {
    this.#stream = client.connection.stream;
    this.#stream.removeAllListeners('data');
    this.#stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#stream.on('close', () => this.#close(new Error('the server closed the connection')));
  }

  /** Ends the connection and whatever runs on it. */
  destroy(reason: Error): void {
    this.#close(reason);
    this.#stream.destroy();
  }

  /** Statements without parameters, separated by semicolons. */
  async run(sql: string): Promise<void> {
    refuse(await this.#send(message('Q', cString(sql))));
  }

  async prepare(name: string, sql: string): Promise<void> {
    refuse(await this.#send(Buffer.concat([message('P', cString(name), cString(sql), int16(0)), sync])));
  }

  /** Runs a prepared statement; returns the error instead of throwing it, since for some rivals errors are daily bread. */
  execute(request: Buffer): Promise<WireError | undefined> {
    return this.#send(request);
  }

  /** The same for statements that have no reason to fail; always true. */
  async mustExecute(request: Buffer): Promise<true> {
    refuse(await this.#send(request));
    return true;
  }

  async copyIn(sql: string, chunks: readonly Buffer[]): Promise<void> {
    refuse(await this.#send(message('Q', cString(sql))));
    for (const chunk of chunks) {
      if (!this.#stream.write(message('d', chunk))) {
        await new Promise((resolve) => this.#stream.once('drain', resolve));
      }
    }
    refuse(await this.#send(message('c')));
  }

  #send(request: Buffer): Promise<WireError | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      this.#waiting = { resolve, reject };
      this.#error = undefined;
      this.#stream.write(request);
    });
  }

  #receive(chunk: Buffer): void {
    const data = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (data.length - at >= 5) {
      const end = at + 1 + data.readInt32BE(at + 1);
      if (end > data.length) break;
      const type = data[at];
      if (type === code('E')) this.#error = readError(data.subarray(at + 5, end));
      at = end;
      if (type === code('Z') || type === code('G')) this.#answer();
    }
    this.#received = data.subarray(at);
  }

  #answer(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(this.#error);
  }

  #close(reason: Error): void {
    this.#closed ??= this.#error ?? reason;
    this.#waiting?.reject(this.#closed);
    this.#waiting = undefined;
  }
}

/** An error of the server. */
export class WireError extends Error {
  constructor(
    readonly sqlstate: string,
    message: string,
  ) {
    super(message);
    this.name = 'WireError';
  }
}

/** The bytes that run the prepared statement `name` with these parameters, to be sent as often as wanted. */
export function requestFor(name: string, parameters: readonly string[] = []): Buffer {
  const values = parameters.flatMap((value) => {
    const text = Buffer.from(value);
    return [int32(text.length), text];
  });
  return Buffer.concat([
    message('B', cString(''), cString(name), int16(0), int16(parameters.length), ...values, int16(0)),
    message('E', cString(''), int32(0)),
    sync,
  ]);
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 4);
  return Buffer.concat([Buffer.from(type), int32(length), ...parts]);
}

const sync = message('S');

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

function code(character: string): number {
  return character.charCodeAt(0);
}

/** A list of strings, each behind the letter of its field: C is the SQLSTATE, M the message. */
function readError(fields: Buffer): WireError {
  const values = new Map(
    fields
      .toString()
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return new WireError(values.get('C') ?? 'XX000', values.get('M') ?? 'unknown error');
}

function refuse(error: WireError | undefined): void {
  if (error !== undefined) throw error;
}
