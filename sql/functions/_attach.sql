-- The way of attach() and adopt() once the table is locked. With a reason, the numbers that are there are taken over (_record_adoption);
-- without, the series must have given them. Runs with the caller's rights, because the caller must own the table; what touches seqctl's own
-- tables is in _register_attachment, _record_adoption and _seal_attachment.
create or replace function seqctl._attach(
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
    p_reason text
)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_table pg_class;
    v_attachment record;
    v_index name;
    v_same name;
    v_found record;
    v_shared_count bigint := 0;
    v_pattern record;
    v_hint text := format('Take them over: select * from seqctl.adopt(%L, %L, ...) with the same settings shows what it finds.', p_target, p_series);
    v_name text;
begin
    select c.* into v_table from pg_class c where c.oid = p_target;
    select r.* into v_attachment
    from seqctl._register_attachment(
        p_target, p_series, p_number_column, p_date_column, p_group_columns, p_document_number_column,
        p_condition, p_assign, p_chronology, p_protect, p_chain_columns, current_user
    ) r;
    if p_condition is not null then
        drop table pg_temp.seqctl_condition;
    end if;

    -- seqctl's owner reads the numbers where a counter alone cannot tell (see _table_numbers).
    if not has_table_privilege(v_attachment.installer, p_target, 'SELECT') then
        execute format('grant select on %s to %I', p_target, v_attachment.installer);
    end if;

    if p_reason is not null then
        perform seqctl._record_adoption(v_attachment.attachment_id, p_reason);
    else
        -- Numbers that are there already must be those that this series gave (an attachment made again).
        execute format(
            'with found as (
                select %2$s as group_key, %3$s as period, count(*) as row_count, count(distinct i.%1$I) as distinct_count,
                    max(i.%1$I) as highest
                from %4$s i
                where i.%1$I is not null
                group by 1, 2
            )
            select
                coalesce(sum(f.row_count), 0) as number_count,
                coalesce(sum(f.row_count - f.distinct_count), 0) as duplicate_count,
                count(*) filter (where f.highest > coalesce(c.last_number, -1)) as unknown_count
            from found f
            left join seqctl.counter c on c.series_id = $1 and c.group_key = f.group_key and c.period = f.period',
            p_number_column, v_attachment.group_expression, v_attachment.period_expression, p_target
        ) into v_found using v_attachment.series_id;
        if v_found.number_count > 0 and exists (
            select from seqctl.attachment a where a.series_id = v_attachment.series_id and a.id <> v_attachment.attachment_id
        ) then
            select count(*) into v_shared_count
            from (
                select from seqctl._attached_numbers(v_attachment.series_id) n group by n.group_key, n.period, n.number having count(*) > 1
            ) d;
        end if;
        if v_found.duplicate_count > 0 or v_found.unknown_count > 0 or v_shared_count > 0 then
            raise exception using
                errcode = 'SQ008',
                message = format('%s already has %s numbers in %I', p_target, v_found.number_count, p_number_column),
                detail = concat_ws(
                    ' ',
                    case when v_found.duplicate_count > 0 then format('%s rows have a number that another one has.', v_found.duplicate_count) end,
                    case when v_shared_count > v_found.duplicate_count
                        then format('Rows of other tables of series %L have %s of the numbers.', p_series, v_shared_count - v_found.duplicate_count) end,
                    case when v_found.unknown_count > 0
                        then format('In %s of the groups and periods they go beyond what series %L has given.', v_found.unknown_count, p_series) end
                ),
                hint = v_hint;
        end if;

        if p_document_number_column is not null then
            -- The series would give them again.
            select t.* into v_pattern
            from seqctl.series s
            cross join lateral seqctl._text_pattern(s.format) t
            where s.id = v_attachment.series_id;
            execute format(
                'select count(*) as row_count, min(i.%1$I::text) as example
                from %2$s i
                where i.%3$I is null and %4$s ~ $1',
                p_document_number_column, p_target, p_number_column,
                case when '{group}' = any (v_pattern.fields) then format('concat(%s, E''\x01'', i.%I)', v_attachment.group_expression, p_document_number_column)
                    else format('i.%I', p_document_number_column) end
            ) into v_found using v_pattern.loose;
            if v_found.row_count > 0 then
                raise exception using
                    errcode = 'SQ008',
                    message = format('%s has document numbers of series %L without a number (%s rows)', p_target, p_series, v_found.row_count),
                    detail = format('Such as %L in %I. The series would give them again.', v_found.example, p_document_number_column),
                    hint = v_hint;
            end if;
        end if;
    end if;

    if v_attachment.index_columns is not null then
        v_name := left(v_table.relname || '_' || p_number_column, 50) || '_seqctl_key';
        if octet_length(v_name) > 63
            or exists (select from pg_class c where c.relnamespace = v_table.relnamespace and c.relname = v_name)
        then
            v_name := 'seqctl_' || v_attachment.attachment_id || '_key';
        end if;
        execute format(
            'create %s index %I on %s (%s)%s',
            case when v_attachment.index_is_unique then 'unique' end, v_name, p_target, v_attachment.index_columns,
            -- Rows that wait for their number would only fill it.
            case when v_attachment.write_function is not null then format(' where %I is not null', p_number_column) end
        );
        v_index := v_name;

        select x.relname into v_same
        from pg_index o
        join pg_index m on m.indrelid = o.indrelid and m.indexrelid <> o.indexrelid
        join pg_class x on x.oid = m.indexrelid
        where o.indexrelid = format('%s.%I', v_table.relnamespace::regnamespace, v_name)::regclass
            and o.indisunique and m.indisunique and m.indisvalid and m.indimmediate
            and (m.indpred is null or pg_get_expr(m.indpred, m.indrelid) = pg_get_expr(o.indpred, o.indrelid))
            and (
                select array_agg(pg_get_indexdef(o.indexrelid, k, false) order by pg_get_indexdef(o.indexrelid, k, false))
                from generate_series(1, o.indnkeyatts) k
            ) = (
                select array_agg(pg_get_indexdef(m.indexrelid, k, false) order by pg_get_indexdef(m.indexrelid, k, false))
                from generate_series(1, m.indnkeyatts) k
            )
        order by x.relname
        limit 1;
        if found then
            execute format('drop index %s.%I', v_table.relnamespace::regnamespace, v_name);
            v_index := v_same;
        end if;

        -- An index over fewer columns would refuse the first number of the second group or period.
        select x.relname into v_same
        from pg_index m
        join pg_class x on x.oid = m.indexrelid
        join pg_index o on o.indexrelid = format('%s.%I', v_table.relnamespace::regnamespace, v_index)::regclass
        where m.indrelid = p_target
            and m.indexrelid <> o.indexrelid
            and m.indisunique
            and m.indpred is null
            and exists (
                select from pg_attribute a where a.attrelid = p_target and a.attname = p_number_column and a.attnum = any (m.indkey)
            )
            and (select array_agg(pg_get_indexdef(m.indexrelid, k, false)) from generate_series(1, m.indnkeyatts) k)
                <@ (select array_agg(pg_get_indexdef(o.indexrelid, k, false)) from generate_series(1, o.indnkeyatts) k)
            and m.indnkeyatts < o.indnkeyatts
        limit 1;
        if found then
            raise exception using
                errcode = 'SQ018',
                message = format('unique index %I on %s is too strict for series %L', v_same, p_target, p_series),
                detail = format('Numbers are unique per %s, so the same number will come again.', v_attachment.index_columns),
                hint = format(
                    '%s; or use a series without reset or groups.',
                    coalesce(
                        (
                            select format('alter table %s drop constraint %I', p_target, k.conname)
                            from pg_constraint k
                            where k.conindid = format('%s.%I', v_table.relnamespace::regnamespace, v_same)::regclass and k.conrelid = p_target
                                and k.contype in ('p', 'u')
                        ),
                        format('drop index %s.%I', v_table.relnamespace::regnamespace, v_same)
                    )
                );
        end if;
    end if;

    if v_attachment.write_function is not null then
        -- seqctl's owner locks the rows that it numbers, which needs a right to update them; the writing is left to the table's owner.
        execute format('grant update (%I) on %s to %I', p_number_column, p_target, v_attachment.installer);
        execute v_attachment.write_definition;
        perform seqctl._revoke_given(seqctl._write_signature(v_attachment.write_function)::regprocedure);
        execute format('grant execute on function %s to %I', seqctl._write_signature(v_attachment.write_function), v_attachment.installer);
        execute format(
            'comment on function %s is %L', seqctl._write_signature(v_attachment.write_function),
            format('Writes the numbers of series %s into %s. Made by seqctl; seqctl.detach() removes it.', p_series, p_target)
        );
        if v_table.relowner <> (select r.oid from pg_roles r where r.rolname = current_user) then
            execute format('alter function %s owner to %I', seqctl._write_signature(v_attachment.write_function), pg_get_userbyid(v_table.relowner));
        end if;
    end if;

    perform seqctl._add_triggers(v_attachment.attachment_id, p_target, v_attachment.installer);
    perform seqctl._seal_attachment(v_attachment.attachment_id, v_index);

    return format(
        '%s.%I is numbered from series %s; %s',
        p_target, p_number_column, p_series,
        case
            when v_index is null then 'no index was made'
            when v_index = v_same then format('the existing unique index %I backs it', v_index)
            else format('index %I backs it', v_index)
        end
    );
end
$function$;

comment on function seqctl._attach(regclass, text, name, name, name[], name, regclass, text, text, boolean, name[], text) is
    'Attaches a locked table: records it, makes the unique index and the triggers.';

revoke all on function seqctl._attach(regclass, text, name, name, name[], name, regclass, text, text, boolean, name[], text) from public;
