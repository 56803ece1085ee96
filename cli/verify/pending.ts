import type { Client } from 'pg';

import { quote } from '../shell.js';
import type { AttachmentFacts } from './attachment-facts.js';
import type { Finding } from './finding.js';
import type { SeriesToCheck } from './numbers.js';

/**
 * Rows that are due and have no number, where each should have got one in its INSERT, its UPDATE or its COMMIT: they were there
 * before attach, or came in behind the triggers. Where numbers are given by number_pending() such rows are as they should be.
 */
export async function checkPending(client: Client, series: SeriesToCheck): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const facts of series.attachments) {
    const mayPend = facts.exists && facts.assign !== 'manual' && facts.conditionProblem === null;
    const count = mayPend ? await countPending(client, facts) : '0';
    if (count !== '0') findings.push(describe(facts, count));
  }
  return findings;
}

async function countPending(client: Client, facts: AttachmentFacts): Promise<string> {
  const { rows: nullable } = await client.query(
    'select from pg_attribute as a where a.attrelid = $1::regclass and a.attname = $2 and not a.attnotnull',
    [facts.target, facts.numberColumn],
  );
  if (nullable.length === 0) return '0';
  const { rows } = await client.query<{ count: string }>(
    `select count(*) as count from ${facts.target} as i
     where i.${facts.quotedNumberColumn} is null and (${facts.issueWhen ?? 'true'})`,
  );
  return rows[0]?.count ?? '0';
}

function describe(facts: AttachmentFacts, count: string): Finding {
  const isOne = count === '1';
  return {
    severity: 'warning',
    area: 'numbers',
    kind: 'rows_without_number',
    object: facts.target,
    what: `${count} ${isOne ? 'row is' : 'rows are'} due and ${isOne ? 'has' : 'have'} no number in ${facts.numberColumn}`,
    hint:
      'Rows from before attach are like this, and rows that came in behind the triggers. ' +
      (facts.writeFunction === null
        ? `To number them, in one transaction: detach ${facts.target}, attach it with assign => 'manual', call number_pending(), detach it, and attach it as it was.`
        : `seqctl number-pending ${quote(facts.target)} --number-column ${quote(facts.numberColumn)} gives them numbers.`),
  };
}
