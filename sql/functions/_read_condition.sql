-- Takes a condition from the catalogue, where it stands parsed. What it uses must be PostgreSQL's own, because it will be evaluated
-- with the rights of seqctl's owner; dependencies on built-in objects are not recorded, so any that is recorded is somebody's.
create or replace function seqctl._read_condition(
    p_target regclass,
    p_parsed regclass,
    p_written_columns name[],
    out condition text,
    out columns name[]
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_problem text;
begin
    if not exists (
        select
        from pg_index i
        join pg_class t on t.oid = i.indrelid
        where i.indexrelid = p_parsed and t.relname = 'seqctl_condition' and t.relnamespace = pg_my_temp_schema()
            and not exists (
                select a.attname, a.atttypid, a.attcollation
                from pg_attribute a
                where a.attrelid = i.indrelid and a.attnum > 0 and not a.attisdropped
                except
                select a.attname, a.atttypid, a.attcollation
                from pg_attribute a
                where a.attrelid = p_target and a.attnum > 0 and not a.attisdropped
            )
    ) then
        raise exception using
            errcode = 'SQ019',
            message = 'issue_when was not parsed by attach()',
            hint = 'Call seqctl.attach(); what it calls is not for others.';
    end if;

    select
        -- PostgreSQL drops a predicate that is always true.
        coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
        coalesce(
            (
                select array_agg(a.attname order by a.attnum)
                from pg_attribute a
                where a.attrelid = i.indrelid
                    and a.attnum in (
                        select d.refobjsubid
                        from pg_depend d
                        where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
                            and d.refclassid = 'pg_class'::regclass and d.refobjid = i.indrelid and d.refobjsubid > 0
                    )
            ),
            '{}'
        ),
        (
            select 'it uses ' || pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) || ', which is not built in'
            from pg_depend d
            where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
                and (
                    d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
                    or d.refclassid = 'pg_class'::regclass and d.refobjid <> i.indrelid
                    -- A cast to a domain would run its check.
                    or d.refclassid = 'pg_type'::regclass
                    and not exists (select from pg_type y where y.oid = d.refobjid and y.typtype = 'e')
                )
            limit 1
        )
    into condition, columns, v_problem
    from pg_index i
    where i.indexrelid = p_parsed;

    if condition ~ '\yseqctl_condition\y' then
        v_problem := 'it uses the row as a whole';
    elsif columns && p_written_columns then
        v_problem := 'it uses a column that seqctl writes';
    end if;
    if v_problem is null then
        select format('column %I is generated, and has no value yet when a row is numbered', a.attname) into v_problem
        from pg_attribute a
        where a.attrelid = p_target and a.attname = any (columns) and a.attgenerated <> '';
    end if;
    if v_problem is not null then
        raise exception using
            errcode = 'SQ019',
            message = format('issue_when: %L is not a condition that seqctl can use', condition),
            detail = v_problem,
            hint = 'Write it with plain columns of the row and built-in functions and operators.';
    end if;
end
$function$;

comment on function seqctl._read_condition(regclass, regclass, name[]) is 'The text of a parsed condition and its columns, or SQ019.';

revoke all on function seqctl._read_condition(regclass, regclass, name[]) from public;
