import { type ConnectionSettings, readConnectionSettings } from '../../cli/connection/settings.js';
import { type Snapshot, takeSnapshot } from '../../cli/installer/snapshot.js';
import { withClient } from './connect.js';

/** The settings the installer takes, from a URL and nothing else. */
export function settingsOf(url: string): ConnectionSettings {
  return readConnectionSettings(url, {});
}

/** What of seqctl is in a database. */
export function snapshotOf(url: string): Promise<Snapshot> {
  return withClient(url, takeSnapshot);
}
