import type { Connection } from 'pg';

import type { Session } from './session.js';

/** What pg's Connection has and its types do not say. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/**
 * COPY … FROM STDIN in text format, over the protocol as psql does it. pg has no such thing, but takes any object that
 * answers the messages of its connection.
 */
export function copyIn(session: Session, sql: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const nothing = (): void => undefined;
    const query = {
      submit: (connection: Connection) => connection.query(sql),
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(Buffer.from(lines.map((line) => `${line}\n`).join('')));
        connection.endCopyFrom();
      },
      handleError(error: Error) {
        failure = error;
        reject(error);
      },
      handleReadyForQuery() {
        if (failure === undefined) resolve();
      },
      handleCommandComplete: nothing,
      handleRowDescription: nothing,
      handleDataRow: nothing,
      handlePortalSuspended: nothing,
      handleEmptyQuery: nothing,
    };
    session.client.query(query);
  });
}
