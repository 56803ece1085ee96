-- The functions of an attachment that numbers rows after their INSERT: drafts that are issued by an UPDATE, rows that wait for the commit
-- or for number_pending().
--
--   issue          BEFORE UPDATE ROW: numbers a draft in the UPDATE that makes it meet the condition;
--   settle         AFTER INSERT STATEMENT, where rows wait for the commit: writes down which rows do;
--   settle_update  AFTER UPDATE STATEMENT: what settle is for INSERT, for the rows that the UPDATE numbered, whoever wrote the numbers;
--   pending        the rows that wait, with their counters;
--   run            numbers them as they were written down, in one UPDATE a statement and counter, if nothing was updated or deleted since;
--                  else it does nothing, returns 0, and assign does it;
--   assign         numbers them, by way of the function of the table's owner (see _write_function): triggers of the table then run with
--                  the owner's rights. The caller, _assign, has locked the counters.
-- issue and settle_update run under the caller's search_path, like number and settle.
create or replace function seqctl._later_functions(
    p_values jsonb,
    p_settle text,
    p_wrong text
)
returns table (kind text, arguments text, result text, body text, settings text)
language plpgsql
stable
as $generator$
declare
    v_pend text := $template$
    insert into seqctl.pending (attachment_id, target, group_key, period, row_count, changes, keys)
    select <<id>>, tg_relid, <<row_group>>, <<row_period>>, <<row_count>>, <<changes>>, array[<<gathered_keys>>]
    from <<rows>> i
    where i.<<number>> is null<<and_issues>><<or_given>>
    group by 3, 4;$template$;
    v_commit boolean := p_values ->> 'assign' = 'commit';
    -- <<before>>: how many rows had numbers.
    v_new text := $template$
            where i.<<number>> is not null
                and (
                    <<before>> operator(pg_catalog.=) 0
                    or not exists (
                        select
                        from seqctl.counter c
                        where c.series_id operator(pg_catalog.=) <<series_id>>
                            and c.group_key operator(pg_catalog.=) <<row_group>>
                            and c.period operator(pg_catalog.=) <<row_period>>
                            and c.last_number operator(pg_catalog.>=) i.<<number>>
                    )
                )$template$;
    v_new_rows text := seqctl._fill(v_new, p_values || '{"before": "v_before"}');
    v_new_text text := seqctl._fill(v_new, p_values || '{"before": "$1"}');
    v_landed jsonb;
    v_later_only boolean := p_values ->> 'assign' <> 'insert';
    -- The same when the counter has passed the new ones as well.
    v_not_before text := seqctl._fill(
        $template$
                    left join (
                        select i.<<number>> as number, <<row_group>> as group_key, <<row_period>> as period
                        from seqctl_before i
                    ) b
                        on b.number operator(pg_catalog.=) i.<<number>>
                        and b.group_key operator(pg_catalog.=) <<row_group>>
                        and b.period operator(pg_catalog.=) <<row_period>>
                    where i.<<number>> is not null and b.number is null$template$,
        p_values
    );
    -- Grouped by hash, rows of a group keep the order in which they were inserted. Where a sort is the only way, it looks so dear
    -- without enable_sort that it would be compiled.
    v_in_order text := ' set enable_sort = off set jit = off';
begin
    arguments := '';
    result := 'trigger';
    settings := '';
    if p_values ->> 'assign' = 'insert' then
        kind := 'issue';
        body := seqctl._fill(
            $template$
declare
    v_number pg_catalog.int8;
    v_text pg_catalog.text;<<declare_document>>
begin<<own_table>>
    if not coalesce(<<issues_new>>, false) then
        perform seqctl._refuse_draft(<<what>>);
    elsif new.<<number>> is not null
        and pg_catalog.texteq(coalesce(pg_catalog.current_setting('seqctl.writing', true), ''), '1')
        and pg_catalog.int4gt(pg_catalog.pg_trigger_depth(), 1)
    then
        -- Written by number_pending(), in whatever order; or by somebody who says so, which settle_update finds out.
        return new;
    end if;<<stamp>>
    -- Table 0: nobody counts the rows that an UPDATE touches, so this one is taken to land. settle_update sees if it did not.
    v_number := seqctl._start_run(
        <<series_id>>, <<what>>, <<group>>, <<needs_date>>, <<date>>, <<period>>, 0::pg_catalog.oid, '0', new.<<number>>);<<finalized_document>><<check_limit>><<set_document>>
    new.<<number>> := v_number;<<note_issued>>
    return new;
end
$template$,
            p_values
        );
        return next;
    elsif v_commit or p_values ? 'partitioned' then
        kind := 'settle';
        body := seqctl._fill(
            $template$
begin<<own_partition>><<pend>>
    return null;
end
$template$,
            p_values || jsonb_build_object(
                'pend', case when v_commit then
                    seqctl._fill(v_pend, p_values || jsonb_build_object(
                        'rows', 'seqctl_inserted',
                        -- Moved rows do not come here.
                        'or_given', seqctl._fill(' or i.<<number>> is not null', p_values),
                        'row_count', seqctl._fill(
                            'case when pg_catalog.count(i.<<number>>) operator(pg_catalog.=) 0 then pg_catalog.count(*) '
                            'else seqctl._refuse_unissued(<<what>>, <<series>>) end', p_values)))
                else
                    seqctl._fill(
                        $template$
    if exists (select from seqctl_inserted i where i.<<number>> is not null) then
        -- Moved rows do not come here.
        perform seqctl._refuse_unissued(<<what>>, <<series>>);
    end if;$template$,
                        p_values
                    )
                end)
        );
        settings := case when v_commit then coalesce(p_values ->> 'key_settings', '') || v_in_order else '' end;
        return next;
    end if;

    v_landed := p_values || jsonb_build_object(
        'rows', 'seqctl_after',
        'landed_wrong', seqctl._fill(
            E'\n                pg_catalog.count(*) filter (where not (<<right_row>>)) as wrong_count,', p_values),
        'select_count', ', l.row_count, l.wrong_count',
        -- Elsewhere the trigger that gives the number looks at it. Here somebody may have written the number, and say that it was seqctl.
        'within_limit', concat(
            case when p_values ? 'limit' then seqctl._fill(E'\n                and l.high operator(pg_catalog.<=) <<limit>>', p_values) end,
            case when p_values ? 'clock' then
                seqctl._fill(E'\n                and l.last_at operator(pg_catalog.<=) greatest(c.last_at, <<clock>>)', p_values) end)
    );
    kind := 'settle_update';
    body := seqctl._fill(p_settle, p_values || jsonb_build_object(
        'declare_new', E'\n    v_new pg_catalog.int8;\n    v_before pg_catalog.int8;\n    v_waiting pg_catalog.int8;',
        'at_once', seqctl._fill(
            $template$<<settle_one>>
    select (select pg_catalog.count(b.<<number>>) from seqctl_before b), pg_catalog.count(i.<<number>>)<<count_waiting>>
    into v_before, v_new<<into_waiting>>
    from seqctl_after i;<<pend>>
    v_new := pg_catalog.int8mi(v_new, v_before);
    if <<nothing_new>> then
        -- Most updates number nothing.
        return null;
    end if;<<refuse_update>><<issue_one>>$template$,
            p_values || jsonb_build_object(
                -- A draft that is issued.
                'issue_one', case when not v_later_only and not p_values ? 'partitioned' then
                    seqctl._fill(p_values ->> 'one_row', p_values || jsonb_build_object(
                        'rows', 'seqctl_after',
                        'settled_number', seqctl._fill('case when <<right_row>> then i.<<number>> end', p_values),
                        'only_new', concat(E'\n            and v_before operator(pg_catalog.=) 0', p_values ->> 'below_limit',
                        case when p_values ? 'clock' then
                            seqctl._fill(E'\n            and v_at operator(pg_catalog.<=) greatest(c.last_at, <<clock>>)', p_values) end),
                        'link', seqctl._chain_row(p_values, 'seqctl_after'))) end,
                -- Without protection one row can lose its number while another gets one.
                'nothing_new', case when p_values ? 'protect' then 'pg_catalog.int8le(v_new, 0)'
                    else 'pg_catalog.int8eq(pg_catalog.int8pl(v_new, v_before), 0)' end,
                'count_waiting', case when v_commit then
                    seqctl._fill(', pg_catalog.count(*) filter (where i.<<number>> is null<<and_issues>>)', p_values) end,
                'into_waiting', case when v_commit then ', v_waiting' end,
                'pend', case when v_commit then
                    E'\n    if pg_catalog.int8gt(v_waiting, 0) then'
                    || replace(seqctl._fill(v_pend, p_values || '{"rows": "seqctl_after", "row_count": "pg_catalog.count(*)"}'), E'\n', E'\n    ') || E'\n    end if;' end,
                -- The setting is a hint that seqctl is writing, and saves a look at the rows. Whoever forges it gains nothing.
                'settle_one', case when v_later_only and not p_values ? 'date_type' then seqctl._fill(
                    $template$
    if pg_catalog.texteq(coalesce(pg_catalog.current_setting('seqctl.writing', true), ''), '1')
        and pg_catalog.texteq(coalesce(pg_catalog.current_setting('seqctl.hot_<<series_id>>', true), ''), '')
        and pg_catalog.int4gt(pg_catalog.pg_trigger_depth(), 1)
    then
        update seqctl.counter c
        set last_number = c.last_number operator(pg_catalog.+) 1
        from seqctl_after i
        where not exists (select from seqctl_after offset 1)
            and not exists (select from seqctl_before b where b.<<number>> is not null)
            and c.series_id operator(pg_catalog.=) <<series_id>>
            and c.group_key operator(pg_catalog.=) <<row_group>>
            and c.period operator(pg_catalog.=) <<row_period>>
            and i.<<number>> operator(pg_catalog.=) (c.last_number operator(pg_catalog.+) 1)
            and (<<right_row>>)
            and not c.stopped<<below_limit>>;
        if found then<<link>>
            return null;
        end if;
    end if;$template$,
                    p_values || jsonb_build_object('link', seqctl._chain_row(p_values, 'seqctl_after'))
                ) end,
                -- seqctl's own UPDATE is made by a trigger.
                'refuse_update', case when v_later_only then seqctl._fill(
                    $template$
    if pg_catalog.int4eq(pg_catalog.pg_trigger_depth(), 1) and pg_catalog.int8gt(v_new, 0) then
        perform seqctl._refuse_unissued(<<what>>, <<series>>);
    end if;$template$,
                    p_values
                ) end
            )
        ),
        'rows', 'seqctl_after',
        'landed', seqctl._landed_query(v_landed || jsonb_build_object(
            'issued_rows', v_new_rows,
            'links', seqctl._chain_rows(p_values, 'seqctl_after', v_new_rows))),
        'landed_text', quote_literal(seqctl._landed_query(v_landed || jsonb_build_object(
            'issued_rows', v_new_text,
            'links', seqctl._chain_rows(p_values, 'seqctl_after', v_new_text)))),
        'using', ' using v_before',
        'count_landed', seqctl._fill(
            $template$
        v_new := pg_catalog.int8mi(v_new, v_landed.row_count);
        if pg_catalog.int8gt(v_landed.wrong_count, 0) then<<check_wrong>>
        end if;$template$,
            p_values || jsonb_build_object('check_wrong', seqctl._fill(p_wrong, p_values || jsonb_build_object(
                'rows', 'seqctl_after', 'right', p_values ->> 'right_row', 'issued_rows', v_not_before)))
        ),
        'check_rest', seqctl._fill(
            $template$
    if <<something_left>> then
        -- Rows that took the number of a checkout, which the counter has passed, among rows that had theirs before.
        for v_landed in
            select
                <<row_group>> as group_key,
                <<row_period>> as period,
                pg_catalog.array_agg(i.<<number>>::pg_catalog.int8) as numbers,
                <<landed_documents>> as documents,
                pg_catalog.count(*) filter (where not (<<right_row>>)<<not_checked_out>>) as wrong_count
            from seqctl_after i
            where exists (
                select
                from seqctl.checkout k
                where k.series_id operator(pg_catalog.=) <<series_id>>
                    and k.group_key operator(pg_catalog.=) <<row_group>>
                    and k.period operator(pg_catalog.=) <<row_period>>
                    and k.number operator(pg_catalog.=) i.<<number>>
                    and (k.awaited or k.stops or k.state operator(pg_catalog.=) 'open')
            )
            group by 1, 2
        loop
            if pg_catalog.int8gt(v_landed.wrong_count, 0) then
                perform seqctl._refuse_wrong(<<what>>, <<series>>);
            end if;
            perform seqctl._settle_given(
                <<series_id>>, v_landed.group_key, v_landed.period, v_landed.numbers[1], v_landed.numbers, v_landed.documents);
            v_new := pg_catalog.int8mi(v_new, pg_catalog.cardinality(v_landed.numbers));
        end loop;
    end if;
    if pg_catalog.int8gt(v_new, 0) then
        for v_landed in
            select <<row_group>> as group_key, <<row_period>> as period,
                pg_catalog.min(i.<<number>>) as low, pg_catalog.max(i.<<number>>) as high
            from seqctl_after i
            where i.<<number>> is not null
            group by 1, 2
        loop
            perform seqctl._refuse_unsettled(
                <<id>>, v_landed.group_key, v_landed.period, v_landed.low, v_landed.high);
        end loop;
    end if;$template$,
            p_values || jsonb_build_object(
                'landed_documents', coalesce(ltrim(p_values ->> 'given_documents', ', '), 'null::pg_catalog.text[]'),
                -- Without protection one row can lose its number while another gets one.
                'something_left', case when p_values ? 'protect' then 'pg_catalog.int8gt(v_new, 0)'
                    else 'pg_catalog.int8gt(v_new, 0) or pg_catalog.int8gt(v_before, 0)' end)
        )
    ));
    settings := case when v_commit then coalesce(p_values ->> 'key_settings', '') || v_in_order else '' end;
    return next;

    kind := 'pending';
    arguments := 'p_waiting seqctl.pending[], p_max_rows bigint, p_now timestamptz';
    result := 'table (table_id oid, row_id tid, group_key text, period date, on_date date, at timestamp, row_position bigint)';
    settings := 'set search_path = pg_catalog, pg_temp set row_security = off set jit = off' || coalesce(p_values ->> 'key_settings', '');
    body := seqctl._fill(
        $template$
#variable_conflict use_column
begin
    if to_regclass(<<target_name>>) is distinct from (select a.target from seqctl.attachment a where a.id = <<id>>) then
        perform seqctl._refuse_renamed(<<id>>, <<target_name>>);
    end if;
    if p_waiting is null then
        return query
        select q.table_id, q.row_id, q.group_key, q.period, q.on_date, q.at, row_number() over (order by <<by_date>><<key_names>>)
        from (
            select i.tableoid as table_id, i.ctid as row_id, <<pending_group>> as group_key, <<pending_period>> as period,
                <<pending_date>> as on_date, <<pending_at>> as at, <<named_date>><<named_keys>>
            from <<target>> i
            where i.<<number>> is null<<and_issues>>
            order by <<by_column>><<key_columns>>
            limit p_max_rows
            for no key update of i
        ) q;<<else_commit>>
    end if;
end
$template$,
        p_values || jsonb_build_object(
            'else_commit', case when v_commit then seqctl._fill(
                $template$
    else
        return query
        select i.tableoid, i.ctid, <<pending_group>>, <<pending_period>>, <<pending_date>>, <<pending_at>>,
            row_number() over (order by <<by_at>>k.position)
        from (
            -- A row that was inserted and updated was written down twice. "case", below, because statistics that were gathered when all
            -- rows had numbers would have the planner read the whole table for each key.
            select <<key_names>>, min(u.position) as position
            from (
                select <<key_names>>, row_number() over (order by p.id, k.position) as position
                from unnest(p_waiting) p
                cross join lateral unnest(<<pended_keys>>) with ordinality as k (<<key_names>>, position)
                where p.attachment_id = <<id>>
            ) u
            group by <<key_names>>
        ) k
        join <<target>> i on <<same_keys>>
        where case when i.<<number>> is null then true end<<and_issues>>;$template$,
                p_values
            ) end
        )
    );
    return next;

    kind := 'assign';
    arguments := 'p_waiting seqctl.pending[], p_max_rows bigint, p_now timestamptz, p_groups text[], p_periods date[], p_search_path text';
    result := 'bigint';
    settings := 'set search_path = pg_catalog, pg_temp set row_security = off set jit = off';
    body := seqctl._fill(
        $template$
declare
    v_target oid := (select a.target from seqctl.attachment a where a.id = <<id>>);
    v_chunk record;
    v_written bigint;
    v_path text := set_config('seqctl.writing', '1', true);
    v_version text := seqctl._write_version(<<write_function>>, v_target);
    v_count bigint := 0;
begin
    loop
        with released as materialized (
            select k.group_key, k.period, array_agg(k.number order by k.number) as numbers
            from seqctl.checkout k
            cross join lateral seqctl._table_numbers(<<series_id>>, k.group_key, k.period, k.number, k.number) t
            where k.series_id = <<series_id>> and k.stops and k.state = 'released' and t.row_count = 0
            group by k.group_key, k.period
        ),
        numbered as (
            select
                p.table_id, p.row_id, p.group_key, p.on_date, greatest(p.at, c.last_at) as at,
                -- Numbers that were released and wait to be given again come first.
                coalesce(r.numbers[p.position], c.last_number + p.position - coalesce(cardinality(r.numbers), 0)) as number
            from (
                select p.*, row_number() over (partition by p.group_key, p.period order by p.row_position) as position
                -- So many at a time, to bound memory.
                from seqctl._attachment_<<id>>_pending(p_waiting, least(100000, p_max_rows - v_count), p_now) p
            ) p
            join unnest(p_groups, p_periods) as l (group_key, period) on l.group_key = p.group_key and l.period = p.period
            join seqctl.counter c on c.series_id = <<series_id>> and c.group_key = p.group_key and c.period = p.period
            left join released r on r.group_key = p.group_key and r.period = p.period
        )
        select
            count(*) as row_count,
            max(n.number) as highest,
            array_agg(n.table_id) as tables,
            array_agg(n.row_id) as rows,
            array_agg(n.number) as numbers,
            array_agg(<<pending_document>>) as document_numbers,
            array_agg(n.at) as dates
        into v_chunk
        from numbered n;
        exit when v_chunk.row_count = 0;<<check_chunk>>
        -- The table's own triggers see the path of the session.
        v_path := set_config('search_path', p_search_path, true);
        v_written := <<write_call>>(
            seqctl._checked(v_target, <<write_function>>, v_version),
            v_chunk.tables, v_chunk.rows, v_chunk.numbers, v_chunk.document_numbers, v_chunk.dates,
            null::pg_catalog.text[], null::pg_catalog.int8, null::pg_catalog.text, null::pg_catalog.int4);
        v_path := pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        if v_written is distinct from v_chunk.row_count then
            perform seqctl._refuse_written(<<what>>, v_chunk.row_count, v_written);
        end if;
        v_count := v_count + v_written;
        exit when p_waiting is not null or v_count >= p_max_rows;
    end loop;
    return v_count;
end
$template$,
        p_values
    );
    return next;

    if v_commit then
        kind := 'run';
        arguments := 'p_waiting seqctl.pending[], p_search_path text';
        result := 'bigint';
        settings := 'set search_path = pg_catalog, pg_temp set jit = off';
        body := case when not p_values ? 'run_template' then E'\nbegin\n    return 0;\nend\n' else seqctl._fill(
            $template$
declare
    v_target oid;
    v_changes bigint;
    v_waiting seqctl.pending;
    v_first bigint;
    v_waits boolean;
    v_template text;
    v_text text := set_config('seqctl.writing', '1', true);
    v_version text;
    v_written bigint;
    v_count bigint := 0;
begin
    if not current_setting('track_counts')::boolean then
        return 0;
    elsif cardinality(p_waiting) > 20 then
        -- Many statements for one counter are quicker together: a transaction's own dead versions of a counter cannot be pruned.
        if cardinality(p_waiting) > (select count(distinct (p.group_key, p.period)) from unnest(p_waiting) p) then
            return 0;
        end if;
    end if;
    foreach v_waiting in array p_waiting loop
        continue when v_waiting.attachment_id <> <<id>>;
        if v_target is null then
            v_target := v_waiting.target;
            v_changes := pg_stat_get_xact_tuples_updated(v_target) + pg_stat_get_xact_tuples_deleted(v_target);
        end if;
        if (v_waiting.changes = v_changes and v_waiting.group_key is not null and v_waiting.period is not null) is not true then
            return 0;
        end if;
    end loop;
    v_version := seqctl._write_version(<<write_function>>, v_target);
    if v_version is null then
        -- Dropped.
        return 0;
    end if;
    foreach v_waiting in array p_waiting loop
        continue when v_waiting.attachment_id <> <<id>>;
        select c.last_number + 1 into v_first
        from seqctl.counter c
        where c.series_id = <<series_id>> and c.group_key = v_waiting.group_key and c.period = v_waiting.period and not c.stopped
        for no key update skip locked;
        if not found then
            perform seqctl._check_row(<<what>>, v_waiting.group_key, false, null);
            if v_count = 0 then
                perform seqctl._await_turn(<<series_id>>, v_waiting.group_key, v_waiting.period, null);
            end if;
            select l.last_number + 1, l.waits into v_first, v_waits
            from seqctl._lock_counter(<<series_id>>, v_waiting.group_key, v_waiting.period) l;
            if v_waits then
                -- Numbers wait to be given again: the long way knows them. This undoes what was written so far.
                raise sqlstate 'SQ013';
            end if;
        end if;
        v_template := <<run_template>>;<<check_run>>
        -- The table's own triggers see the path of the session.
        v_text := set_config('search_path', p_search_path, true);
        v_written := <<write_call>>(
            seqctl._checked(v_target, <<write_function>>, v_version),
            null::pg_catalog.oid[], null::pg_catalog.tid[], null::pg_catalog.int8[], null::pg_catalog.text[], null::pg_catalog.timestamp[],
            v_waiting.keys, v_first, v_template, <<run_width>>::pg_catalog.int4);
        v_text := pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        if v_written = 0 and v_count = 0 then
            -- Truncated.
            return 0;
        elsif v_written is distinct from v_waiting.row_count then
            perform seqctl._refuse_written(<<what>>, v_waiting.row_count, v_written);
        end if;
        v_count := v_count + v_written;
    end loop;
    return v_count;
end
$template$,
            p_values
        ) end;
        return next;
    end if;
end
$generator$;

comment on function seqctl._later_functions(jsonb, text, text) is
    'The texts of the functions of an attachment that numbers rows after their INSERT.';

revoke all on function seqctl._later_functions(jsonb, text, text) from public;
