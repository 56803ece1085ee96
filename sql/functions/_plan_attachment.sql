-- Looks and changes nothing; adopt() reports with it before anything is attached. Runs with the rights of seqctl's owner, to read conditions.
create or replace function seqctl._plan_attachment(
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
    p_chain_columns name[]
)
returns seqctl.attachment
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_shortest text;
    v_width integer;
    v_series seqctl.series := seqctl._series(p_series);
    v_groups name[] := coalesce(p_group_columns, '{}');
    v_table pg_class;
    v_other record;
    v_condition record;
    v_attachment seqctl.attachment;
begin
    select c.* into v_table from pg_class c where c.oid = p_target;
    if v_table.relkind not in ('r', 'p') or v_table.relispartition or v_table.relpersistence <> 'p'
        or v_table.relnamespace in ('pg_catalog'::regnamespace, 'seqctl'::regnamespace)
        or (v_table.relkind = 'r' and exists (select from pg_inherits h where p_target in (h.inhparent, h.inhrelid)))
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
                    when exists (select from pg_inherits h where h.inhrelid = p_target) then 'an inheritance child'
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
        execute 'select ' || seqctl._document_number_expression(v_series.format, v_series.fiscal_year_start, '$1', '$2', '$3')
        into v_shortest
        using v_series.first_number, date '2001-01-01', '';
        -- The modifier of varchar(n) is n + 4.
        select a.atttypmod - 4 into v_width
        from pg_attribute a
        where a.attrelid = p_target and a.attname = p_document_number_column and a.atttypmod > 4;
        if v_width < length(v_shortest) then
            raise exception using
                errcode = 'SQ006',
                message = format('document_number_column: %I of %s holds %s characters, the document number %L has %s',
                    p_document_number_column, p_target, v_width, v_shortest, length(v_shortest)),
                hint = format('alter table %s alter column %I type text; or shorten the format.', p_target, p_document_number_column);
        end if;
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
    v_attachment.group_columns := v_groups;
    v_attachment.issue_columns := coalesce(v_attachment.issue_columns, '{}');
    v_attachment.protect := coalesce(p_protect, true);
    v_attachment.chain_columns := coalesce(p_chain_columns, '{}');
    perform seqctl._check_later(v_attachment);
    perform seqctl._check_chain(v_attachment);

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
            && (array[p_number_column, p_date_column, p_document_number_column] || v_groups || v_attachment.issue_columns || v_attachment.chain_columns)
            or p_document_number_column = any (v_other.group_columns || v_other.date_column || v_other.issue_columns || v_other.chain_columns)
            or p_number_column = any (v_other.group_columns || v_other.date_column || v_other.issue_columns || v_other.chain_columns)
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
    return v_attachment;
end
$function$;

comment on function seqctl._plan_attachment(regclass, text, name, name, name[], name, regclass, text, text, boolean, name[]) is
    'The attachment that attach() would record, after checking that table, columns and settings fit.';

revoke all on function seqctl._plan_attachment(regclass, text, name, name, name[], name, regclass, text, text, boolean, name[]) from public;
