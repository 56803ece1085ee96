-- Writes the trigger functions of one attachment; the only place that does. Column names and expressions are written out,
-- so that plans are cached and \sf shows what happens to a row.
--
-- A row passes up to three triggers:
--   continue  BEFORE ROW, rights of the caller: the next row of an open run, without touching a table. It trusts settings that
--             any session can forge, and may, because settle does not. Everything in it is qualified; a pinned search_path
--             would cost more than all the rest of it.
--   start     BEFORE ROW, rights of the owner, only where continue left the number NULL: locks the counter, opens a run.
--   settle    AFTER STATEMENT, rights of the owner: compares the rows that really landed with the counter and moves it. A hole or
--             a duplicate cannot get past it.
-- A partitioned table has two more: late (AFTER ROW, for rows in partitions that have no settle trigger of their own yet) and
-- move (BEFORE DELETE ROW: lets a row keep its number when an UPDATE moves it to another partition).
create or replace function seqctl._generate_attachment(p_attachment_id integer)
returns void
language plpgsql
volatile
as $generator$
declare
    v_attachment seqctl.attachment;
    v_series seqctl.series;
    v_partitioned boolean;
    v_number_type oid;
    v_date_type oid;
    v_date_new text := 'null';
    v_date_row text := 'null';
    v_limit bigint;
    v_values jsonb;
    v_document text;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    select s.* into strict v_series from seqctl.series s where s.id = v_attachment.series_id;
    select c.relkind = 'p' into v_partitioned from pg_class c where c.oid = v_attachment.target;
    if not found then
        -- The table was dropped; its trigger functions have nothing to serve. verify says so.
        return;
    end if;

    select a.atttypid into v_number_type
    from pg_attribute a
    where a.attrelid = v_attachment.target and a.attname = v_attachment.number_column;
    if v_attachment.date_column is not null then
        select seqctl._base_type(a.atttypid) into v_date_type
        from pg_attribute a
        where a.attrelid = v_attachment.target and a.attname = v_attachment.date_column;
        v_date_new := seqctl._date_expression(format('new.%I', v_attachment.date_column), v_date_type, v_series.time_zone);
        v_date_row := seqctl._date_expression(format('i.%I', v_attachment.date_column), v_date_type, v_series.time_zone);
    end if;
    v_limit := least(v_series.max_number, case when v_number_type = 'integer'::regtype then 2147483647 end);

    v_values := jsonb_build_object(
        'id', p_attachment_id,
        'series_id', v_series.id,
        'series', quote_literal(v_series.name),
        'target', quote_literal(v_attachment.target::text),
        'what', quote_literal(format('%s.%I', v_attachment.target, v_attachment.number_column)),
        'number', quote_ident(v_attachment.number_column),
        'group', seqctl._group_expression('new.', v_attachment.target, v_attachment.group_columns),
        'row_group', seqctl._group_expression('i.', v_attachment.target, v_attachment.group_columns),
        'date', v_date_new,
        'needs_date', v_series.reset <> 'never' or seqctl._format_needs_date(v_series.format),
        'period', seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, 'v_date'),
        'row_period', seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, v_date_row),
        'limit', coalesce(v_limit::text, 'null'),
        'within_limit', case when v_limit is not null then format(E'\n            and pg_catalog.int8le(v_number, %s)', v_limit) end,
        'document_column', quote_ident(v_attachment.document_number_column),
        'max_length', v_series.max_length
    );

    if v_attachment.document_number_column is not null then
        v_document := seqctl._document_number_expression(
            v_series.format, v_series.fiscal_year_start, 'v_number', 'v_date', 'v_group');
        v_values := v_values || jsonb_build_object(
            'document_type', E'\n    v_document_number pg_catalog.text;',
            -- A document number that continue cannot accept is left to start, which may say why.
            'continue_document', E'\n            v_document_number := ' || v_document || ';',
            'document_fits', seqctl._fill(
                $template$
                (new.<<document_column>> is null or pg_catalog.texteq(new.<<document_column>>::pg_catalog.text, v_document_number))<<length>>$template$,
                v_values || jsonb_build_object(
                    'length',
                    case when v_series.max_length is not null then
                        format(E'\n                and pg_catalog.int4le(pg_catalog.length(v_document_number), %s)', v_series.max_length)
                    end
                )
            ),
            'set_document', format(E'\n                new.%I := v_document_number;', v_attachment.document_number_column),
            'start_document', seqctl._fill(
                $template$
    v_document_number := <<document>>;
    if length(v_document_number) > <<max_length>> then
        perform seqctl._refuse_length(<<series>>, v_document_number, <<max_length>>);
    end if;
    if new.<<document_column>> <> v_document_number then
        raise exception using
            errcode = 'SQ012',
            message = format(
                'document number %L of %s is not the next one of series %L: %L',
                new.<<document_column>>, <<target>>, <<series>>, v_document_number
            ),
            detail = 'seqctl gives the document numbers of this table. No number was used.',
            hint = 'Leave the document number out of the INSERT.';
    end if;
    new.<<document_column>> := v_document_number;$template$,
                v_values || jsonb_build_object('document', v_document, 'max_length', coalesce(v_series.max_length::text, 'null'))
            )
        );
    end if;

    if v_partitioned then
        v_values := v_values || jsonb_build_object('moved', seqctl._fill(
            $template$
    if pg_catalog.texteq(pg_catalog.current_setting('seqctl.moving_<<id>>', true), new.<<number>>::pg_catalog.text) then
        -- An UPDATE moves the row here from another partition.
        v_set := pg_catalog.set_config('seqctl.moving_<<id>>', '', true);
        return new;
    end if;$template$,
            v_values
        ));
    end if;

    perform seqctl._create_trigger_function(p_attachment_id, 'continue', false, seqctl._fill(
        $template$
declare
    v_group pg_catalog.text := <<group>>;
    v_date pg_catalog.date := <<date>>;
    v_inserted pg_catalog.int8 := pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid);
    v_number pg_catalog.int8;
    v_step pg_catalog.int8;
    v_set pg_catalog.text;<<document_type>>
begin<<moved>>
    if pg_catalog.texteq(
        pg_catalog.current_setting('seqctl.run_<<series_id>>', true),
        pg_catalog.concat(tg_relid, ' ', pg_catalog.pg_stat_get_xact_tuples_deleted(tg_relid), ' ', <<period>>, ' ', v_group)
    ) then
        v_step := pg_catalog.int8mi(v_inserted, pg_catalog.current_setting('seqctl.at_<<series_id>>')::pg_catalog.int8);
        v_number := pg_catalog.int8pl(v_inserted, pg_catalog.current_setting('seqctl.base_<<series_id>>')::pg_catalog.int8);
        if (pg_catalog.int8eq(v_step, 1) or pg_catalog.int8eq(v_step, 0))
            and (new.<<number>> is null or pg_catalog.int8eq(new.<<number>>, v_number))<<within_limit>>
        then<<continue_document>>
<<accept>>
        end if;
    end if;
    if new.<<number>> is not null then
        v_set := pg_catalog.set_config('seqctl.explicit_<<id>>', new.<<number>>::pg_catalog.text, true);
        new.<<number>> := null;
    end if;
    return new;
end
$template$,
        v_values || jsonb_build_object('accept', seqctl._fill(
            case when v_document is null then $template$            v_set := pg_catalog.set_config('seqctl.at_<<series_id>>', v_inserted::pg_catalog.text, true);
            new.<<number>> := v_number;
            return new;$template$
            else $template$            if<<document_fits>>
            then
                v_set := pg_catalog.set_config('seqctl.at_<<series_id>>', v_inserted::pg_catalog.text, true);
                new.<<number>> := v_number;<<set_document>>
                return new;
            end if;$template$
            end,
            v_values
        ))
    ));

    perform seqctl._create_trigger_function(p_attachment_id, 'start', true, seqctl._fill(
        $template$
declare
    v_group text := <<group>>;
    v_date date := <<date>>;
    v_explicit text := current_setting('seqctl.explicit_<<id>>', true);
    v_number bigint;<<document_type>>
begin
    perform seqctl._check_row(<<what>>, v_group, <<needs_date>>, v_date);
    v_number := seqctl._start_run(<<series_id>>, v_group, <<period>>, tg_relid);
    if v_explicit <> '' then
        perform set_config('seqctl.explicit_<<id>>', '', true);
        if v_explicit <> v_number::text then
            raise exception using
                errcode = 'SQ012',
                message = format('number %s of %s is not the next one of series %L: %s', v_explicit, <<target>>, <<series>>, v_number),
                detail = 'seqctl gives the numbers of this table. No number was used.',
                hint = 'Leave the number out of the INSERT.';
        end if;
    end if;
    if v_number > <<limit>> then
        perform seqctl._refuse_number(<<series>>, v_number, <<limit>>);
    end if;<<start_document>>
    new.<<number>> := v_number;
    return new;
end
$template$,
        v_values
    ));

    perform seqctl._create_trigger_function(p_attachment_id, 'settle', true, seqctl._fill(
        $template$
declare
    v_counter text := seqctl._close_run(<<series_id>>);
    v_period date;
    v_group text;
    v_row_id tid;
    v_high bigint;
    v_odd record;
begin
    if v_counter is not null then
        -- The statement ended in a run: most often all its rows are of this one counter.
        v_period := split_part(v_counter, ' ', 1)::date;
        v_group := substr(v_counter, strpos(v_counter, ' ') + 1);
        v_row_id := nullif(split_part(seqctl._recall(<<series_id>>, v_counter), '@', 2), '')::tid;
        update seqctl.counter c
        set last_number = l.high
        from (
            select
                count(*) as row_count,
                count(distinct i.<<number>>) as distinct_count,
                count(*) filter (where <<row_group>> = v_group and <<row_period>> = v_period) as same_count,
                min(i.<<number>>) as low,
                max(i.<<number>>) as high
            from seqctl_inserted i
        ) l
        where c.ctid = v_row_id
            and c.series_id = <<series_id>>
            and c.group_key = v_group
            and c.period = v_period
            and c.last_number = l.low - 1
            and l.row_count = l.high - l.low + 1
            and l.row_count = l.distinct_count
            and l.row_count = l.same_count
        returning c.ctid, c.last_number into v_row_id, v_high;
        if found then
            perform seqctl._remember(<<series_id>>, v_counter, (v_high + 1) || '@' || v_row_id::text);
            return null;
        end if;
    end if;

    for v_odd in
        with landed as materialized (
            select
                <<row_group>> as group_key,
                <<row_period>> as period,
                count(*) as row_count,
                count(distinct i.<<number>>) as distinct_count,
                min(i.<<number>>) as low,
                max(i.<<number>>) as high
            from seqctl_inserted i
            group by 1, 2
        ),
        settled as (
            update seqctl.counter c
            set last_number = l.high
            from landed l
            where c.series_id = <<series_id>>
                and c.group_key = l.group_key
                and c.period = l.period
                and c.last_number = l.low - 1
                and l.row_count = l.high - l.low + 1
                and l.row_count = l.distinct_count
            returning c.group_key, c.period
        )
        select l.*
        from landed l
        where not exists (select from settled s where s.group_key = l.group_key and s.period = l.period)
        order by l.group_key collate "C", l.period
    loop
        perform seqctl._settle_odd(<<series_id>>, v_odd.group_key, v_odd.period, v_odd.low, v_odd.high);
    end loop;
    return null;
end
$template$,
        v_values
    ));

    if v_partitioned then
        perform seqctl._create_trigger_function(p_attachment_id, 'move', false, seqctl._fill(
            $template$
declare
    v_set pg_catalog.text;
begin
    v_set := pg_catalog.set_config('seqctl.moving_<<id>>', old.<<number>>::pg_catalog.text, true);
    return old;
end
$template$,
            v_values
        ));
        perform seqctl._create_trigger_function(p_attachment_id, 'late', true, seqctl._fill(
            $template$
declare
    v_group text := <<group>>;
    v_date date := <<date>>;
begin
    perform seqctl._close_run(<<series_id>>);
    perform seqctl._settle_late(<<id>>, v_group, <<period>>, new.<<number>>);
    return null;
end
$template$,
            v_values
        ));
    end if;
end
$generator$;

comment on function seqctl._generate_attachment(integer) is 'Writes the trigger functions of an attachment.';

revoke all on function seqctl._generate_attachment(integer) from public;
