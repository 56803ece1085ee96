-- The triggers of an attachment, in the order in which attach makes them. Their names sort last, so that other triggers may still
-- change the row, or drop it. What a WHEN clause can decide costs the rows that it does not concern nothing. But every statement on
-- the table copies the clauses of all triggers, INSERTs too: none asks what is so of nearly every row.
create or replace function seqctl._attachment_triggers(p_attachment_id integer)
returns table (kind text, on_table regclass, definition text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment seqctl.attachment;
    v_values jsonb := seqctl._attachment_values(p_attachment_id);
    v_partitioned boolean := v_values ? 'partitioned';
    v_later boolean := v_values ? 'later';
    -- All rows are numbered in their INSERT, but for some that may be older than the attachment.
    v_at_once boolean := not v_partitioned and not v_later;
    v_name text := 'zz_seqctl_' || p_attachment_id || '_';
    v_own text := 'seqctl._attachment_' || p_attachment_id || '_';
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    on_table := v_attachment.target;
    if v_attachment.assign = 'insert' then
        kind := 'number';
        definition := format('before insert on %s for each row execute function %snumber()', on_table, v_own);
        return next;
        if not v_later and not (v_at_once and v_attachment.protect) and exists (
            select
            from pg_attribute a
            where a.attrelid = on_table and a.attname = v_attachment.number_column and not a.attnotnull
        ) then
            -- Rows from before attach can be without a number.
            kind := 'refuse';
            definition := format(
                'after update on %1$s for each row when (old.%2$I is null and (new.%2$I is not null%3$s)) '
                'execute function %4$srefuse()',
                on_table, v_attachment.number_column, v_values ->> 'brings_document', v_own
            );
            return next;
        end if;
    else
        kind := 'refuse';
        definition := format(
            'before insert on %s for each row when (%s) execute function %srefuse()',
            on_table,
            concat_ws(
                ' or ', format('new.%I is not null', v_attachment.number_column),
                case when v_attachment.document_number_column is not null
                    then format('new.%I is not null', v_attachment.document_number_column) end
            ),
            v_own
        );
        return next;
        if v_attachment.assign = 'manual' and not v_partitioned then
            -- What another BEFORE trigger brought in. Elsewhere settle and late see it.
            kind := 'refuse_stored';
            definition := 'after' || substr(definition, length('before') + 1);
            return next;
        end if;
    end if;
    if v_later and v_attachment.assign = 'insert' then
        kind := 'issue';
        definition := format(
            'before update on %1$s for each row when (old.%2$I is null and (new.%2$I is not null%3$s or %4$s)) execute function %5$sissue()',
            on_table, v_attachment.number_column,
            case when v_attachment.document_number_column is not null
                then format(' or new.%I is not null', v_attachment.document_number_column) end,
            v_values ->> 'issues_new', v_own
        );
        return next;
    end if;
    if v_attachment.protect then
        -- A WHEN clause is read anew in each statement, so it only asks which columns changed; the function knows what it means.
        -- AFTER, because BEFORE locks each row that is updated; only an UPDATE that moves a row to another partition has no AFTER.
        kind := 'protect';
        definition := format(
            '%s update on %s for each row when (%s%s%s%s%s) execute function %sprotect()',
            case when v_partitioned then 'before' else 'after' end, on_table,
            case when not v_at_once then format('old.%I is not null and (', v_attachment.number_column) end,
            (
                -- As base types, because a domain over an enum has no operators.
                select string_agg(
                    format('new.%1$I::%2$s is distinct from old.%1$I::%2$s', c.name, format_type(seqctl._base_type(a.atttypid), -1)),
                    ' or ' order by c.position
                )
                from unnest(
                    array[v_attachment.number_column, v_attachment.document_number_column, v_attachment.date_column]
                    || v_attachment.group_columns
                ) with ordinality as c (name, position)
                join pg_attribute a on a.attrelid = v_attachment.target and a.attname = c.name
            ),
            seqctl._chain_changed(v_attachment),
            case when v_attachment.issue_when is not null then format(
                ' or %s and (%s) is not true',
                seqctl._issues_expression(v_attachment, 'old.'), seqctl._issues_expression(v_attachment, 'new.')) end,
            case when not v_at_once then ')' end, v_own
        );
        return next;
        if v_partitioned then
            -- Of a row that stays in its partition, another BEFORE trigger may have changed more.
            kind := 'protect_stored';
            definition := 'after' || substr(definition, length('before') + 1);
            return next;
        end if;
        kind := 'keep';
        definition := format(
            '%s delete on %s for each row%s execute function %skeep()',
            case when v_partitioned then 'after' else 'before' end, on_table,
            case when not v_at_once then format(' when (old.%I is not null)', v_attachment.number_column) end, v_own
        );
        return next;
    end if;
    if v_partitioned then
        kind := 'move';
        definition := format('before delete on %s for each row execute function %smove()', on_table, v_own);
        return next;
        kind := 'late';
        -- A restored table has other oids than the list: the one of the table itself tells, and every row is late then. So it is once a row
        -- without a number has left a partition (see move): to PostgreSQL, one that moves is a new one in the other, but of no INSERT.
        definition := format(
            'after insert%s on %s for each row when (new.tableoid <> all (%L::oid[]) or %L::regclass::oid <> %s%s) execute function %slate()',
            case when v_later then ' or update' end, on_table,
            (select array_agg(p.relid::oid) from pg_partition_tree(on_table) p),
            on_table, on_table::oid,
            case when not v_later then format(' or current_setting(''seqctl.left_%s'', true) <> ''''', p_attachment_id) end, v_own
        );
        return next;
    end if;

    -- A statement trigger fires for the table that the statement names: each partition needs its own.
    for on_table in
        select v_attachment.target
        union all
        select p.relid from pg_partition_tree(v_attachment.target) p where p.relid <> v_attachment.target
    loop
        if v_attachment.assign <> 'manual' or v_partitioned then
            kind := 'settle';
            definition := format(
                'after insert on %s referencing new table as seqctl_inserted for each statement execute function %ssettle(%s)',
                on_table, v_own, case when on_table <> v_attachment.target then '''partition''' end
            );
            return next;
        end if;
        if v_later then
            kind := 'settle_update';
            definition := format(
                'after update on %s referencing old table as seqctl_before new table as seqctl_after '
                'for each statement execute function %ssettle_update(%s)',
                on_table, v_own, case when on_table <> v_attachment.target then '''partition''' end
            );
            return next;
        end if;
        if v_attachment.protect then
            kind := 'truncate';
            definition := format(
                'before truncate on %s for each statement execute function seqctl._protect_all(%s)', on_table, p_attachment_id);
            return next;
        end if;
    end loop;
end
$function$;

comment on function seqctl._attachment_triggers(integer) is 'The triggers of an attachment: the part of CREATE TRIGGER after the name.';

revoke all on function seqctl._attachment_triggers(integer) from public;
