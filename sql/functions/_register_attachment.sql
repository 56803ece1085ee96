-- The half of attach() that needs the rights of seqctl's owner: checks that columns and settings fit, records the attachment,
-- writes its trigger functions and lets the caller use them in CREATE TRIGGER until _seal_attachment.
create or replace function seqctl._register_attachment(
    p_target regclass,
    p_series text,
    p_number_column name,
    p_date_column name,
    p_group_columns name[],
    p_document_number_column name,
    p_condition regclass,
    p_assign text,
    p_chronology text,
    p_protect boolean,
    p_caller name,
    out attachment_id integer,
    out series_id integer,
    out installer name,
    out group_expression text,
    out period_expression text,
    out index_columns text,
    out index_is_unique boolean,
    out write_function text,
    out write_definition text
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._series(p_series);
    v_groups name[] := coalesce(p_group_columns, '{}');
    v_table pg_class;
    v_date_type oid;
    v_other record;
    v_partition_key record;
    v_condition record;
    v_attachment seqctl.attachment;
begin
    -- Shared until the transaction ends: nobody alters it meanwhile.
    select s.* into v_series from seqctl.series s where s.id = v_series.id for share;
    select c.* into v_table from pg_class c where c.oid = p_target;
    if v_table.relkind not in ('r', 'p') or v_table.relispartition or v_table.relpersistence <> 'p'
        or v_table.relnamespace in ('pg_catalog'::regnamespace, 'seqctl'::regnamespace)
        or (v_table.relkind = 'r' and exists (select from pg_inherits h where h.inhparent = p_target))
    then
        raise exception using
            errcode = 'SQ005',
            message = format(
                '%s is %s; seqctl attaches ordinary and partitioned tables', p_target,
                case
                    when v_table.relnamespace in ('pg_catalog'::regnamespace, 'seqctl'::regnamespace) then 'a system table'
                    when v_table.relispartition then 'a partition'
                    when v_table.relpersistence = 't' then 'a temporary table'
                    when v_table.relpersistence = 'u' then 'an unlogged table, which a crash empties'
                    when v_table.relkind = 'r' then 'a table with inheritance children'
                    when v_table.relkind = 'v' then 'a view'
                    when v_table.relkind = 'm' then 'a materialized view'
                    when v_table.relkind = 'f' then 'a foreign table'
                    else 'no table'
                end
            ),
            hint = case
                when v_table.relispartition then format(
                    'Attach the partitioned table: %s.',
                    (select h.inhparent::regclass from pg_inherits h where h.inhrelid = p_target)
                )
                when v_table.relkind = 'v' then 'Attach the table under the view; rows inserted through the view are numbered too.'
                when v_table.relpersistence = 'u' then format('alter table %s set logged;', p_target)
                else 'Choose another table.'
            end;
    end if;

    perform seqctl._check_column(p_target, 'number_column', p_number_column, '{bigint,integer}', true);
    if p_document_number_column is not null then
        perform seqctl._check_column(p_target, 'document_number_column', p_document_number_column, '{text,varchar}', true);
    end if;
    for i in 1 .. cardinality(v_groups) loop
        perform seqctl._check_column(
            p_target, 'group_columns', v_groups[i],
            '{text,varchar,bpchar,name,uuid,smallint,integer,bigint,numeric,boolean,anyenum}', false
        );
    end loop;
    if p_date_column is not null then
        perform seqctl._check_column(p_target, 'date_column', p_date_column, '{date,timestamp,timestamptz}', false);
    elsif v_series.reset <> 'never' or seqctl._format_needs_date(v_series.format) then
        raise exception using
            errcode = 'SQ006',
            message = format(
                'series %L %s, so date_column is needed', p_series,
                case when v_series.reset <> 'never' then 'resets ' || v_series.reset else 'has a date in its format' end
            ),
            detail = 'The period of a number is that of the row''s own date, never the server''s clock.',
            hint = 'Name the column with the date of the document: date_column => ''issued_on''.';
    end if;
    if p_number_column = p_document_number_column
        or p_number_column = any (v_groups || p_date_column) or p_document_number_column = any (v_groups || p_date_column)
        or (select count(distinct g) from unnest(v_groups) g) <> cardinality(v_groups)
    then
        raise exception using
            errcode = 'SQ006',
            message = format('one column of %s is named twice', p_target),
            hint = 'Number, document number, date and group columns must all be different.';
    end if;

    if p_condition is not null then
        select r.* into v_condition
        from seqctl._read_condition(p_target, p_condition, array[p_number_column, p_document_number_column]) r;
        v_attachment.issue_when := v_condition.condition;
        v_attachment.issue_columns := v_condition.columns;
    end if;
    v_attachment.target := p_target;
    v_attachment.series_id := v_series.id;
    v_attachment.number_column := p_number_column;
    v_attachment.date_column := p_date_column;
    v_attachment.document_number_column := p_document_number_column;
    v_attachment.assign := p_assign;
    v_attachment.chronology := p_chronology;
    perform seqctl._check_later(v_attachment);

    for v_other in
        select a.*, s.name as series_name
        from seqctl.attachment a
        join seqctl.series s on s.id = a.series_id
        where a.target = p_target
    loop
        if v_other.number_column = p_number_column then
            raise exception using
                errcode = 'SQ007',
                message = format('%s.%I is attached already, to series %L', p_target, p_number_column, v_other.series_name),
                hint = format('Detach it first: select seqctl.detach(%L, %L).', p_target, p_number_column);
        elsif v_other.series_id = v_series.id then
            raise exception using
                errcode = 'SQ007',
                message = format('%s is attached to series %L already, with column %I', p_target, p_series, v_other.number_column),
                hint = 'One row cannot take two numbers of one series: use another series for the second column.';
        elsif array[v_other.number_column, v_other.document_number_column]
            && (array[p_number_column, p_date_column, p_document_number_column] || v_groups)
            or p_document_number_column = any (v_other.group_columns || v_other.date_column)
            or p_number_column = any (v_other.group_columns || v_other.date_column)
        then
            raise exception using
                errcode = 'SQ007',
                message = format(
                    'a column of %s would be written by one attachment and used by another (%I, series %L)',
                    p_target, v_other.number_column, v_other.series_name
                ),
                hint = 'Give each attachment columns of its own.';
        end if;
    end loop;

    for v_other in
        select t.tgname
        from pg_trigger t
        where t.tgrelid = p_target
            and not t.tgisinternal
            and t.tgtype & 7 = 7
            and t.tgname > 'zz_seqctl' collate "C"
            and t.tgname !~ '^zz_seqctl_\d'
    loop
        raise warning using
            message = format('trigger %I on %s runs after seqctl''s', v_other.tgname, p_target),
            detail = 'If it drops the row, inserts more documents or changes the group or the date, the statement will fail with SQ013.',
            hint = format('Rename it: alter trigger %I on %s rename to a_%s;', v_other.tgname, p_target, v_other.tgname);
    end loop;

    if p_condition is not null or p_assign <> 'insert' then
        write_function := format(
            '%s.%I', v_table.relnamespace::regnamespace, left(v_table.relname || '_' || p_number_column, 47) || '_seqctl_write');
    end if;
    insert into seqctl.attachment (
        series_id, target, number_column, date_column, group_columns, document_number_column,
        issue_when, issue_columns, assign, chronology, protect, write_function, attached_by
    )
    values (
        v_series.id, p_target, p_number_column, p_date_column, v_groups, p_document_number_column,
        v_attachment.issue_when, coalesce(v_attachment.issue_columns, '{}'), p_assign, p_chronology, coalesce(p_protect, true),
        write_function, p_caller
    )
    returning id into attachment_id;
    if exists (
        select
        from pg_proc p
        where p.pronamespace = v_table.relnamespace and p.proname = (parse_ident(write_function))[2]
    ) then
        -- Taken already, by a table whose name begins alike.
        write_function := format('%s.%I', v_table.relnamespace::regnamespace, format('seqctl_%s_write', attachment_id));
        update seqctl.attachment a set write_function = _register_attachment.write_function where a.id = attachment_id;
    end if;
    if write_function is not null then
        select seqctl._write_function(a) into write_definition from seqctl.attachment a where a.id = attachment_id;
    end if;
    perform seqctl._generate_attachment(attachment_id);
    perform seqctl._grant_attachment(attachment_id, p_caller, true);

    series_id := v_series.id;
    installer := current_user;
    group_expression := seqctl._group_expression('i.', p_target, v_groups);
    if v_series.reset = 'never' then
        period_expression := seqctl._period_expression('never', v_series.fiscal_year_start, null);
    else
        select seqctl._base_type(a.atttypid) into v_date_type
        from pg_attribute a
        where a.attrelid = p_target and a.attname = p_date_column;
        period_expression := seqctl._period_expression(
            v_series.reset, v_series.fiscal_year_start,
            seqctl._date_expression('i.' || quote_ident(p_date_column), v_date_type, v_series.time_zone)
        );
    end if;

    index_columns := concat_ws(
        ', ',
        (select string_agg(quote_ident(g.name), ', ' order by g.position) from unnest(v_groups) with ordinality as g (name, position)),
        case when v_series.reset <> 'never' then
            '(' || seqctl._period_expression(
                v_series.reset, v_series.fiscal_year_start,
                seqctl._date_expression(quote_ident(p_date_column), v_date_type, v_series.time_zone)
            ) || ')'
        end,
        quote_ident(p_number_column)
    );
    index_is_unique := true;
    if v_table.relkind = 'p' then
        -- PostgreSQL wants every partition key column in a unique index; the counter does the rest.
        select
            bool_or(0 = any (p.partattrs)) as has_expression,
            string_agg(distinct quote_ident(a.attname), ', ') filter (
                where a.attname <> all (v_groups || p_number_column)
            ) as missing_columns
        into v_partition_key
        from pg_partition_tree(p_target) t
        join pg_partitioned_table p on p.partrelid = t.relid
        left join pg_attribute a on a.attrelid = p.partrelid and a.attnum = any (p.partattrs);
        index_columns := concat_ws(', ', index_columns, v_partition_key.missing_columns);
        if v_partition_key.has_expression then
            index_is_unique := false;
            raise warning using
                message = format('%s is partitioned by an expression: PostgreSQL can have no unique index on its numbers', p_target),
                detail = 'The counter still gives each number once; the index that was made is for speed only.',
                hint = 'Partition by a plain column to have the unique index too.';
        elsif v_partition_key.missing_columns is not null then
            raise notice using
                message = format('the unique index includes the partition key (%s)', v_partition_key.missing_columns),
                detail = 'PostgreSQL wants it there. Across partitions it is the counter that keeps a number from being given twice.';
        end if;
    end if;
    if v_table.relrowsecurity and not v_table.relforcerowsecurity and not pg_has_role(current_user, v_table.relowner, 'USAGE')
        and not exists (select from pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolbypassrls))
        or v_table.relforcerowsecurity
        and not exists (select from pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolbypassrls))
    then
        raise warning using
            message = format('row-level security on %s hides rows from %s, the owner of seqctl', p_target, current_user),
            detail = 'Plain INSERTs are numbered all the same. A trigger that inserts more documents while a statement is running will '
                'fail, because seqctl must then look at the table.',
            hint = format('alter role %I bypassrls;', current_user);
    end if;
end
$function$;

comment on function seqctl._register_attachment(
    regclass, text, name, name, name[], name, regclass, text, text, boolean, name
) is
    'Checks and records an attachment and writes its trigger functions.';

revoke all on function seqctl._register_attachment(
    regclass, text, name, name, name[], name, regclass, text, text, boolean, name
) from public;
