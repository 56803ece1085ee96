-- Runs with the caller's rights, because the caller must own the table. It is locked against writers until the transaction ends.
create or replace function seqctl.attach(
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
    chain_columns name[] default '{}'
)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_condition regclass;
begin
    perform seqctl._lock_target(target, true);
    if issue_when is not null then
        v_condition := seqctl._parse_condition(target, issue_when);
    end if;
    return seqctl._attach(
        target, series, number_column, date_column, group_columns, document_number_column,
        v_condition, assign, chronology, protect, chain_columns, null
    );
end
$function$;

comment on function seqctl.attach(regclass, text, name, name, name[], name, text, text, text, boolean, name[]) is
    'Binds a number column of a table to a series: from now on seqctl numbers every INSERT into it.';

revoke all on function seqctl.attach(regclass, text, name, name, name[], name, text, text, text, boolean, name[]) from public;
