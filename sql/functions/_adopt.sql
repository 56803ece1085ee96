-- What adopt() does. The caller must own the table, and everything that reads or writes it runs with the caller's rights. One pass reports;
-- with p_apply the table and the counters are locked first, and what was found is still true when it is acted upon.
--
-- The UPDATE comes before seqctl's triggers are there, which would refuse it; the table's own triggers fire, with the settings of the
-- session. Its deferred events are seen to at once, because PostgreSQL makes no index on a table that waits for some.
create or replace function seqctl._adopt(
    p_target regclass,
    p_series text,
    p_number_column name,
    p_date_column name,
    p_group_columns name[],
    p_document_number_column name,
    p_issue_when text,
    p_assign text,
    p_chronology text,
    p_protect boolean,
    p_chain_columns name[],
    p_apply boolean,
    p_reason text,
    p_max_findings integer,
    p_search_path text
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
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_condition regclass;
    v_attachment seqctl.attachment;
    v_queries record;
    v_found record;
    v_problems text[] := '{}';
    v_kind text;
    v_examples integer;
    v_error_rows bigint := 0;
    v_numbers bigint := 0;
    v_counters bigint := 0;
    v_to_read bigint := 0;
    v_written bigint;
    v_row_security text := current_setting('row_security');
begin
    if p_apply and (p_reason is null or p_reason !~ '\S') then
        raise exception using
            errcode = 'SQ031',
            message = format('%s is to be adopted without a reason', coalesce(p_target::text, 'a table')),
            detail = 'The reason is recorded with every number that is missing, for the auditor.',
            hint = 'Say where the numbers come from: reason => ''taken over from the old shop on 2026-01-01''.';
    end if;
    perform seqctl._lock_target(p_target, p_apply);
    if p_issue_when is not null then
        v_condition := seqctl._parse_condition(p_target, p_issue_when);
    end if;
    v_attachment := seqctl._plan_attachment(
        p_target, p_series, p_number_column, p_date_column, p_group_columns, p_document_number_column,
        v_condition, p_assign, p_chronology, p_protect, p_chain_columns
    );
    if p_apply then
        perform seqctl._lock_adoption(p_series);
    end if;

    v_queries := seqctl._adoption_queries(v_attachment);
    -- A policy that hides rows would make a wrong answer; PostgreSQL raises an error instead.
    perform set_config('row_security', 'off', true);
    for v_found in execute v_queries.report using least(greatest(coalesce(p_max_findings, 20), 1), 10000) loop
        severity := v_found.severity;
        finding := v_found.finding;
        group_key := v_found.group_key;
        period := v_found.period;
        from_number := v_found.from_number;
        to_number := v_found.to_number;
        document_number := v_found.document_number;
        row_count := v_found.row_count;
        detail := seqctl._finding_text(finding, from_number, to_number, document_number, row_count, v_found.note);
        total := v_found.total;
        if finding = 'counter' then
            v_numbers := v_found.total_rows;
            v_counters := v_found.total;
            v_to_read := v_found.total_read;
        end if;
        if severity = 'error' and v_kind is distinct from finding then
            v_kind := finding;
            v_examples := 0;
            v_error_rows := v_error_rows + v_found.total_rows;
            v_problems := array_append(v_problems, format('%s (%s)', finding, v_found.total_rows));
        end if;
        if severity = 'error' then
            v_examples := v_examples + 1;
            v_problems[cardinality(v_problems)] := concat(
                v_problems[cardinality(v_problems)],
                case v_examples when 1 then ': ' when 2 then '; ' when 3 then '; ' when 4 then '; ...' end,
                case when v_examples <= 3 then
                    concat_ws(': ', nullif(concat_ws(' / ', nullif(group_key, ''), nullif(period, '')), ''), detail)
                end
            );
        end if;
        return next;
    end loop;
    perform set_config('row_security', v_row_security, true);

    if p_apply and v_problems <> '{}' then
        raise exception using
            errcode = 'SQ030',
            message = format('%s cannot be adopted: %s as series %L needs them', p_target,
                case when v_error_rows = 1 then '1 row is not' else v_error_rows || ' rows are not' end, p_series),
            detail = array_to_string(v_problems, E'\n') || E'\nNothing was changed.',
            hint = format('Correct these rows; select * from seqctl.adopt(%L, %L, ...) without apply lists them.', p_target, p_series);
    end if;

    severity := 'info';
    group_key := null;
    period := null;
    from_number := null;
    to_number := null;
    document_number := null;
    total := 1;
    finding := 'numbers';
    row_count := v_numbers;
    detail := format(
            '%s number%s in %s counter%s', v_numbers, case when v_numbers <> 1 then 's' end, v_counters, case when v_counters <> 1 then 's' end
        )
        || case when v_to_read > 0 then format(
            '; %s of them %s read out of %I', v_to_read,
            case when not p_apply then 'would be' when v_to_read = 1 then 'was' else 'were' end, p_document_number_column
        ) else '' end;
    return next;
    if not p_apply then
        if v_condition is not null then
            drop table pg_temp.seqctl_condition;
        end if;
        return;
    end if;

    if v_to_read > 0 then
        perform set_config('search_path', p_search_path, true);
        execute v_queries.fill into v_written;
        set constraints all immediate;
        perform set_config('search_path', 'pg_catalog, pg_temp', true);
        if v_written <> v_to_read then
            raise exception using
                errcode = 'SQ032',
                message = format('%s of %s numbers could not be written into %s.%I', v_to_read - v_written, v_to_read, p_target, p_number_column),
                detail = 'A trigger of the table changed them or refused the rows, or a policy hides them. Nothing was changed.',
                hint = format('Switch the trigger off for this transaction: alter table %s disable trigger ...; and on again after it.', p_target);
        end if;
    end if;
    finding := 'attached';
    row_count := null;
    detail := seqctl._attach(
        p_target, p_series, p_number_column, p_date_column, p_group_columns, p_document_number_column,
        v_condition, p_assign, p_chronology, p_protect, p_chain_columns, p_reason
    );
    return next;
end
$function$;

comment on function seqctl._adopt(
    regclass, text, name, name, name[], name, text, text, text, boolean, name[], boolean, text, integer, text
) is
    'What adopt() does; the last parameter is the search_path of the session.';

revoke all on function seqctl._adopt(
    regclass, text, name, name, name[], name, text, text, text, boolean, name[], boolean, text, integer, text
) from public;
