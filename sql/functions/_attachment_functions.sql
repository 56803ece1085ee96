-- Writes the trigger functions of one attachment; and nothing else does. Column names and expressions are written out, so
-- that plans are cached and \sf shows what happens to a row.
--
--   number  BEFORE ROW: gives the number. The first row of a counter locks the counter's row; the rows after it go on from what the
--           transaction remembers (see _recall), without touching a table. That can be forged, and may be, because settle does
--           not trust it.
--   settle  AFTER STATEMENT: compares the rows that really landed with the counter and moves it. A hole or a duplicate cannot
--           get past it.
-- A partitioned table has two more:
--   late    AFTER ROW, for rows in partitions that have no settle trigger of their own yet;
--   move    BEFORE DELETE ROW: lets a row keep its number when an UPDATE moves it to another partition. One from before attach, without
--           a number, gets one there.
-- There, the functions of row triggers begin with <<own_table>>: nothing of the row may be looked at before.
-- Where issued rows are protected:
--   protect AFTER UPDATE ROW (BEFORE in a partitioned table): refuses what _frozen_expression says, and where all rows are numbered
--           in their INSERT, to give a row a number that has none;
--   keep    BEFORE DELETE ROW: refuses it. In a partitioned table AFTER, since a row that was moved elsewhere may go.
-- Where rows get their numbers later, or have had none since before attach, and protect does not do it:
--   refuse  BEFORE INSERT or AFTER UPDATE ROW: refuses a number that a statement brings.
-- What numbers rows after their INSERT is in _later_functions.
--
-- They run with the rights of seqctl's owner, under the caller's search_path: every row and statement would pay for setting and
-- resetting one (late, which is rare, does pin one). So every function, operator and type in them is named in full, and every
-- function of seqctl that they call pins its own. A test runs them with a search_path that shadows everything.
--
-- In plpgsql each expression is set up anew in every transaction, which is why number's first statement and settle's do so much
-- at once: it is the number of expressions that costs.
create or replace function seqctl._attachment_functions(p_attachment_id integer)
returns table (kind text, arguments text, result text, body text, settings text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $generator$
declare
    v_values jsonb := seqctl._attachment_values(p_attachment_id);
    v_take text;
    -- See _run_mark.
    v_run_mark text := $template$pg_catalog.int8shl(
                    pg_catalog.int8and(
                        pg_catalog.int8pl(pg_catalog.pg_stat_get_xact_tuples_deleted(tg_relid),
                            pg_catalog.pg_stat_get_xact_tuples_updated('seqctl.counter'::pg_catalog.regclass)), 8191), 50)$template$;
    v_one_row text := $template$
    -- One row is the common case.
    for v_number, v_group, v_period,<<into_at>> v_set in
        select <<settled_number>>, <<row_group>>, <<row_period>>,<<select_at>> pg_catalog.current_setting('seqctl.hot_<<series_id>>', true)
        from <<rows>> i<<numbered_rows>>
    loop
        v_runs := v_runs is null;
        exit when not v_runs;
    end loop;
    -- Rows of another table of the series may have the numbers after this one, and not be settled yet. Not so where the transaction
    -- remembers only the place of the counter, or that the next number is the one after this.<<at_rest>>
    if v_runs and v_number is not null and pg_catalog.starts_with(v_set, '(') and (pg_catalog.int4eq(pg_catalog.strpos(v_set, ' '), 0)<<or_next>>) then
        update seqctl.counter c
        set last_number = v_number<<set_at>>
        where c.ctid operator(pg_catalog.=) pg_catalog.split_part(v_set, E'\x01', 1)::pg_catalog.tid
            and c.series_id operator(pg_catalog.=) <<series_id>>
            and c.group_key operator(pg_catalog.=) v_group
            and c.period operator(pg_catalog.=) v_period
            and c.last_number operator(pg_catalog.=) (v_number operator(pg_catalog.-) 1)<<at_follows>><<only_new>>
            and not c.stopped
        returning pg_catalog.set_config('seqctl.hot_<<series_id>>', c.ctid::pg_catalog.text, true)
        into v_set;
        if v_set is not null then<<link>>
            return null;
        end if;
    end if;<<none>>$template$;
    v_landed text;
    v_has_one_run boolean;
    v_settle text;
    -- The document number of a finalized checkout is right, too.
    v_wrong text := $template$
            if exists (
                select
                from (select i.* from <<rows>> i<<issued_rows>>) i
                where not (<<right>>)<<not_checked_out>>
            ) then
                perform seqctl._refuse_wrong(<<what>>, <<series>>);
            end if;$template$;
begin
    if v_values is null then
        -- The table was dropped, or a column that it is attached by; verify says so.
        return;
    end if;

    v_values := v_values || jsonb_build_object(
        'run_mark', v_run_mark,
        -- What an error says. By the output function: the table's owner can give the column a type of his own, with a cast that would run here.
        'old_number', seqctl._fill('nullif(pg_catalog.format(''%s'', old.<<number>>), '''')::pg_catalog.int8', v_values),
        'new_number', seqctl._fill('nullif(pg_catalog.format(''%s'', new.<<number>>), '''')::pg_catalog.int8', v_values),
        -- Each row asks for it, and an oid takes long to write. Not the oid as it is now: it is another one in a restored database.
        'table', case when v_values ? 'partitioned' then 'tg_relid::pg_catalog.text' else quote_literal('#' || p_attachment_id) end,
        'limit_or_null', coalesce(v_values ->> 'limit', 'null'),
        'one_row', v_one_row,
        'at_rest', seqctl._fill(
            $template$
    if v_runs and pg_catalog.int4gt(pg_catalog.strpos(v_set, ' '), 0) then
        perform seqctl._rest(<<series_id>>);
        v_set := pg_catalog.current_setting('seqctl.hot_<<series_id>>', true);
    end if;$template$,
            v_values),
        'or_next', E'\n        or pg_catalog.texteq(pg_catalog.split_part(v_set, E''\\x01'', 3), pg_catalog.int8pl(v_number, 1)::pg_catalog.text)'
    );
    -- A unique index tells that no number is there twice; and there are neither dates nor a chain to look after.
    v_has_one_run := not v_values ?| '{partitioned,date_type,content}';

    v_take := $template$        select
            c.last_number operator(pg_catalog.+) 1,<<first_document>>
            pg_catalog.set_config(
                'seqctl.hot_<<series_id>>',
                pg_catalog.concat(
                    c.ctid, E'\x01', <<table>>, E'\x01',
                    pg_catalog.int8pl(pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid),
                        pg_catalog.int8shl(pg_catalog.int8pl(pg_catalog.pg_stat_get_xact_tuples_deleted(tg_relid),
                            pg_catalog.pg_stat_get_xact_tuples_updated('seqctl.counter'::pg_catalog.regclass)), 40))
                ),
                true
            )
        into new.<<number>>,<<into_document>> v_text
        from seqctl.counter c
        where <<by_row>>c.series_id operator(pg_catalog.=) <<series_id>>
            and c.group_key operator(pg_catalog.=) <<group>>
            and c.period operator(pg_catalog.=) <<period>>
            and not c.stopped<<below_limit>><<lock>>;
        if found then<<check_first_length>>
            return new;
        end if;$template$;
    v_values := v_values || jsonb_build_object(
        'take_if_free', seqctl._fill(v_take, v_values || jsonb_build_object('lock', E'\n        for no key update skip locked')),
        'take_by_key', seqctl._fill(v_take, v_values || jsonb_build_object('lock', E'\n        for no key update')),
        'take_by_row', seqctl._fill(
            v_take,
            v_values || jsonb_build_object('by_row', E'c.ctid operator(pg_catalog.=) v_hot::pg_catalog.tid\n            and ')
        )
    );

    arguments := '';
    result := 'trigger';
    kind := 'number';
    body := seqctl._fill(
        $template$
declare
    v_hot pg_catalog.text := coalesce(pg_catalog.current_setting('seqctl.hot_<<series_id>>', true), '');
    v_number pg_catalog.int8;
    v_counter pg_catalog.text;
    v_table pg_catalog.text;
    v_next pg_catalog.text;
    v_row_id pg_catalog.text;
    v_list pg_catalog.text;
    v_at pg_catalog.int4;
    v_text pg_catalog.text;<<declare_document>>
begin<<own_table>><<keep_moved>><<keep_draft>><<stamp>><<hot_again>>
    if pg_catalog.texteq(v_hot, '') and new.<<number>> is null<<no_document>>
    then
        -- The first row of the transaction: lock the counter.
<<take_if_free>>
        if seqctl._await_turn(<<series_id>>, <<group>>, <<period>>, <<limit_or_null>>) then
<<take_by_key>>
        end if;
        -- It was set before the lock was tried.
        v_text := pg_catalog.set_config('seqctl.hot_<<series_id>>', '', true);
    else
        v_number := case when new.<<number>> is null<<no_document>>
            and pg_catalog.texteq(pg_catalog.split_part(v_hot, E'\x01', 2),
                pg_catalog.textcat(pg_catalog.textcat(<<table>>, ' '), <<counter>>))
            then pg_catalog.int8xor(
                pg_catalog.int8pl(pg_catalog.split_part(v_hot, E'\x01', 3)::pg_catalog.int8,
                    pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid)),
                <<run_mark>>)
            end;
        if pg_catalog.int8eq(pg_catalog.int8shr(v_number, 50), 0) then
            -- The next row of the same counter.<<next_document>>
            new.<<number>> := v_number;
            return new;
        end if;

        v_number := null;
        v_counter := <<counter>>;
        v_text := pg_catalog.split_part(v_hot, E'\x01', 2);
        v_table := pg_catalog.split_part(v_text, ' ', 1);
        if pg_catalog.texteq(v_text, v_table) then
            if pg_catalog.texteq(v_text, '') and new.<<number>> is null<<no_document>> then
                -- The first row of another statement, most often of the same counter, which is locked.
<<take_by_row>>
            elsif pg_catalog.texteq(v_text, <<table>>) and new.<<number>> is null<<no_document>> then
                -- The second row of a statement, most often of the same counter: see _rest and _hold.
                select
                    c.last_number operator(pg_catalog.+) 1 operator(pg_catalog.+) t.landed,
                    pg_catalog.set_config(
                        'seqctl.hot_<<series_id>>',
                        pg_catalog.concat(
                            c.ctid, E'\x01', <<table>>, ' ', v_counter, E'\x01',
                            pg_catalog.int8mi(
                                pg_catalog.int8xor(c.last_number operator(pg_catalog.+) 1 operator(pg_catalog.+) t.landed, <<run_mark>>),
                                pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid))
                        ),
                        true
                    )
                into v_number, v_text
                from (
                    select pg_catalog.int8mi(
                        pg_catalog.int8pl(pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid),
                            pg_catalog.int8shl(pg_catalog.int8pl(pg_catalog.pg_stat_get_xact_tuples_deleted(tg_relid),
                                pg_catalog.pg_stat_get_xact_tuples_updated('seqctl.counter'::pg_catalog.regclass)), 40)),
                        pg_catalog.split_part(v_hot, E'\x01', 3)::pg_catalog.int8) as landed
                ) t, seqctl.counter c
                where c.ctid operator(pg_catalog.=) pg_catalog.split_part(v_hot, E'\x01', 1)::pg_catalog.tid
                    and c.series_id operator(pg_catalog.=) <<series_id>>
                    and c.group_key operator(pg_catalog.=) <<group>>
                    and c.period operator(pg_catalog.=) <<period>>
                    and pg_catalog.strpos(c.group_key, E'\x01') operator(pg_catalog.=) 0
                    and not c.stopped
                    and t.landed operator(pg_catalog.>=) 0
                    and t.landed operator(pg_catalog.<=) 1
                    and pg_catalog.current_setting('track_counts')::pg_catalog.bool;
            end if;
        elsif pg_catalog.int4eq(pg_catalog.strpos(v_counter, E'\x01'), 0)
            and (pg_catalog.texteq(v_table, <<table>>) or pg_catalog.texteq(v_table, '0'))
        then
            -- Another counter, or the first row of a statement: where did the last one end?
            v_next := pg_catalog.split_part(v_hot, E'\x01', 3);
            v_text := pg_catalog.substr(v_text, pg_catalog.int4pl(pg_catalog.length(v_table), 2));
            if not pg_catalog.texteq(v_table, '0') then
                v_next := pg_catalog.int8xor(
                    pg_catalog.int8pl(v_next::pg_catalog.int8, pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid)), <<run_mark>>)::pg_catalog.text;
            end if;
            if pg_catalog.int4gt(pg_catalog.length(v_next), 15) then
                -- The marks differ.
                v_next := '?';
            elsif pg_catalog.texteq(v_text, v_counter) then
                v_list := null;
                v_row_id := pg_catalog.split_part(v_hot, E'\x01', 1);
            else
                if not pg_catalog.texteq(v_next, pg_catalog.split_part(v_hot, E'\x01', 4)) then
                    -- It joins the others, which have it already if no more than one row took its number.
                    v_table := pg_catalog.textcat('seqctl.held_<<series_id>>_',
                        pg_catalog.int4and(pg_catalog.hashtext(v_text), 1023)::pg_catalog.text);
                    v_list := coalesce(pg_catalog.current_setting(v_table, true), '');
                    v_text := pg_catalog.textcat(pg_catalog.textcat(E'\x01', v_text), E'\x01');
                    v_next := pg_catalog.textcat(pg_catalog.textcat(v_text, v_next),
                        pg_catalog.textcat(' ', pg_catalog.split_part(v_hot, E'\x01', 1)));
                    v_at := pg_catalog.strpos(v_list, v_text);
                    if pg_catalog.int4gt(v_at, 0) then
                        v_text := pg_catalog.substr(v_list, pg_catalog.int4pl(v_at, pg_catalog.length(v_text)));
                        v_list := pg_catalog.textcat(pg_catalog.left(v_list, pg_catalog.int4mi(v_at, 1)),
                            pg_catalog.substr(v_text, pg_catalog.int4pl(pg_catalog.length(pg_catalog.split_part(v_text, E'\x01', 1)), 1)));
                    end if;
                    v_text := pg_catalog.set_config(v_table, pg_catalog.textcat(v_list, v_next), true);
                end if;
                -- The one that is wanted is looked up among the others.
                v_table := pg_catalog.textcat('seqctl.held_<<series_id>>_',
                    pg_catalog.int4and(pg_catalog.hashtext(v_counter), 1023)::pg_catalog.text);
                v_list := pg_catalog.current_setting(v_table, true);
                v_at := pg_catalog.strpos(v_list, pg_catalog.textcat(pg_catalog.textcat(E'\x01', v_counter), E'\x01'));
                v_next := '?';
                if pg_catalog.int4gt(v_at, 0) then
                    v_at := pg_catalog.int4pl(v_at, pg_catalog.int4pl(pg_catalog.length(v_counter), 2));
                    v_text := pg_catalog.split_part(pg_catalog.substr(v_list, v_at), E'\x01', 1);
                    v_next := pg_catalog.split_part(v_text, ' ', 1);
                    v_row_id := pg_catalog.split_part(v_text, ' ', 2);
                end if;
            end if;
            if not pg_catalog.texteq(v_next, '?') then
                v_number := v_next;
                if v_list is null then
                    v_text := '';
                else
                    -- Most often the row lands and the next one is another counter's: note the number after it already.
                    v_text := pg_catalog.int8inc(v_number)::pg_catalog.text;
                    v_list := pg_catalog.set_config(
                        v_table, pg_catalog.overlay(v_list, v_text, v_at, pg_catalog.length(v_next)), true);
                end if;
                v_text := pg_catalog.set_config('seqctl.hot_<<series_id>>',
                    pg_catalog.textcat(
                        pg_catalog.textcat(pg_catalog.textcat(v_row_id, E'\x01'),
                            pg_catalog.textcat(pg_catalog.textcat(<<table>>, ' '), v_counter)),
                        pg_catalog.textcat(
                            pg_catalog.textcat(E'\x01',
                                pg_catalog.int8mi(pg_catalog.int8xor(v_number, <<run_mark>>),
                                    pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid))::pg_catalog.text),
                            pg_catalog.textcat(E'\x01', v_text))),
                    true);
            end if;
        end if;
    end if;

    if v_number is null or not pg_catalog.int8eq(new.<<number>>, v_number) then
        -- The first number of the period, a counter new to this transaction, a number that was checked out, or a row that may not pass.
        v_number := seqctl._start_run(
            <<series_id>>, <<what>>, <<group>>, <<needs_date>>, <<date>>, <<period>>, tg_relid, <<table>>, new.<<number>>);<<finalized_document>>
    end if;<<check_limit>><<set_document>>
    new.<<number>> := v_number;
    return new;
end
$template$,
        v_values || jsonb_build_object('hot_again', case when v_values ? 'stamp' then seqctl._fill(
            E'\n    v_hot := coalesce(pg_catalog.current_setting(''seqctl.hot_<<series_id>>'', true), '''');', v_values) end)
    );
    settings := '';
    if v_values ->> 'assign' = 'insert' then
        return next;
    end if;

    v_settle := $template$
declare
    v_number pg_catalog.int8;
    v_group pg_catalog.text;
    v_period pg_catalog.date;
    v_landed pg_catalog.record;
    v_rows pg_catalog.refcursor;
    v_few pg_catalog.bool;
    v_counter pg_catalog.text;
    v_set pg_catalog.text;
    v_last pg_catalog.text;
    v_next pg_catalog.text;
    v_runs pg_catalog.bool;<<declare_at>><<declare_new>>
begin<<own_partition>><<at_once>>
    v_set := pg_catalog.current_setting('seqctl.hot_<<series_id>>', true);
    v_runs := coalesce(pg_catalog.starts_with(pg_catalog.split_part(v_set, E'\x01', 2), pg_catalog.textcat(<<table>>, ' ')), false);
    if not v_runs then
        perform seqctl._rest(<<series_id>>);
        v_set := pg_catalog.current_setting('seqctl.hot_<<series_id>>', true);
    end if;
    v_last := pg_catalog.split_part(v_set, E'\x01', 2);
    v_last := pg_catalog.substr(v_last, pg_catalog.int4pl(pg_catalog.strpos(v_last, ' '), 1));
    v_next := pg_catalog.split_part(v_set, E'\x01', 3);
    if v_runs then
        v_next := case when pg_catalog.current_setting('track_counts')::pg_catalog.bool then pg_catalog.int8xor(
            pg_catalog.int8pl(v_next::pg_catalog.int8, pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid)), <<run_mark>>)::pg_catalog.text
            else '?' end;
    end if;<<one_run>>
    select pg_catalog.count(*) operator(pg_catalog.<) 100 into v_few from (select from <<rows>> limit 100) i;
    -- Of many rows the plan is made for each statement. The one that is kept was made for few, and would compare each counter with all others.
    if v_few then
        open v_rows for <<landed>>;
    else
        open v_rows for execute <<landed_text>><<using>>;
    end if;
    loop
        fetch v_rows into v_landed;
        exit when not found;
        v_counter := <<landed_counter>>;<<count_landed>>
        if v_landed.row_id is null then
            perform seqctl._rest(<<series_id>>);
            v_runs := false;
            v_number := seqctl._settle_odd(<<series_id>>, v_landed.group_key, v_landed.period, v_landed.low, v_landed.high);
            if v_number is not null then
                perform seqctl._settle_given(
                    <<series_id>>, v_landed.group_key, v_landed.period, v_number,
                    pg_catalog.array_agg(i.<<number>>::pg_catalog.int8)<<given_documents>>)
                from <<rows>> i
                where i.<<number>> operator(pg_catalog.<) v_number
                    and v_landed.group_key operator(pg_catalog.=) <<row_group>>
                    and v_landed.period operator(pg_catalog.=) <<row_period>>;
            end if;
        elsif pg_catalog.texteq(v_last, v_counter) then
            v_runs := false;
            -- Another table of the series may have rows that take the numbers after these, but are not settled yet.
            v_set := pg_catalog.set_config('seqctl.hot_<<series_id>>',
                pg_catalog.concat(v_landed.row_id, E'\x01', '0 ', v_counter, E'\x01',
                    case when pg_catalog.texteq(v_next, '?') or pg_catalog.int8gt(v_next::pg_catalog.int8, pg_catalog.int8pl(v_landed.high, 1))
                        then '?' else pg_catalog.int8pl(v_landed.high, 1)::pg_catalog.text end), true);
        elsif pg_catalog.int4eq(pg_catalog.strpos(v_landed.group_key, E'\x01'), 0) then
            if pg_catalog.texteq(coalesce(v_set, ''), '') then
                -- Where none is the last used, nothing may be remembered: settle_update, of one row, goes by that.
                v_set := pg_catalog.set_config('seqctl.hot_<<series_id>>', '(0,0)', true);
            end if;
            perform seqctl._remember(
                <<series_id>>, v_counter, pg_catalog.int8pl(v_landed.high, 1)::pg_catalog.text, v_landed.row_id::pg_catalog.text, true);
        end if;
    end loop;
    close v_rows;<<check_rest>>
    if v_runs then
        -- No row of the run's counter landed.
        perform seqctl._rest(<<series_id>>);
    end if;
    return null;
end
$template$;

    if v_values ->> 'assign' = 'insert' then
        kind := 'settle';
        v_landed := seqctl._landed_query(v_values || jsonb_build_object(
            'rows', 'seqctl_inserted',
            'links', seqctl._chain_rows(v_values, 'seqctl_inserted', v_values ->> 'issued_rows'),
            -- A number trigger lets a row in with its number that claims to be moved from another partition.
            'landed_wrong', seqctl._fill(
                E'\n                pg_catalog.count(*) operator(pg_catalog.-) pg_catalog.count(i.<<number>>)' || case when v_values ? 'partitioned'
                    then ' filter (where <<right_document>>)' else '' end || ' as wrong_count,',
                v_values),
            'select_count', ', l.wrong_count'
        ));
        body := seqctl._fill(v_settle, v_values || jsonb_build_object(
            'rows', 'seqctl_inserted',
            'declare_new', case when v_has_one_run then E'\n    v_high pg_catalog.int8;\n    v_text pg_catalog.text;' end,
            'one_run', case when v_has_one_run then seqctl._fill(
                $template$
    if v_runs and pg_catalog.texteq(pg_catalog.split_part(v_set, E'\x01', 4), '') then
        -- Rows of one counter are the next common case. Between two days of one period there is no day of another.
        select pg_catalog.min(i.number), pg_catalog.max(i.number), pg_catalog.min(i.group_key), <<first_period>>
        into v_number, v_high, v_group, v_period
        from (
            select i.<<number>> as number, <<row_group>> collate pg_catalog."C" as group_key, <<row_day>> as day
            from seqctl_inserted i<<issued_rows>>
        ) i
        having pg_catalog.count(*) operator(pg_catalog.=) pg_catalog.count(i.number)
            and pg_catalog.count(*) operator(pg_catalog.=) (pg_catalog.max(i.number) operator(pg_catalog.-) pg_catalog.min(i.number) operator(pg_catalog.+) 1)
            and pg_catalog.count(*) operator(pg_catalog.=) pg_catalog.count(i.group_key)
            and pg_catalog.count(*) operator(pg_catalog.=) pg_catalog.count(i.day)
            and pg_catalog.texteq(pg_catalog.min(i.group_key), pg_catalog.max(i.group_key))
            and pg_catalog.date_eq(<<first_period>>, <<last_period>>)
            -- Else another table of the series may have rows that take the numbers after these, but are not settled yet.
            and pg_catalog.texteq((pg_catalog.max(i.number)::pg_catalog.int8 operator(pg_catalog.+) 1)::pg_catalog.text, v_next);
        if v_number is not null then
            update seqctl.counter c
            set last_number = v_high
            where c.ctid operator(pg_catalog.=) pg_catalog.split_part(v_set, E'\x01', 1)::pg_catalog.tid
                and c.series_id operator(pg_catalog.=) <<series_id>>
                and c.group_key operator(pg_catalog.=) v_group
                and c.period operator(pg_catalog.=) v_period
                and c.last_number operator(pg_catalog.=) (v_number operator(pg_catalog.-) 1)
                and not c.stopped
            returning pg_catalog.set_config('seqctl.hot_<<series_id>>', c.ctid::pg_catalog.text, true)
            into v_text;
            if v_text is not null then
                return null;
            end if;
        end if;
    end if;$template$,
                v_values) end,
            'landed', v_landed,
            'landed_text', quote_literal(v_landed),
            'count_landed', seqctl._fill(
                $template$
        if pg_catalog.int8gt(v_landed.wrong_count, 0) then<<refuse>>
        end if;$template$,
                jsonb_build_object('refuse', seqctl._fill(
                    -- Another trigger took its number away.
                    case when v_values ? 'partitioned' then v_wrong || $template$
            if exists (select from seqctl_inserted i where i.<<number>> is null) then
                perform seqctl._refuse_unnumbered(<<series_id>>, v_landed.group_key);
            end if;$template$
                    else E'\n            perform seqctl._refuse_unnumbered(<<series_id>>, v_landed.group_key);' end,
                    v_values || jsonb_build_object('rows', 'seqctl_inserted', 'right', v_values ->> 'right_document')))
            ),
            'at_once', case when v_has_one_run then seqctl._fill(
                $template$
    -- One row is the common case. After a second one the note mostly has a blank in it (see _recall): no need to look at the rows
    -- then. An array, because a subquery as a value must not find two rows.
    update seqctl.counter c
    set last_number = c.last_number operator(pg_catalog.+) 1
    where c.ctid operator(pg_catalog.=) greatest(
            pg_catalog.split_part(pg_catalog.current_setting('seqctl.hot_<<series_id>>', true), E'\x01', 1) collate pg_catalog."C", '(0,0)'
        )::pg_catalog.tid
        and c.series_id operator(pg_catalog.=) <<series_id>>
        and not c.stopped
        and case when pg_catalog.int4eq(pg_catalog.strpos(pg_catalog.current_setting('seqctl.hot_<<series_id>>', true), ' '), 0)
            then pg_catalog.array_eq(
                array(
                    select i.<<number>> operator(pg_catalog.=) (c.last_number operator(pg_catalog.+) 1)
                        and c.group_key operator(pg_catalog.=) <<row_group>>
                        and c.period operator(pg_catalog.=) <<row_period>>
                    from seqctl_inserted i<<issued_rows>>
                ),
                '{t}'::pg_catalog.bool[]
            )
        end
    returning pg_catalog.set_config('seqctl.hot_<<series_id>>', c.ctid::pg_catalog.text, true)
    into v_set;
    if found then
        return null;
    end if;
    perform from seqctl_inserted i<<issued_rows>> limit 1;
    if not found then
        -- No number landed.
        perform seqctl._rest(<<series_id>>);
        return null;
    end if;$template$,
                v_values)
            else seqctl._fill(v_values ->> 'one_row', v_values || jsonb_build_object(
                'rows', 'seqctl_inserted',
                'numbered_rows', v_values ->> 'issued_rows',
                'none', seqctl._fill(
                    $template$
    if v_runs is null then
        -- No number landed.
        perform seqctl._rest(<<series_id>>);
        return null;
    end if;$template$,
                    v_values),
                'settled_number', case when v_values ? 'partitioned'
                    then seqctl._fill('case when <<right_document>> then i.<<number>> end', v_values)
                    else seqctl._fill('i.<<number>>', v_values) end,
                'link', seqctl._chain_row(v_values, 'seqctl_inserted'))) end
        ));
        settings := '';
        return next;
    end if;

    if v_values ? 'partitioned' or v_values ->> 'assign' <> 'insert' or not v_values ?| '{later,protect}' then
        kind := 'refuse';
        body := seqctl._fill(
            $template$
begin<<own_table>><<keep_issued>>
    perform seqctl._refuse_brought(<<id>>, tg_op, <<what>>, <<new_number>>);
    return null;
end
$template$,
            v_values || jsonb_build_object('keep_issued', case when v_values ? 'partitioned' then seqctl._fill(
                $template$
    if tg_op = 'INSERT' and new.<<number>> is not null and seqctl._is_moving(<<id>>, new.<<number>>) then
        -- An UPDATE moves the row here from another partition.
        return new;
    end if;$template$,
                v_values) end)
        );
        settings := 'set search_path = pg_catalog, pg_temp';
        return next;
    end if;
    if v_values ? 'partitioned' then
        kind := 'move';
        body := seqctl._fill(
            $template$
declare
    v_text pg_catalog.text;
begin<<own_table>>
    v_text := pg_catalog.set_config('seqctl.moving_<<id>>',
        pg_catalog.concat(<<moved_number>>, ' ', tg_relid, ' ', pg_catalog.pg_stat_get_xact_tuples_deleted(tg_relid)), true);<<leave>>
    return old;
end
$template$,
            v_values
        );
        settings := '';
        return next;
        kind := 'late';
        body := seqctl._fill(
            $template$
declare
    v_group text;
    v_period date;
    v_checked_out boolean;
    v_checkout_document text;
    v_times bigint;
begin<<own_table>>
    v_group := <<group>>;
    v_period := <<period>>;<<late_draft>>
    if new.<<number>> is null then
        perform seqctl._refuse_unnumbered(<<series_id>>, v_group);
    end if;
    perform seqctl._rest(<<series_id>>);
    -- Locked before anything is counted: others who store the number wait, or are seen.
    select k.state = 'open' or k.awaited or k.stops, case when k.awaited then k.document_number end into v_checked_out, v_checkout_document
    from seqctl.checkout k
    where k.series_id = <<series_id>> and k.group_key = v_group and k.period = v_period and k.number = new.<<number>>
        and (k.state <> 'released' or k.stops)
    for no key update;
    -- In all tables of the series.
    select t.row_count into v_times
    from seqctl._table_numbers(<<series_id>>, v_group, v_period, new.<<number>>, new.<<number>>) t;
    if v_times <> 1 then
        perform seqctl._refuse_duplicate(<<what>>, new.<<number>>);
    end if;
    if not (<<right_new>>)
        and (
            v_checked_out
            or not exists (
                select
                from seqctl.counter c
                where c.series_id = <<series_id>> and c.group_key = v_group and c.period = v_period and c.last_number >= new.<<number>>
            )
        )
    then
        -- A row that claimed to be moved here, but is new.
        perform seqctl._refuse_wrong(<<what>>, <<series>>);
    end if;
    perform seqctl._settle_late(<<id>>, v_group, v_period, new.<<number>>);
    return null;
end
$template$,
            v_values
        );
        settings := 'set search_path = pg_catalog, pg_temp set row_security = off' || coalesce(v_values ->> 'key_settings', '');
        return next;
    end if;

    if v_values ? 'protect' then
        kind := 'protect';
        body := seqctl._fill(
            $template$
begin<<own_table>><<unnumbered>>
    if (<<frozen>>) then
        perform seqctl._refuse_change(
            <<what>>, <<old_number>>, <<frozen_what>>);
    end if;
    return new;
end
$template$,
            jsonb_build_object('frozen_what', '''number, document number, group, period and being issued stay as they are''')
                || v_values
                || jsonb_build_object(
                    'frozen', seqctl._frozen_expression(p_attachment_id),
                    'unnumbered', case when not v_values ?| '{partitioned,later}' then seqctl._fill(
                        $template$
    if old.<<number>> is null then
        if new.<<number>> is not null<<or_document>> then
            perform seqctl._refuse_brought(<<id>>, tg_op, <<what>>, <<new_number>>);
        end if;
        return new;
    end if;$template$,
                        v_values || jsonb_build_object('or_document', v_values -> 'brings_document')) end
                )
        );
        settings := 'set search_path = pg_catalog, pg_temp';
        return next;
    end if;
    if v_values ? 'protect' then
        kind := 'keep';
        body := seqctl._fill(
            case when v_values ? 'partitioned' then $template$
declare
    v_times bigint;
begin<<own_table>>
    -- An UPDATE that moves a row deletes it here and has inserted it elsewhere.
    select t.row_count into v_times
    from seqctl._table_numbers(<<series_id>>, <<old_group>>, <<old_period>>, <<old_number>>, <<old_number>>) t;
    if v_times = 0 then
        perform seqctl._refuse_change(<<what>>, <<old_number>>, 'its row cannot be deleted');
    end if;
    return null;
end
$template$ else $template$
begin
    if old.<<number>> is not null then
        perform seqctl._refuse_change(<<what>>, <<old_number>>, 'its row cannot be deleted');
    end if;
    return old;
end
$template$ end,
            v_values
        );
        settings := 'set search_path = pg_catalog, pg_temp' || case when v_values ? 'partitioned' then ' set row_security = off' else '' end;
        return next;
    end if;

    if v_values ? 'later' then
        return query select f.* from seqctl._later_functions(v_values, v_settle, v_wrong) f;
    end if;
end
$generator$;

comment on function seqctl._attachment_functions(integer) is
    'The texts of the trigger functions of an attachment; verify compares them with what is there.';

revoke all on function seqctl._attachment_functions(integer) from public;
