import type { ConnectionSettings } from '../../cli/connection/settings.js';
import type { Finding } from '../../cli/verify/finding.js';
import type { Gap } from '../../cli/verify/gap.js';
import { type GapOptions, type GapSummary, listGaps } from '../../cli/verify/list-gaps.js';
import { verify, type VerifyReport } from '../../cli/verify/verify.js';
import { createDatabase, type TestDatabase } from './database.js';
import { settingsOf } from './installer.js';

/** Runs verify as a command would, with room for every finding. */
export function verifyUrl(url: string, series?: string, limit = 1000): Promise<VerifyReport> {
  return verify(settingsOf(url), { series, limit });
}

/** What `seqctl gaps --json` prints. */
export async function allGaps(
  settings: ConnectionSettings,
  options: GapOptions,
): Promise<GapSummary & { gaps: readonly Gap[] }> {
  const gaps: Gap[] = [];
  const summary = await listGaps(settings, options, (some) => gaps.push(...some));
  return { ...summary, gaps };
}

/** e.g. `error trigger_disabled public.invoices` */
export function briefly({ severity, kind, object }: Finding): string {
  return `${severity} ${kind} ${object}`;
}

/** Runs `work` in a database of its own, with seqctl and what `setup` makes in it. */
export async function inDatabase(
  setup: string,
  work: (database: TestDatabase) => Promise<void>,
): Promise<void> {
  const database = await createDatabase();
  try {
    await database.execute(setup);
    await work(database);
  } finally {
    await database.drop();
  }
}

/** Three invoices of acme and one of zeta in 2026, one of acme in 2025. */
export const invoices = `
  select seqctl.create_series('invoice', format => 'INV-{year}-{number:5}');
  create table invoices (
    id bigint generated always as identity primary key,
    company_id text not null,
    issued_on date not null,
    number bigint,
    document_number text
  );
  select seqctl.attach('invoices', 'invoice', 'number', 'issued_on', '{company_id}', 'document_number');
  insert into invoices (company_id, issued_on) values
    ('acme', '2026-01-01'), ('acme', '2026-01-02'), ('zeta', '2026-01-03'), ('acme', '2026-01-04'), ('acme', '2025-12-31');`;

/** The same, where issued rows may be deleted and changed. */
export const unprotectedInvoices = invoices.replace(
  `'document_number');`,
  `'document_number', protect => false);`,
);

/** The same in a table with a partition for each year; 2027 was made after attach when `late`. */
export const partitioned = `
  select seqctl.create_series('receipt', format => '{year}/{number}');
  create table receipts (issued_on date not null, number bigint) partition by range (issued_on);
  create table receipts_2025 partition of receipts for values from ('2025-01-01') to ('2026-01-01');
  create table receipts_2026 partition of receipts for values from ('2026-01-01') to ('2027-01-01');
  select seqctl.attach('receipts', 'receipt', 'number', 'issued_on');
  insert into receipts values ('2025-05-01'), ('2026-05-01'), ('2026-05-02');`;

/** Runs `sql` behind the back of every trigger, as a superuser can. */
export function untriggered(sql: string): string {
  return `set session_replication_role = replica; ${sql}; reset session_replication_role;`;
}
