-- Lets PostgreSQL itself read a condition. A cursor takes one statement only, so nothing can be smuggled in; and the predicate of a
-- partial index may hold nothing but immutable expressions over one row. That index is on an empty temporary copy of the table.
-- Runs with the caller's rights; what it made is read by _read_condition, and dropped by attach.
create or replace function seqctl._parse_condition(
    p_target regclass,
    p_condition text
)
returns regclass
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_cursor refcursor;
begin
    execute format('create temporary table seqctl_condition (like %s)', p_target);
    begin
        open v_cursor for execute format(E'select from %s where (%s\n)', p_target, p_condition);
        close v_cursor;
        execute format(E'create index seqctl_condition_key on pg_temp.seqctl_condition ((true)) where (%s\n)', p_condition);
    exception
        when syntax_error_or_access_rule_violation or feature_not_supported or data_exception or invalid_cursor_definition then
            raise exception using
                errcode = 'SQ019',
                message = format('issue_when: %L is not a condition on a row of %s', p_condition, p_target),
                detail = sqlerrm,
                hint = 'Write one SQL condition over the row''s own columns, with built-in immutable functions and operators and '
                    'without sub-selects, for example status = ''issued''.';
    end;
    return 'pg_temp.seqctl_condition_key'::regclass;
end
$function$;

comment on function seqctl._parse_condition(regclass, text) is 'Has PostgreSQL parse a condition, or raises SQ019; the temporary index that holds it.';

revoke all on function seqctl._parse_condition(regclass, text) from public;
