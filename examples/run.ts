import pg from 'pg';

import { readConnectionSettings } from '../cli/connection/settings.js';
import { install } from '../cli/installer/install.js';
import { startEmbeddedServer } from '../embedded/server.js';
import { examples } from './examples.js';

// npm run example -- protected-scope: on a PostgreSQL that is started for it.
const [name = ''] = process.argv.slice(2);
const example = examples[name];
if (example === undefined) {
  console.error(`usage: npm run example -- NAME, where NAME is one of ${Object.keys(examples).join(', ')}`);
  process.exitCode = 2;
} else {
  const server = await startEmbeddedServer();
  const pool = new pg.Pool({ connectionString: server.url });
  try {
    await install(readConnectionSettings(server.url, {}));
    await example(pool, console.log);
  } finally {
    await pool.end();
    await server.stop();
  }
}
