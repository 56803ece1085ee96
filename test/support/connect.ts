import { Client } from 'pg';

/** The same server and user, another database. */
export function urlOfDatabase(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** A connection that the caller ends. */
export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'seqctl-test' });
  // A killed backend; the statement that ran reports it as well.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Connects, hands the client to `work` and always disconnects. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
