import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { runCli } from '../support/cli.js';
import { briefly, inDatabase, invoices, untriggered, verifyUrl } from '../support/verify.js';
import { useRoles } from '../support/roles.js';

const makeRole = useRoles();

/** As invoices, with a chain that covers total, too; 1 to 3 of acme and 1 of zeta in 2026, 1 of acme in 2025. */
const chained = invoices
  .replace(`'INV-{year}-{number:5}'`, `'INV-{year}-{number:5}', chain => true`)
  .replace('document_number text', 'document_number text, total numeric(12, 2) default 100, note text')
  .replace(`'document_number');`, `'document_number', chain_columns => '{total}');`);

const unprotected = chained.replace(`chain_columns`, `protect => false, chain_columns`);

/** Runs `sql` on the chain as the owner of seqctl can: with its trigger off. */
const forged = (sql: string): string => `
  alter table seqctl.chain_link disable trigger refuse_chain_change;
  ${sql};
  alter table seqctl.chain_link enable always trigger refuse_chain_change;`;

/** What a forger does who knows the code: works out all hashes of acme's chain of 2026 anew. */
const recompute = `
  do $$
  declare
    k seqctl.chain_link;
    v_hash bytea := seqctl._chain_start('invoice', 'acme', '2026-01-01');
    v_ordinal bigint := 0;
  begin
    for k in select * from seqctl.chain_link where group_key = 'acme' and period = '2026-01-01' order by ordinal loop
      v_ordinal := v_ordinal + 1;
      v_hash := seqctl._link_hash(null, v_hash, v_ordinal, k.number, k.document_number, k.on_date, k.attachment_id, k.content, k.replaces, k.issued_at, k.issued_by);
      update seqctl.chain_link l set hash = v_hash, ordinal = v_ordinal
      where l.group_key = 'acme' and l.period = '2026-01-01' and l.ordinal = k.ordinal;
    end loop;
  end $$`;

async function findingsOf(setup: string, attack: string): Promise<string[]> {
  let found: string[] = [];
  await inDatabase(setup, async (database) => {
    await database.execute(attack);
    const { findings } = await verifyUrl(database.url);
    found = findings
      .filter(({ kind }) => kind.startsWith('chain_'))
      .map((finding) => `${briefly(finding)}: ${finding.what}`);
  });
  return found;
}

const acme = 'invoice / acme / 2026';

test.each<[what: string, attack: string, findings: string[]]>([
  [
    'a chosen column, with the protection off',
    `update invoices set total = 99 where number = 2`,
    [
      `error chain_row_altered ${acme}: number 2 of public.invoices was altered after it was issued: its total is another one`,
    ],
  ],
  [
    'the same behind the triggers',
    untriggered(`update invoices set total = null where number in (2, 3)`),
    [
      `error chain_row_altered ${acme}: number 2 of public.invoices was altered after it was issued: its total is another one`,
      `error chain_row_altered ${acme}: number 3 of public.invoices was altered after it was issued: its total is another one`,
    ],
  ],
  [
    'document number and date',
    `update invoices set document_number = 'INV-2026-00009', issued_on = '2026-01-09' where number = 2`,
    [
      `error chain_row_altered ${acme}: number 2 of public.invoices was altered after it was issued: its document number was INV-2026-00002, now it is INV-2026-00009, its date was 2026-01-02, now it is 2026-01-09`,
    ],
  ],
  [
    'a row that was removed',
    untriggered(`delete from invoices where number = 2`),
    [
      `error chain_row_removed ${acme}: number 2 (INV-2026-00002, 2026-01-02) was issued for a row of public.invoices, which is gone`,
    ],
  ],
  [
    'a row that was removed, and its number given back',
    `delete from invoices where number = 3; update seqctl.counter set last_number = 2 where last_number = 3`,
    [
      `error chain_row_removed ${acme}: number 3 (INV-2026-00003, 2026-01-04) was issued for a row of public.invoices, which is gone`,
    ],
  ],
  [
    'a row that was slipped in',
    `${untriggered(`insert into invoices (company_id, issued_on, number, document_number) values ('acme', '2026-01-05', 4, 'INV-2026-00004')`)}
     update seqctl.counter set last_number = 4 where last_number = 3`,
    [
      `error chain_row_inserted ${acme}: number 4 stands on a row of public.invoices, but was never issued for one`,
    ],
  ],
  [
    'a row for a number that was issued without one',
    `select seqctl.next_number('invoice', 'acme', '2026-01-05');
     ${untriggered(`insert into invoices (company_id, issued_on, number, document_number) values ('acme', '2026-01-05', 4, 'INV-2026-00004')`)}`,
    [
      `error chain_row_inserted ${acme}: number 4 stands on a row of public.invoices, but was never issued for one`,
    ],
  ],
  [
    'rows that were swapped',
    `update invoices set note = number; drop index invoices_number_seqctl_key;
     update invoices set number = 5 - number, document_number = 'INV-2026-0000' || 5 - number where number in (2, 3) and company_id = 'acme'`,
    [
      `error chain_row_altered ${acme}: number 2 of public.invoices was altered after it was issued: its date was 2026-01-02, now it is 2026-01-04`,
      `error chain_row_altered ${acme}: number 3 of public.invoices was altered after it was issued: its date was 2026-01-04, now it is 2026-01-02`,
    ],
  ],
  [
    'a row that was moved to another counter',
    `update invoices set company_id = 'zeta' where number = 3`,
    [
      `error chain_row_removed ${acme}: number 3 (INV-2026-00003, 2026-01-04) was issued for a row of public.invoices, which is gone`,
      `error chain_row_inserted invoice / zeta / 2026: number 3 stands on a row of public.invoices, but was never issued for one`,
    ],
  ],
  [
    'a link that was altered together with its row',
    `update invoices set total = 1 where number = 2;
     ${forged(`update seqctl.chain_link k set content = (select sha256(convert_to(json_build_array(i.document_number, i.issued_on, trim_scale(i.total))::text, 'UTF8')) from invoices i where i.number = 2) where number = 2`)}`,
    [
      `error chain_link_altered ${acme}: link 2, of number 2, or the one before it was altered: its hash does not follow`,
    ],
  ],
  [
    'each column of a link',
    forged(`
      update seqctl.chain_link set issued_by = 'x' where group_key = 'zeta';
      update seqctl.chain_link set issued_at = issued_at + '1 us' where group_key = 'acme' and number = 1;
      update seqctl.chain_link set attachment_id = 7 where number = 2;
      update seqctl.chain_link set hash = sha256('') where number = 3`),
    [
      'error chain_link_altered invoice / acme / 2025: link 1, of number 1, or the one before it was altered: its hash does not follow',
      `error chain_link_altered ${acme}: link 1, of number 1, or the one before it was altered: its hash does not follow`,
      `error chain_link_altered ${acme}: link 2, of number 2, or the one before it was altered: its hash does not follow`,
      `error chain_link_altered ${acme}: link 3, of number 3, or the one before it was altered: its hash does not follow`,
      'error chain_link_altered invoice / zeta / 2026: link 1, of number 1, or the one before it was altered: its hash does not follow',
    ],
  ],
  [
    'a link that was removed with its row',
    `delete from invoices where number = 2; ${forged('delete from seqctl.chain_link where number = 2')}`,
    [`error chain_link_missing ${acme}: link 2 is missing, before that of number 3`],
  ],
  [
    'all links but the last',
    forged(
      `delete from seqctl.chain_link where number in (1, 2) and group_key = 'acme' and period = '2026-01-01'`,
    ),
    [
      `error chain_link_missing ${acme}: links 1 to 2 are missing, before that of number 3`,
      `error chain_row_inserted ${acme}: number 1 stands on a row of public.invoices, but was never issued for one`,
      `error chain_row_inserted ${acme}: number 2 stands on a row of public.invoices, but was never issued for one`,
    ],
  ],
  [
    'a chain in the place of another',
    forged(`update seqctl.chain_link set group_key = 'beta' where group_key = 'zeta'`),
    [
      'error chain_link_altered invoice / beta / 2026: link 1, of number 1, or the one before it was altered: its hash does not follow',
      'error chain_row_removed invoice / beta / 2026: number 1 (INV-2026-00001, 2026-01-03) was issued for a row of public.invoices, which is gone',
      'error chain_row_inserted invoice / zeta / 2026: number 1 stands on a row of public.invoices, but was never issued for one',
    ],
  ],
])('verify finds %s', async (_what, attack, findings) => {
  expect(await findingsOf(unprotected, attack)).toEqual(findings);
});

test.each<[what: string, setup: string, work: string]>([
  [
    'voids of missing and of issued numbers',
    unprotected,
    `delete from invoices where number = 2; select seqctl.void('invoice', 'acme', '2026-01-01', 2, 3, 'annulled')`,
  ],
  ['columns that it does not cover', chained, `update invoices set note = 'paid'`],
  [
    'numbers without a row',
    chained,
    `select seqctl.next_number('invoice', 'acme', '2026-01-01'); select seqctl.allocate('invoice', 'new', '2026-01-01', 3)`,
  ],
  [
    'rollback and ON CONFLICT',
    chained,
    `begin; insert into invoices (company_id, issued_on) values ('acme', '2026-01-05'); rollback; insert into invoices (company_id, issued_on) values ('acme', '2026-01-05') on conflict do nothing`,
  ],
  [
    'an altered series',
    chained,
    `select seqctl.alter_series('invoice', format => '{year}/{number}'); insert into invoices (company_id, issued_on) values ('acme', '2026-01-05')`,
  ],
  [
    'a table that was attached again',
    chained,
    `select seqctl.detach('invoices', 'number'); select seqctl.attach('invoices', 'invoice', 'number', 'issued_on', '{company_id}', 'document_number', chain_columns => '{total}'); insert into invoices (company_id, issued_on) values ('acme', '2026-01-05')`,
  ],
  ['a table that was detached', chained, `select seqctl.detach('invoices', 'number')`],
  [
    'a type that was widened',
    unprotected,
    `alter table invoices alter total type numeric(14, 4), alter company_id type varchar(50)`,
  ],
  [
    'a new time zone, and other settings',
    chained,
    `set timezone = 'Asia/Tokyo'; set datestyle = 'SQL, DMY'; insert into invoices (company_id, issued_on) values ('acme', '2026-01-05')`,
  ],
])('no false alarm: %s', async (_what, setup, work) => {
  expect(await findingsOf(setup, work)).toEqual([]);
});

const attached = (columns: string): string =>
  `select seqctl.attach('invoices', 'invoice', 'number', 'issued_on', '{company_id}', 'document_number', chain_columns => '${columns}')`;
const again = /on \d{4}-\d\d-\d\d \d\d:\d\d/;

test.each(['{total}', '{note}', '{total,note}', '{}'])(
  'a table that was altered while it was detached is not recorded anew: attached with %s',
  async (columns) => {
    const found = await findingsOf(
      chained,
      `select seqctl.detach('invoices', 'number'); update invoices set total = 1 where number in (2, 3); ${attached(columns)}`,
    );
    expect(found.filter((text) => text.startsWith('error')).map((text) => text.slice(0, 100))).toEqual([
      `error chain_row_altered ${acme}: number 2 of public.invoices was altered after it was issued: `.slice(
        0,
        100,
      ),
      `error chain_row_altered ${acme}: number 3 of public.invoices was altered after it was issued: `.slice(
        0,
        100,
      ),
    ]);
  },
);

test('a table that is attached with other columns is recorded again, which is a warning', async () => {
  const work = `select seqctl.detach('invoices', 'number'); ${attached('{note}')}`;
  expect((await findingsOf(chained, work)).map((text) => text.replace(again, 'on …'))).toEqual([
    'warning chain_recorded_again invoice / acme / 2025: number 1 was recorded again on … UTC, when its table was attached with other chain columns',
    `warning chain_recorded_again ${acme}: 3 of the numbers 1 to 3 were recorded again on … UTC, when their table was attached with other chain columns`,
    'warning chain_recorded_again invoice / zeta / 2026: number 1 was recorded again on … UTC, when its table was attached with other chain columns',
  ]);
});

test('a chained column that was renamed is the same content, and launders no altered row; one that is gone proves nothing', async () => {
  const rename = (from: string, to: string): string =>
    `select seqctl.detach('invoices', 'number'); alter table invoices rename ${from} to ${to};`;
  const there = `${rename('total', 'amount')} ${attached('{amount}')};`;
  expect(await findingsOf(chained, there)).toEqual([]);
  const altered = (
    await findingsOf(
      unprotected,
      `update invoices set total = 1 where number = 2; ${there} ${rename('amount', 'total')} ${attached('{total}')}`,
    )
  ).filter((text) => text.includes('chain'));
  expect(altered).toEqual([expect.stringMatching(/^error chain_row_altered .*number 2 /)]);
  const gone = `select seqctl.detach('invoices', 'number'); alter table invoices drop total; ${attached('{}')}`;
  const lost = (await findingsOf(chained, gone)).map((text) => text.replace(/^.* was altered/, 'altered'));
  expect(lost).toEqual(
    Array(5).fill(
      'altered after it was issued: what it said in total cannot be told, for the table has no such column now',
    ),
  );
});

test('the end of a chain that was cut off shows against a noted head, and nothing else shows it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'heads-'));
  try {
    await inDatabase(unprotected, async (database) => {
      const { url } = database;
      const noted = path.join(folder, 'heads.json');
      const heads = await runCli(['chain-heads', '--json'], { url });
      writeFileSync(noted, heads.stdout);
      expect(JSON.parse(heads.stdout)).toMatchObject({
        heads: [
          {
            series: 'invoice',
            group: 'acme',
            period: '2025',
            periodStart: '2025-01-01',
            links: '1',
            number: '1',
          },
          { series: 'invoice', group: 'acme', period: '2026', links: '3', number: '3' },
          { series: 'invoice', group: 'zeta', period: '2026', links: '1', number: '1' },
        ],
      });
      // It may grow.
      await database.execute(`insert into invoices (company_id, issued_on) values ('acme', '2026-02-01')`);
      expect(await runCli(['verify', '--chain-heads', noted], { url })).toMatchObject({ code: 0 });

      await database.execute(`
        delete from invoices where number in (3, 4);
        update seqctl.counter set last_number = 2 where last_number = 4;
        ${forged('delete from seqctl.chain_link where number in (3, 4)')}`);
      expect((await verifyUrl(url)).findings).toEqual([]);
      const cut = await runCli(['verify', '--chain-heads', noted, '--json'], { url });
      expect(cut.code).toBe(1);
      expect(JSON.parse(cut.stdout)).toMatchObject({
        errors: 1,
        findings: [
          {
            kind: 'chain_cut_off',
            object: acme,
            what: 'the chain had 3 links when its head was noted, now it has 2: its end was cut off',
          },
        ],
      });
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a chain that was worked out anew shows against a noted head, and nothing else shows it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'heads-'));
  try {
    await inDatabase(unprotected, async (database) => {
      const { url } = database;
      const noted = path.join(folder, 'heads.json');
      writeFileSync(noted, (await runCli(['chain-heads', '--json'], { url })).stdout);
      await database.execute(`
        update invoices set total = 1 where number = 2;
        ${forged(`update seqctl.chain_link k set content = (select sha256(convert_to(json_build_array(i.document_number, i.issued_on, trim_scale(i.total))::text, 'UTF8')) from invoices i where i.number = 2) where number = 2; ${recompute}`)}`);
      expect((await verifyUrl(url)).findings).toEqual([]);
      const found = await runCli(['verify', 'invoice', '--chain-heads', noted], { url });
      expect(found.code).toBe(1);
      expect(found.stdout).toMatch(
        /error +invoice \/ acme \/ 2026 +link 3 has another hash than when it was noted: links up to it were written anew/,
      );
      await database.execute(`select seqctl.create_series('other', chain => true)`);
      expect((await runCli(['verify', 'other', '--chain-heads', noted], { url })).code).toBe(0);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('files that hold no heads are refused', () =>
  inDatabase(chained, async ({ url }) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'heads-'));
    const file = path.join(folder, 'heads.json');
    try {
      expect(await runCli(['verify', '--chain-heads', file], { url })).toMatchObject({ code: 2 });
      for (const text of [
        '',
        'no json',
        '[]',
        '{"heads": 1}',
        '{"heads": [{}]}',
        '{"heads": [{"series": "invoice", "group": "", "period": "", "periodStart": null, "links": "0", "hash": ""}]}',
      ]) {
        writeFileSync(file, text);
        const { code, stderr, stdout } = await runCli(['verify', '--chain-heads', file], { url });
        expect({ code, stdout }, text).toEqual({ code: 2, stdout: '' });
        expect(stderr).toMatch(
          /^error: .*\nhint: It is what seqctl chain-heads --json printed, unchanged\.\n$/,
        );
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }));

test('a role with level read verifies the chains and lists their heads; findings are limited', () =>
  inDatabase(unprotected, async (database) => {
    const reader = await makeRole('chain_auditor');
    await database.execute(`
      insert into invoices (company_id, issued_on) select 'acme', '2026-05-01' from generate_series(1, 30);
      update invoices set total = 1 where company_id = 'acme';
      select seqctl.grant_access('${reader.name}', 'read'); grant select on invoices to ${reader.name}`);
    const url = database.urlAs(reader.name, reader.password);
    const report = await verifyUrl(url, undefined, 10);
    expect(report).toMatchObject({ errors: 34, omitted: 24 });
    expect(report.findings).toHaveLength(10);
    expect((await runCli(['chain-heads', '--series', 'invoice'], { url })).stdout).toMatch(
      /^SERIES +GROUP +PERIOD +LINKS +NUMBER +HASH\ninvoice +acme +2025 +1 +1 +[0-9a-f]{64}\ninvoice +acme +2026 +33 +33 /,
    );
    expect((await runCli(['chain-heads', '--series', 'nope'], { url })).code).toBe(4);
  }));

test('rows and links of one moment: writers give no false alarm', () =>
  inDatabase(chained, async (database) => {
    const writers = await Promise.all([1, 2, 3].map((n) => database.session(`writer ${n}`)));
    let running = true;
    const writing = writers.map(async (writer) => {
      while (running)
        await writer.query(
          `insert into invoices (company_id, issued_on) values ('acme', '2026-01-01'), ('b', '2026-01-01')`,
        );
    });
    for (let round = 0; round < 5; round++) expect((await verifyUrl(database.url)).findings).toEqual([]);
    running = false;
    await Promise.all(writing);
  }));

test('the command line creates, alters and attaches with a chain, and shows it', () =>
  inDatabase(
    `create table receipts (id int primary key, day date not null, total int, note text, number bigint);
     select seqctl.create_series('plain')`,
    async ({ url }) => {
      expect((await runCli(['series', 'create', 'receipt', '--chain'], { url })).code).toBe(0);
      expect((await runCli(['series', 'show', 'receipt'], { url })).stdout).toMatch(/\nhash chain +kept\n/);
      const attached = await runCli(
        [
          'attach',
          'receipts',
          '--series',
          'receipt',
          '--date-column',
          'day',
          '--chain-column',
          'total',
          '--chain-column',
          'note',
          '--json',
        ],
        { url },
      );
      expect(JSON.parse(attached.stdout)).toMatchObject({ attachment: { chainColumns: ['total', 'note'] } });
      expect((await runCli(['series', 'show', 'receipt'], { url })).stdout).toMatch(
        /CHAIN COLUMNS\n.* total, note\n/,
      );
      const altered = await runCli(['series', 'alter', 'plain', '--chain'], { url });
      expect(altered.stdout).toMatch(/^series plain has a hash chain now\./);
      const refused = await runCli(
        ['attach', 'receipts', '--series', 'plain', '--date-column', 'day', '--chain-column', 'nope'],
        { url },
      );
      expect(refused).toMatchObject({ code: 4 });
    },
  ));

test('numbers that were checked out: finalized without and with a row, released, given again', async () => {
  for (const policy of ['wait', 'recycle']) {
    await inDatabase(
      chained.replace('chain => true', `chain => true, on_checkout => '${policy}'`),
      async (database) => {
        await database.execute(`
          select seqctl.checkout('invoice', 'a', 'acme', '2026-04-01');
          select seqctl.finalize('invoice', 'a', 'a file');
          select seqctl.checkout('invoice', 'b', 'acme', '2026-04-01');
          select seqctl.release('invoice', 'b');
          insert into invoices (company_id, issued_on) values ('acme', '2026-04-02'), ('acme', '2026-04-02');
          select seqctl.checkout('invoice', 'c', 'acme', '2026-04-01');
          select seqctl.finalize('invoice', 'c');
          select seqctl.checkout('invoice', 'd', 'acme', '2026-04-01');
          select seqctl.release('invoice', 'd');
          select seqctl.allocate('invoice', 'acme', '2026-04-03', 3);
          select seqctl.checkout('invoice', 'e', 'acme', '2026-04-01');
          select seqctl.release('invoice', 'e');
          select seqctl.next_number('invoice', 'acme', '2026-04-03');
          insert into invoices (company_id, issued_on, number)
          select 'acme', '2026-04-01', k.number from seqctl.checkout k where k.correlation_id in ('c');
          insert into invoices (company_id, issued_on) values ('acme', '2026-04-04')`);
        const links = await database.rows<{ number: number }>(
          `select number::int from seqctl.chain_link where group_key = 'acme' and period = '2026-01-01' and replaces is null order by number`,
        );
        const [counter] = await database.rows<{ last: number }>(
          `select last_number::int as last from seqctl.counter where group_key = 'acme' and period = '2026-01-01'`,
        );
        // Every number was issued once; the one that was finalized and got its row later has a second link, which replaces the first.
        expect(
          links.map(({ number }) => number),
          policy,
        ).toEqual(Array.from({ length: counter?.last ?? 0 }, (_, n) => n + 1));
        expect(
          await database.rows(
            `select count(*)::int as count from seqctl.chain_link where replaces is not null`,
          ),
          policy,
        ).toEqual([{ count: 1 }]);
        const { findings } = await verifyUrl(database.url);
        expect(findings.filter(({ kind }) => kind.startsWith('chain_')).map(briefly), policy).toEqual([]);
        await database.execute(
          untriggered(
            `update invoices set total = 1 where number = (select number from seqctl.checkout where correlation_id = 'c')`,
          ),
        );
        expect(
          (await verifyUrl(database.url)).findings
            .filter(({ kind }) => kind.startsWith('chain_'))
            .map(briefly),
        ).toEqual(['error chain_row_altered invoice / acme / 2026']);
      },
    );
  }
});
