-- What the queries of adopt() are filled with. They read rows as r: what the table has (group_key, on_date, period, text, given). "read" joins
-- to it what the text says (x): the number, in what it disagrees with the row, and whether its padding is another. Written in full, since the UPDATE
-- runs under the caller's search_path.
create or replace function seqctl._adoption_values(p_attachment seqctl.attachment)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series;
    v_pattern record;
    v_date_type regtype;
    v_number_type regtype;
    v_date text := 'null::pg_catalog.date';
    v_at text := 'null::pg_catalog.timestamp';
    v_number integer;
    v_notes text[];
    v_reads_text boolean := p_attachment.document_number_column is not null;
    v_rows text;
    v_subject text;
    v_limit bigint;
begin
    select s.* into strict v_series from seqctl.series s where s.id = p_attachment.series_id;
    select a.atttypid into v_number_type
    from pg_attribute a
    where a.attrelid = p_attachment.target and a.attname = p_attachment.number_column;
    if p_attachment.date_column is not null then
        select seqctl._base_type(a.atttypid) into v_date_type
        from pg_attribute a
        where a.attrelid = p_attachment.target and a.attname = p_attachment.date_column;
        v_date := seqctl._date_expression(format('i.%I', p_attachment.date_column), v_date_type, v_series.time_zone);
        v_at := case
            -- Of dates that nobody keeps in order, the day is what counts.
            when p_attachment.chronology = 'off' then format('(%s)::pg_catalog.timestamp', v_date)
            when v_date_type = 'timestamptz'::regtype then format('pg_catalog.timezone(''UTC'', i.%I)', p_attachment.date_column)
            else format('i.%I::pg_catalog.timestamp', p_attachment.date_column)
        end;
    end if;

    if v_reads_text then
        v_pattern := seqctl._text_pattern(v_series.format);
        v_number := (select min(f.position) + 1 from unnest(v_pattern.fields) with ordinality as f (name, position) where f.name like '{number%');
        select array_agg(
            format(
                'case when t.match[%1$s]%2$s operator(pg_catalog.<>) %3$s '
                'then pg_catalog.format(''its %4$s is %%s, not %%s'', t.match[%1$s], %3$s) end',
                f.position + 1,
                case when f.name like '{number%' then '::pg_catalog.int8' else '' end,
                case when f.name like '{number%' then format('coalesce(r.given, t.match[%s]::pg_catalog.int8)', v_number)
                    else seqctl._document_number_expression('{number}' || f.name, v_series.fiscal_year_start, '''''', 'r.on_date', 'r.group_key')
                end,
                translate(substring(f.name from '[a-z_]+'), '_', ' ')
            ) order by f.position
        )
        into v_notes
        from unnest(v_pattern.fields) with ordinality as f (name, position);
        v_subject := case when '{group}' = any (v_pattern.fields)
            then 'pg_catalog.concat(r.group_key, E''\x01'', r.text)'
            else 'r.text'
        end;
        v_rows := seqctl._fill(
            $template$
    cross join lateral (
        select <<head>> as head, <<tail>> as tail
        offset 0
    ) h
    cross join lateral (
        select case
            when pg_catalog.left(r.text, pg_catalog.length(h.head)) operator(pg_catalog.=) h.head
                and pg_catalog.right(r.text, pg_catalog.length(h.tail)) operator(pg_catalog.=) h.tail
            then pg_catalog.substr(
                r.text,
                pg_catalog.length(h.head) operator(pg_catalog.+) 1,
                greatest(
                    0,
                    pg_catalog.length(r.text) operator(pg_catalog.-) pg_catalog.length(h.head)
                        operator(pg_catalog.-) pg_catalog.length(h.tail)
                )
            )
        end as digits
        offset 0
    ) d
    cross join lateral (
        select case
            when d.digits operator(pg_catalog.<>) '' and pg_catalog.length(d.digits) operator(pg_catalog.<=) 18
                and pg_catalog.translate(d.digits, '0123456789', '') operator(pg_catalog.=) ''
            then d.digits::pg_catalog.int8
        end as number
        offset 0
    ) q
    cross join lateral (
        select case when r.text is not null and q.number is null then <<match>> end as match
        offset 0
    ) m
    cross join lateral (
        select case
            when pg_catalog.length(m.match[<<capture>>]) operator(pg_catalog.<=) 18 then m.match
        end as match
        offset 0
    ) t
    cross join lateral (
        select
            coalesce(q.number, t.match[<<capture>>]::pg_catalog.int8) as parsed,
            case when q.number is not null
                then case when q.number operator(pg_catalog.<>) r.given
                    then pg_catalog.format('its number is %s, not %s', d.digits, r.given)
                end
                else <<notes>>
            end as note,
            pg_catalog.length(d.digits) operator(pg_catalog.<>) greatest(<<width>>, pg_catalog.length(q.number::pg_catalog.text)) as is_padded
        offset 0
    ) x$template$,
            jsonb_build_object(
                'head', case when v_pattern.head is null then 'null::pg_catalog.text' else
                    seqctl._document_number_expression(
                        v_pattern.head || '{number}', v_series.fiscal_year_start, '''''', 'r.on_date', 'r.group_key')
                end,
                'tail', case when v_pattern.tail is null then 'null::pg_catalog.text' else
                    seqctl._document_number_expression(
                        v_pattern.tail || '{number}', v_series.fiscal_year_start, '''''', 'r.on_date', 'r.group_key')
                end,
                'match', format(
                    case when '{group}' = any (v_pattern.fields)
                        then 'coalesce(pg_catalog.regexp_match(%1$s, %2$L), pg_catalog.regexp_match(%1$s, %3$L))'
                        else 'pg_catalog.regexp_match(%1$s, %2$L)'
                    end,
                    v_subject, v_pattern.exact, v_pattern.loose
                ),
                'capture', v_number,
                'width', coalesce(substring(v_series.format from '\{number:(\d+)\}'), '1'),
                'notes', 'case when t.match is not null and pg_catalog.concat(' || array_to_string(v_notes, ', ')
                    || ') operator(pg_catalog.<>) '''' then pg_catalog.concat_ws('', '', ' || array_to_string(v_notes, ', ') || ') end'
            )
        );
    else
        v_rows := E'\n    cross join (select null::pg_catalog.int8 as parsed, null::pg_catalog.text as note, false as is_padded) x';
    end if;
    v_limit := least(v_series.max_number, case when v_number_type = 'integer'::regtype then 2147483647 end);

    return jsonb_strip_nulls(jsonb_build_object(
        'series_id', v_series.id,
        'reset', quote_literal(v_series.reset),
        'fiscal_year_start', quote_literal(v_series.fiscal_year_start),
        'first_number', v_series.first_number,
        'limit', coalesce(v_limit, 9223372036854775807),
        'target', p_attachment.target::text,
        'target_id', p_attachment.target::oid,
        'number', quote_ident(p_attachment.number_column),
        'number_type', v_number_type::text,
        'group', seqctl._group_expression('i.', p_attachment.target, p_attachment.group_columns),
        'date', v_date,
        'period', seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, v_date),
        'dated', v_at,
        'due', coalesce('(' || p_attachment.issue_when || ')', 'true'),
        'text_column', quote_ident(p_attachment.document_number_column),
        'text', case when v_reads_text
            then format('case when i.%1$I::pg_catalog.text operator(pg_catalog.<>) '''' then i.%1$I::pg_catalog.text end', p_attachment.document_number_column)
            else 'null::pg_catalog.text'
        end,
        'needs_date', (v_series.reset <> 'never' or seqctl._format_needs_date(v_series.format))::text,
        'reads_text', v_reads_text::text,
        'read', v_rows,
        'others', case when exists (select from seqctl.attachment a where a.series_id = v_series.id) then format(
            E'\n    union all\n    select n.group_key collate "C", n.period, n.dated, null, n.number, null, false, false, null, null '
            'from seqctl._attached_numbers(%s, %L) n', v_series.id, p_attachment.chronology
        ) end
    ));
end
$function$;

comment on function seqctl._adoption_values(seqctl.attachment) is 'What the queries of adopt() are filled with.';

revoke all on function seqctl._adoption_values(seqctl.attachment) from public;
