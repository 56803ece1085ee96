-- Tables only: functions, views and what attachments generate stand in sql/ and are re-applied on every install.

create table seqctl.installation (
    only_row boolean primary key default true check (only_row),
    version text not null,
    installed_at timestamptz not null default now(),
    installed_by name not null default current_user,
    updated_at timestamptz not null default now()
);

comment on table seqctl.installation is 'The installed version of seqctl; exactly one row.';

create table seqctl.series (
    id integer generated always as identity primary key,
    name text not null unique,
    format text not null,
    reset text not null check (reset in ('never', 'yearly', 'quarterly', 'monthly', 'daily')),
    fiscal_year_start text not null,
    time_zone text not null,
    first_number bigint not null check (first_number >= 0),
    max_number bigint check (max_number >= first_number),
    max_length integer check (max_length > 0),
    chain boolean not null default false,
    external_code text,
    purpose text,
    on_checkout text not null default 'wait' check (on_checkout in ('wait', 'fail', 'recycle')),
    ttl_action text not null default 'keep' check (ttl_action in ('keep', 'release')),
    periods_changed_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    created_by name not null default current_user
);

comment on table seqctl.series is 'A named line of document numbers with its rules.';
comment on column seqctl.series.on_checkout is
    'What others get while a number is checked out: they wait, they fail, or (recycle) they get the next number.';
comment on column seqctl.series.ttl_action is
    'What becomes of a checkout that has expired: it is kept until somebody settles it, or the next caller releases it.';
comment on column seqctl.series.chain is 'Each number that is issued adds a link to the hash chain of its counter.';
comment on column seqctl.series.periods_changed_at is
    'When a period was last closed or reopened. Who makes a counter shares this row, so that it cannot miss that.';

-- The row that an allocation locks. It carries nothing that an allocation of another group would touch, and room in the page
-- for HOT updates, since it is the most often updated row of the database. No foreign key: its trigger would cost each number; who makes
-- a counter shares the series' row, and who drops a series locks it. In this order a row takes the least room: the versions that a long
-- transaction makes of it fill fewer pages.
create table seqctl.counter (
    series_id integer not null,
    period date not null,
    last_number bigint not null,
    closed boolean not null default false,
    stopped boolean not null default false,
    group_key text not null,
    last_at timestamp,
    early_xid xid8,
    early_from bigint,
    early_taken int8multirange,
    primary key (series_id, group_key, period)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, toast_tuple_target = 8160);

-- A table of a few pages is read whole, says the planner, and the plan is kept: each row of a long transaction would then read every version that it
-- has made of its counter (100,000 rows one by one: 93 s, not 3). So the table never is that small: these belong to no series and fill a page each.
-- No two databases have the same, else a logical copy of the one would collide with those of the other.
insert into seqctl.counter (series_id, group_key, period, last_number)
select 0, rpad(gen_random_uuid()::text, 2600, '-'), '-infinity', 0 from generate_series(1, 16);

comment on table seqctl.counter is
    'One row a (series, group, period): the last number that was given. Rows of series 0 only fill pages, so that the planner takes the index.';
comment on column seqctl.counter.period is 'First day of the period; -infinity where the series never resets.';
comment on column seqctl.counter.last_at is
    'The latest date of a numbered row, where an attachment keeps the chronology; a timestamptz is in UTC.';
comment on column seqctl.counter.closed is 'Whether the period is closed: no number is given.';
comment on column seqctl.counter.stopped is
    'The one flag that every number is given under: closed, or a row of seqctl.checkout stops the counter.';
comment on column seqctl.counter.early_xid is
    'The transaction that last settled numbers of an outer statement that was still running (a trigger inserted more documents).';
comment on column seqctl.counter.early_from is 'The first number that early_xid settled ahead of the statement that inserted it.';
comment on column seqctl.counter.early_taken is
    'What early_xid has taken with next_number() or allocate() from early_from on: the statement that is still running has no row with it.';

-- Append-only. The latest row that is about a group, or about all, says whether a period is closed for it; counter.closed repeats it.
create table seqctl.period_closing (
    id bigint generated always as identity primary key,
    series_id integer not null references seqctl.series (id),
    period date not null,
    group_key text,
    action text not null check (action in ('close', 'reopen')),
    reason text check (action = 'close' or reason ~ '\S'),
    changed_at timestamptz not null default clock_timestamp(),
    changed_by name not null default session_user
);

create index period_closing_period_idx on seqctl.period_closing (series_id, period, id);

comment on table seqctl.period_closing is 'Who closed or reopened a period, when, and why; nothing is ever changed in it.';
comment on column seqctl.period_closing.group_key is 'NULL: every group, also those that have no number yet.';

-- Numbers that left the database before their document was stored. Whoever adds or settles a checkout changes the row of its counter, under its
-- lock: so who holds that lock knows all there is, and an older REPEATABLE READ snapshot gets a clean 40001. History stays.
create table seqctl.checkout (
    id bigint generated always as identity primary key,
    series_id integer not null references seqctl.series (id),
    group_key text not null,
    period date not null,
    on_date date,
    correlation_id text not null,
    number bigint not null,
    document_number text not null,
    state text not null default 'open' check (state in ('open', 'finalized', 'released')),
    stops boolean not null,
    awaited boolean not null default false,
    taken_xid xid8,
    opened_at timestamptz not null default clock_timestamp(),
    opened_by name not null default session_user,
    opened_xid xid8 not null default pg_current_xact_id(),
    expires_at timestamptz not null,
    settled_at timestamptz,
    settled_by name,
    settled_how text check (settled_how in ('finalize', 'release', 'expired')),
    reference text,
    check ((state = 'open') = (settled_at is null and settled_by is null and settled_how is null)),
    check (reference is null or state = 'finalized'),
    check (not stops or state <> 'finalized'),
    check (not awaited or state = 'finalized')
);

-- A released correlation id may be used again: a retried order has the same one.
create unique index checkout_correlation_idx on seqctl.checkout (series_id, correlation_id) where state <> 'released';
create index checkout_released_idx on seqctl.checkout (series_id, correlation_id, id) where state = 'released';
create unique index checkout_number_idx on seqctl.checkout (series_id, group_key, period, number) where state <> 'released' or stops;
create index checkout_stops_idx on seqctl.checkout (series_id, group_key, period, number) where stops;
create index checkout_open_idx on seqctl.checkout (series_id, group_key, period) where state = 'open';

comment on table seqctl.checkout is 'Numbers that were checked out for work outside the transaction, and what became of them.';
comment on column seqctl.checkout.stops is
    'Why its counter is stopped: it is open, and nobody else gets a number meanwhile; or it was released, and its number waits for the next caller.';
comment on column seqctl.checkout.awaited is
    'It was finalized, and its number may still be stored: no row had it yet, and it is not void. Whoever stores it changes this, once.';
comment on column seqctl.checkout.taken_xid is
    'The transaction whose row took the number. A row that came into a partition by way of its parent is settled by both.';
comment on column seqctl.checkout.opened_xid is 'The transaction that opened it, which would wait for itself.';
comment on column seqctl.checkout.settled_how is 'By finalize(), by release(), or released by the next caller since it had expired (ttl_action).';

-- A format that alter_series replaced after numbers were given by it: documents have numbers of that form.
create table seqctl.former_format (
    series_id integer not null references seqctl.series (id),
    format text not null,
    replaced_at timestamptz not null default clock_timestamp(),
    replaced_by name not null default session_user,
    primary key (series_id, format)
);

comment on table seqctl.former_format is 'Formats by which a series made document numbers before it was altered.';

-- The register. Append-only: a trigger refuses everything but INSERT. Who adds a range updates its counter first, so no two ranges of
-- one counter overlap, whatever races; there is no exclusion constraint, because that needs the extension btree_gist.
create table seqctl.voided_range (
    id bigint generated always as identity primary key,
    series_id integer not null references seqctl.series (id),
    group_key text not null,
    period date not null,
    from_number bigint not null,
    to_number bigint not null check (to_number >= from_number),
    kind text not null default 'void' check (kind in ('void', 'before adoption')),
    reason text not null check (reason ~ '\S'),
    recorded_at timestamptz not null default clock_timestamp(),
    recorded_by name not null default session_user,
    unique (series_id, group_key, period, from_number)
);

comment on table seqctl.voided_range is 'Numbers that are missing or annulled, with the reason; rows are added and never changed.';
comment on column seqctl.voided_range.kind is
    'void: recorded by void(). before adoption: missing already when a table with numbers was taken over.';

-- Append-only, like the register. recorded_xid lets a counter be deleted that is recorded as removed (see _refuse_counter_removal).
create table seqctl.counter_correction (
    id bigint generated always as identity primary key,
    series_id integer not null references seqctl.series (id),
    group_key text not null,
    period date not null,
    kind text not null check (kind in ('lowered', 'removed')),
    from_number bigint not null,
    to_number bigint check (to_number < from_number),
    reason text not null check (reason ~ '\S'),
    recorded_at timestamptz not null default clock_timestamp(),
    recorded_by name not null default session_user,
    recorded_xid xid8 not null default pg_current_xact_id(),
    check ((kind = 'removed') = (to_number is null))
);

create index counter_correction_counter_idx on seqctl.counter_correction (series_id, group_key, period, id);

comment on table seqctl.counter_correction is 'Who lowered or removed a counter, when, and why; nothing is ever changed in it.';
comment on column seqctl.counter_correction.from_number is 'The last number that the counter had.';
comment on column seqctl.counter_correction.to_number is 'The last number that it has had since; NULL: it was removed.';
comment on column seqctl.counter_correction.recorded_xid is 'The transaction that recorded it, which alone may delete a counter that is removed.';

-- A table was adopted whose dates run against its numbers, and chronology is kept from now on: what verify would name for ever.
create table seqctl.accepted_inversion (
    id bigint generated always as identity primary key,
    series_id integer not null references seqctl.series (id),
    group_key text not null,
    period date not null,
    to_number bigint not null,
    row_count bigint not null check (row_count > 0),
    reason text not null check (reason ~ '\S'),
    recorded_at timestamptz not null default clock_timestamp(),
    recorded_by name not null default session_user
);

comment on table seqctl.accepted_inversion is
    'Counters with dates that run against their numbers since before adoption; the latest row of a counter counts, nothing is ever changed.';
comment on column seqctl.accepted_inversion.to_number is 'The highest number that the counter had then.';
comment on column seqctl.accepted_inversion.row_count is 'How many rows were dated before an earlier number.';

create table seqctl.attachment (
    id integer generated always as identity primary key,
    series_id integer not null references seqctl.series (id),
    target regclass not null,
    number_column name not null,
    date_column name,
    group_columns name[] not null default '{}',
    document_number_column name,
    issue_when text,
    issue_columns name[] not null default '{}',
    assign text not null default 'insert' check (assign in ('insert', 'commit', 'manual')),
    chronology text not null default 'off' check (chronology in ('off', 'enforce', 'stamp')),
    protect boolean not null default true,
    chain_columns name[] not null default '{}',
    write_function text,
    row_keys text[] not null default '{}',
    unique_index name,
    had_numbers boolean not null default false,
    attached_at timestamptz not null default now(),
    attached_by name not null default current_user,
    unique (target, number_column)
);

comment on table seqctl.attachment is 'A column of a table that is numbered from a series.';
comment on column seqctl.attachment.issue_when is 'The condition under which a row is issued, as PostgreSQL understood it; NULL: every row.';
comment on column seqctl.attachment.chain_columns is
    'Columns that the hash chain of the series covers, besides number, document number, group and date.';
comment on column seqctl.attachment.had_numbers is
    'Rows had numbers already when the table was attached: their document numbers may have another form.';
comment on column seqctl.attachment.write_function is
    'The function of the table''s owner that writes numbers into rows after their INSERT; NULL where nothing needs it.';
comment on column seqctl.attachment.row_keys is
    'The primary key by which that function finds rows: columns with their types, as the table had them when it was attached.';

-- Append-only: a trigger refuses everything but INSERT. A chain a counter, so that an allocation touches only rows of its own group; who
-- adds a link holds the counter's lock, or the primary key would refuse it. No foreign key, for the reason that the counter has none.
create table seqctl.chain_link (
    series_id integer not null,
    group_key text not null,
    period date not null,
    ordinal bigint not null check (ordinal > 0),
    number bigint not null,
    document_number text,
    on_date date,
    attachment_id integer,
    content bytea,
    replaces bigint check (replaces < ordinal),
    issued_at timestamptz not null,
    issued_by name not null,
    hash bytea not null,
    primary key (series_id, group_key, period, ordinal)
);

-- What a row replaces that comes after its number.
create index chain_link_without_row_idx on seqctl.chain_link (series_id, group_key, period, number) where content is null;

comment on table seqctl.chain_link is
    'The hash chains of series that keep one: a row each number that was issued, in the order in which it happened; never changed.';
comment on column seqctl.chain_link.attachment_id is 'Of the table that the row is in; NULL: a number that was issued without a row.';
comment on column seqctl.chain_link.content is
    'SHA-256 of what the row says: document number, date and the chosen columns (see _chain_content). NULL: issued without a row.';
comment on column seqctl.chain_link.replaces is
    'The link that the number had before, where its table was attached later, or again with other columns.';
comment on column seqctl.chain_link.hash is 'SHA-256 of the hash before it and all of this link (see _link_hash).';

-- What the contents of an attachment's links are made of. It stays when the table is detached, so that a table which was altered meanwhile is
-- found out when it is attached again.
create table seqctl.chain_scope (
    attachment_id integer primary key,
    series_id integer not null,
    table_name text not null,
    document_number_column name,
    date_column name,
    chain_columns name[] not null,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table seqctl.chain_scope is 'Which columns the hash chain of a series covers, or covered, in the rows of an attachment; never changed.';

-- The rows that a transaction will number when it commits; empty between transactions, so it need not survive a crash.
create unlogged table seqctl.pending (
    id bigint generated always as identity primary key,
    xid xid8 not null default pg_current_xact_id(),
    attachment_id integer not null,
    target oid,
    group_key text,
    period date,
    row_count bigint not null,
    changes bigint,
    keys text[],
    max_rows bigint,
    search_path text
);

-- A transaction finds its own rows, however many of others' wait for vacuum.
create index pending_xid_idx on seqctl.pending (xid);
alter table seqctl.pending alter column keys set storage external;

comment on table seqctl.pending is 'Rows that a transaction numbers at its end (assign => commit), a row a statement and counter.';
comment on column seqctl.pending.target is
    'The table that the rows were written into: the attached one, or a partition of it. NULL: a call of number_pending().';
comment on column seqctl.pending.group_key is 'The group that the rows had when they were written down; likewise the period.';
comment on column seqctl.pending.changes is
    'How many rows of the table the session had updated and deleted then; as long as there are no more, these are as they were.';
comment on column seqctl.pending.keys is
    'A text for each column of the table''s primary key: the array of the rows'' values. NULL: a call of number_pending().';
comment on column seqctl.pending.search_path is 'That of the session which called number_pending().';

-- Down Migration

drop table if exists seqctl.pending;
drop table if exists seqctl.chain_scope;
drop table if exists seqctl.chain_link;
drop table if exists seqctl.attachment;
drop table if exists seqctl.accepted_inversion;
drop table if exists seqctl.counter_correction;
drop table if exists seqctl.voided_range;
drop table if exists seqctl.former_format;
drop table if exists seqctl.checkout;
drop table if exists seqctl.period_closing;
drop table if exists seqctl.counter;
drop table if exists seqctl.series;
drop table if exists seqctl.installation;
