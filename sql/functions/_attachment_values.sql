-- What the templates of an attachment's functions are filled with: names, and expressions over a row's columns. Everything is
-- written in full, because most of those functions run under the caller's search_path.
create or replace function seqctl._attachment_values(p_attachment_id integer)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $generator$
declare
    v_attachment seqctl.attachment;
    v_series seqctl.series;
    v_partitioned boolean;
    v_number_type oid;
    v_date_type regtype;
    v_date_new text := 'null';
    v_date_row text := 'null';
    v_group_new text;
    v_period_new text;
    v_at text;
    v_limit bigint;
    v_values jsonb;
    -- What _counter_text does.
    v_counter text := 'pg_catalog.textcat(pg_catalog.textcat(pg_catalog.to_hex(pg_catalog.date_mi('
        'least(greatest(%s, ''0001-12-31 BC''::pg_catalog.date), ''10000-01-01''::pg_catalog.date), '
        '''2000-01-01''::pg_catalog.date)), '' ''), %s)';
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    select s.* into strict v_series from seqctl.series s where s.id = v_attachment.series_id;
    select c.relkind = 'p' into v_partitioned from pg_class c where c.oid = v_attachment.target;
    if not found or not seqctl._is_complete(v_attachment) then
        return null;
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
        v_at := case when v_date_type = 'timestamptz'::regtype then 'pg_catalog.timezone(''UTC'', %s)' else '%s::pg_catalog.timestamp' end;
    end if;
    v_group_new := seqctl._group_expression('new.', v_attachment.target, v_attachment.group_columns);
    v_period_new := seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, v_date_new);
    v_limit := least(v_series.max_number, case when v_number_type = 'integer'::regtype then 2147483647 end);

    v_values := jsonb_build_object(
        'id', p_attachment_id,
        'series_id', v_series.id,
        'series', quote_literal(v_series.name),
        'what', quote_literal(format('%s.%I', v_attachment.target, v_attachment.number_column)),
        'number', quote_ident(v_attachment.number_column),
        'target', v_attachment.target::text,
        'target_name', quote_literal(v_attachment.target::text),
        'partitioned', case when v_partitioned then true end,
        'assign', v_attachment.assign,
        'later', case when v_attachment.issue_when is not null or v_attachment.assign <> 'insert' then true end,
        'protect', case when v_attachment.protect then true end,
        'moved_number', format('old.%I', v_attachment.number_column),
        'old_group', seqctl._group_expression('old.', v_attachment.target, v_attachment.group_columns),
        'old_period', seqctl._period_expression(
            v_series.reset, v_series.fiscal_year_start,
            case when v_attachment.date_column is not null
                then seqctl._date_expression(format('old.%I', v_attachment.date_column), v_date_type, v_series.time_zone)
                else 'null'
            end),
        'group', v_group_new,
        'row_group', seqctl._group_expression('i.', v_attachment.target, v_attachment.group_columns),
        'date', v_date_new,
        'needs_date', v_series.reset <> 'never' or seqctl._format_needs_date(v_series.format),
        'period', v_period_new,
        'limit', v_limit,
        'row_date', case when v_attachment.date_column is null then 'null::pg_catalog.date' else v_date_row end,
        'row_period', seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, v_date_row),
        'row_day', case when v_series.reset = 'never' then '''-infinity''::pg_catalog.date' else v_date_row end,
        'first_period', seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, 'pg_catalog.min(i.day)'),
        'last_period', seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, 'pg_catalog.max(i.day)'),
        'below_limit', case when v_limit is not null then
            format(E'\n            and c.last_number operator(pg_catalog.<) %s', v_limit)
        end,
        'counter', format(v_counter, v_period_new, v_group_new),
        'landed_counter', format(v_counter, 'v_landed.period', 'v_landed.group_key'),
        'check_limit', case when v_limit is not null then seqctl._fill(
            $template$
    if pg_catalog.int8gt(v_number, <<limit>>) then
        perform seqctl._refuse_number(<<series_id>>, <<group>>, <<period>>, v_number, <<limit>>);
    end if;$template$,
            jsonb_build_object('limit', v_limit, 'series_id', v_series.id, 'group', v_group_new, 'period', v_period_new)
        ) end,
        'count_distinct', case when v_partitioned then
            -- Its unique index may include the partition key; that of an ordinary table is proof enough.
            format(E'\n                pg_catalog.count(distinct i.%I) as distinct_count,', v_attachment.number_column)
        end,
        'is_distinct', case when v_partitioned then
            E'\n                and l.row_count operator(pg_catalog.=) l.distinct_count'
        end
    );
    -- What is NULL is not there.
    v_values := jsonb_strip_nulls(v_values);
    if v_attachment.issue_when is not null then
        v_values := v_values || jsonb_build_object(
            'issues_new', seqctl._issues_expression(v_attachment, 'new.'),
            'issues_row', seqctl._issues_expression(v_attachment, 'i.'),
            'issued_rows', format(E'\n            where i.%I is not null', v_attachment.number_column)
        );
    end if;
    if v_attachment.chronology <> 'off' then
        v_values := v_values || jsonb_build_object(
            'date_type', quote_literal(v_date_type) || '::pg_catalog.regtype',
            'row_at', format(v_at, format('i.%I', v_attachment.date_column)),
            'rows_with_dates', format(
                -- The latest one before, not the last: a row may have no date.
                '(select i.*, %1$s as seqctl_at, pg_catalog.max(%1$s) over (partition by %2$s, %3$s order by i.%4$I '
                'rows between unbounded preceding and 1 preceding) as seqctl_before from ', format(v_at, format('i.%I', v_attachment.date_column)), v_values ->> 'row_group', v_values ->> 'row_period',
                v_attachment.number_column),
            'end_rows_with_dates', ') i',
            'landed_dates', E'\n                pg_catalog.min(i.seqctl_at) as first_at,\n                pg_catalog.max(i.seqctl_at) as last_at,'
                || E'\n                pg_catalog.count(*) filter (where i.seqctl_at operator(pg_catalog.<) i.seqctl_before) as backwards,',
            'set_last_at', ', last_at = greatest(c.last_at, l.last_at)',
            'dates_follow', E'\n                and l.backwards operator(pg_catalog.=) 0'
                || E'\n                and (c.last_at is null or c.last_at operator(pg_catalog.<=) l.first_at)',
            'into_at', ' v_at,',
            'select_at', ' ' || format(v_at, format('i.%I', v_attachment.date_column)) || ',',
            'set_at', ', last_at = greatest(c.last_at, v_at)',
            'at_follows', E'\n            and (c.last_at is null or c.last_at operator(pg_catalog.<=) v_at)',
            'declare_at', E'\n    v_at pg_catalog.timestamp;'
        );
    end if;
    if v_attachment.chronology = 'stamp' then
        v_values := v_values || jsonb_build_object('clock', seqctl._clock_expression(v_date_type, v_series.time_zone));
        v_values := v_values || jsonb_build_object('stamp', seqctl._fill(
            $template$
    new.<<date_column>> := <<stamped>>;$template$,
            jsonb_build_object(
                'date_column', quote_ident(v_attachment.date_column),
                'stamped', format(
                    case v_date_type
                        when 'timestamptz'::regtype then 'pg_catalog.timezone(''UTC'', %s)'
                        when 'date'::regtype then '%s::pg_catalog.date'
                        else '%s'
                    end,
                    format('seqctl._stamp(%s, %s, %s, %L::pg_catalog.regtype)',
                        v_series.id, v_values ->> 'what', v_group_new, v_date_type)
                )
            )
        ));
    end if;
    v_values := v_values || jsonb_build_object('right_document', case
        when v_attachment.document_number_column is null then 'true'
        when v_series.format ~ '\{random:' then format('i.%I is not null', v_attachment.document_number_column)
        else format(
            'coalesce(pg_catalog.texteq(i.%I::pg_catalog.text, %s), false)', v_attachment.document_number_column,
            seqctl._document_number_expression(
                v_series.format, v_series.fiscal_year_start, format('i.%I', v_attachment.number_column),
                v_values ->> 'row_date', v_values ->> 'row_group')
        )
    end);
    v_values := v_values || jsonb_build_object('right_new', case
        when v_attachment.document_number_column is null then 'true'
        when v_series.format ~ '\{random:' then format('new.%I is not null', v_attachment.document_number_column)
        else format(
            'coalesce(new.%I::text = %s, false)', v_attachment.document_number_column,
            seqctl._document_number_expression(
                v_series.format, v_series.fiscal_year_start, format('new.%I', v_attachment.number_column),
                v_date_new, v_group_new)
        )
    end);
    if v_attachment.document_number_column is not null then
        v_values := v_values || jsonb_build_object(
            'right_new', format(
                'coalesce(new.%I::text = v_checkout_document, %s)', v_attachment.document_number_column, v_values ->> 'right_new'),
            'given_documents', format(', pg_catalog.array_agg(i.%I::pg_catalog.text)', v_attachment.document_number_column),
            'not_checked_out', seqctl._fill(
                $template$
                    and not (coalesce(<<issues>>, false) and exists (
                        select
                        from seqctl.checkout k
                        where k.series_id operator(pg_catalog.=) <<series_id>>
                            and k.group_key operator(pg_catalog.=) <<row_group>>
                            and k.period operator(pg_catalog.=) <<row_period>>
                            and k.number operator(pg_catalog.=) i.<<number>>
                            and k.state operator(pg_catalog.=) 'finalized'
                            and pg_catalog.texteq(k.document_number, i.<<column>>::pg_catalog.text)
                    ))$template$,
                v_values || jsonb_build_object(
                    'column', quote_ident(v_attachment.document_number_column),
                    'issues', coalesce(v_values ->> 'issues_row', 'true'))
            )
        );
    end if;
    v_values := v_values || jsonb_build_object('right_row', concat_ws(
        ' and ', v_values ->> 'right_document', 'coalesce(' || (v_values ->> 'issues_row') || ', false)',
        case when v_attachment.document_number_column is not null and v_series.max_length is not null then
            format('pg_catalog.int4le(pg_catalog.length(i.%I::pg_catalog.text), %s)', v_attachment.document_number_column, v_series.max_length)
        end));
    if v_attachment.document_number_column is not null then
        v_values := v_values || jsonb_build_object(
            'declare_document', E'\n    v_document_number pg_catalog.text;',
            'no_document', format(E'\n        and new.%I is null', v_attachment.document_number_column),
            'brings_document', format(
                ' or new.%1$I is not null and new.%1$I::text is distinct from old.%1$I::text', v_attachment.document_number_column),
            'first_document', format(
                E'\n            %s,',
                seqctl._document_number_expression(
                    v_series.format, v_series.fiscal_year_start, '(c.last_number operator(pg_catalog.+) 1)', v_date_new, 'c.group_key')
            ),
            'into_document', format(' new.%I,', v_attachment.document_number_column),
            'check_first_length', case when v_series.max_length is not null then seqctl._fill(
                $template$
            if pg_catalog.int4gt(pg_catalog.length(new.<<column>>), <<max_length>>) then
                perform seqctl._refuse_length(<<series>>, new.<<column>>, <<max_length>>);
            end if;$template$,
                jsonb_build_object(
                    'column', quote_ident(v_attachment.document_number_column),
                    'max_length', v_series.max_length,
                    'series', quote_literal(v_series.name)
                )
            ) end,
            'set_document', seqctl._fill(
                $template$
    v_document_number := <<document_number>>;<<check_length>>
    if not pg_catalog.texteq(new.<<column>>::pg_catalog.text, v_document_number) then
        perform seqctl._refuse_explicit(<<what>>, <<series>>, new.<<column>>::pg_catalog.text, v_document_number);
    end if;
    new.<<column>> := v_document_number;$template$,
                jsonb_build_object(
                    'document_number', seqctl._document_number_expression(
                        v_series.format, v_series.fiscal_year_start, 'v_number', v_date_new, v_group_new),
                    'column', quote_ident(v_attachment.document_number_column),
                    'series', quote_literal(v_series.name),
                    'what', quote_literal(format('%s.%I', v_attachment.target, v_attachment.document_number_column)),
                    'check_length', case when v_series.max_length is not null then seqctl._fill(
                        $template$
    if pg_catalog.int4gt(pg_catalog.length(v_document_number), <<max_length>>) then
        perform seqctl._refuse_length(<<series>>, v_document_number, <<max_length>>);
    end if;$template$,
                        jsonb_build_object('max_length', v_series.max_length, 'series', quote_literal(v_series.name))
                    ) end
                )
            )
        );
    end if;
    if v_values ? 'set_document' or v_limit is not null then
        -- As for other rows, two levels deeper.
        v_values := v_values || jsonb_build_object(
            'next_document', replace(seqctl._fill('<<check_limit>><<set_document>>', v_values), E'\n', E'\n        '));
    end if;
    if v_attachment.issue_when is not null then
        v_values := v_values || jsonb_build_object('keep_draft', seqctl._fill(
            $template$
    if not coalesce(<<issues_new>>, false) then
        if not (new.<<number>> is null<<no_document>>) then
            perform seqctl._refuse_draft(<<what>>);
        end if;
        -- A draft takes no number, but would count as a row that did.
        perform seqctl._rest(<<series_id>>);
        return new;
    end if;$template$,
            v_values
        ));
    end if;
    if v_partitioned then
        -- Their owner may execute the functions of the row triggers, see _allow_partitions, so these look first whose table it is. The list
        -- saves asking the catalogue for each row. In a restored database the same oids are other tables: it does not count there.
        v_values := v_values || jsonb_build_object('own_table', seqctl._fill(
            $template$
    if not (
        tg_relid operator(pg_catalog.=) any (<<leaves>>::pg_catalog.oid[])
        and pg_catalog.oideq('seqctl.counter'::pg_catalog.regclass, <<counter_table>>)
    ) then
        perform seqctl._check_partition(<<id>>, tg_relid, tg_name);
    end if;$template$,
            v_values || jsonb_build_object(
                'leaves', (
                    select quote_literal(coalesce(array_agg(p.relid::oid order by p.relid::oid), '{}'))
                    from pg_partition_tree(v_attachment.target) p
                    where p.isleaf
                ),
                'counter_table', 'seqctl.counter'::regclass::oid
            )
        ));
        v_values := v_values || jsonb_build_object('own_partition', seqctl._fill(
            $template$
    if pg_catalog.int4gt(tg_nargs, 0) and not seqctl._is_partition(<<id>>, tg_relid) then
        -- It was detached, and has nothing to do with the series any more.
        return null;
    end if;$template$,
            v_values
        ));
        v_values := v_values || jsonb_build_object('keep_moved', seqctl._fill(
            $template$
    if new.<<number>> is not null and seqctl._is_moving(<<id>>, new.<<number>>) then
        -- An UPDATE moves the row here from another partition.
        return new;
    end if;$template$,
            v_values
        ));
        if not v_values ? 'later' then
            v_values := v_values || jsonb_build_object('leave', seqctl._fill(
                $template$
    if old.<<number>> is null then
        v_text := pg_catalog.set_config('seqctl.left_<<id>>', 'yes', true);
    end if;$template$,
                v_values
            ));
        end if;
    end if;

    if v_series.chain then
        v_values := seqctl._chain_values(v_attachment, v_values);
    end if;
    if v_values ? 'later' then
        v_values := seqctl._later_values(v_attachment, v_values);
    end if;
    if v_attachment.document_number_column is not null then
        v_values := v_values || jsonb_build_object('finalized_document', seqctl._fill(
            $template$
        if new.<<number>> is not null then
            v_document_number := seqctl._finalized_document(
                <<series_id>>, <<what>>, <<group>>, <<period>>, <<date>>, v_number, <<by_format>>);
            if not pg_catalog.texteq(new.<<column>>::pg_catalog.text, v_document_number) then
                perform seqctl._refuse_explicit(<<what_document>>, <<series>>, new.<<column>>::pg_catalog.text, v_document_number);
            elsif v_document_number is not null then
                new.<<column>> := v_document_number;<<note_issued>>
                return new;
            end if;
        end if;$template$,
            v_values || jsonb_build_object(
                'by_format', case when v_series.format ~ '\{random:' then 'null' else seqctl._document_number_expression(
                    v_series.format, v_series.fiscal_year_start, 'v_number', v_date_new, v_group_new) end,
                'column', quote_ident(v_attachment.document_number_column),
                'what_document', quote_literal(format('%s.%I', v_attachment.target, v_attachment.document_number_column))
            )
        ));
    end if;
    return v_values;
end
$generator$;

comment on function seqctl._attachment_values(integer) is 'What the templates of an attachment''s functions are filled with; NULL if its table was dropped, or a column of it.';

revoke all on function seqctl._attachment_values(integer) from public;
