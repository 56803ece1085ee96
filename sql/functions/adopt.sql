-- A report unless apply is true; see _adopt. It pins no search_path, to hand the session's on to the triggers of the table.
create or replace function seqctl.adopt(
    target regclass,
    series text,
    number_column name default 'number',
    date_column name default null,
    group_columns name[] default '{}',
    document_number_column name default null,
    issue_when text default null,
    assign text default 'insert',
    chronology text default 'off',
    protect boolean default true,
    chain_columns name[] default '{}',
    apply boolean default false,
    reason text default null,
    max_findings integer default 20
)
returns table (
    severity text,
    finding text,
    group_key text,
    period text,
    from_number bigint,
    to_number bigint,
    document_number text,
    row_count bigint,
    detail text,
    total bigint
)
language sql
volatile
security invoker
as $function$
    select a.severity, a.finding, a.group_key, a.period, a.from_number, a.to_number, a.document_number, a.row_count, a.detail, a.total
    from seqctl._adopt(
        target, series, number_column, date_column, group_columns, document_number_column, issue_when, assign, chronology, protect,
        chain_columns, coalesce(apply, false), reason, max_findings, pg_catalog.current_setting('search_path')
    ) a
$function$;

comment on function seqctl.adopt(
    regclass, text, name, name, name[], name, text, text, text, boolean, name[], boolean, text, integer
) is
    'Reports what a table with numbers holds and what is wrong with it; with apply, takes it over: seeds the counters and attaches it.';

revoke all on function seqctl.adopt(
    regclass, text, name, name, name[], name, text, text, text, boolean, name[], boolean, text, integer
) from public;
