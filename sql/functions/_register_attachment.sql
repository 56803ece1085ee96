-- The half of attach() that needs the rights of seqctl's owner: records the attachment after _plan_attachment checked it,
-- and writes its trigger functions.
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
    p_chain_columns name[],
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
    v_groups name[];
    v_table pg_class;
    v_date_type oid;
    v_other record;
    v_partition_key record;
    v_attachment seqctl.attachment;
begin
    select c.* into v_table from pg_class c where c.oid = p_target;
    perform seqctl._check_owner(p_target, p_caller);
    -- Shared until the transaction ends: nobody alters it meanwhile.
    select s.* into v_series from seqctl.series s where s.id = v_series.id for share;
    v_attachment := seqctl._plan_attachment(
        p_target, p_series, p_number_column, p_date_column, p_group_columns, p_document_number_column,
        p_condition, p_assign, p_chronology, p_protect, p_chain_columns
    );
    v_groups := v_attachment.group_columns;

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
        issue_when, issue_columns, assign, chronology, protect, chain_columns, write_function, row_keys, attached_by
    )
    values (
        v_series.id, p_target, p_number_column, p_date_column, v_groups, p_document_number_column,
        v_attachment.issue_when, v_attachment.issue_columns, p_assign, p_chronology, v_attachment.protect,
        v_attachment.chain_columns, write_function,
        case when write_function is null then '{}' else seqctl._row_key_texts(p_target) end, p_caller
    )
    returning id into attachment_id;
    if octet_length((parse_ident(write_function))[2]) > 63 or exists (
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
    regclass, text, name, name, name[], name, regclass, text, text, boolean, name[], name
) is
    'Checks and records an attachment and writes its trigger functions.';

revoke all on function seqctl._register_attachment(
    regclass, text, name, name, name[], name, regclass, text, text, boolean, name[], name
) from public;
