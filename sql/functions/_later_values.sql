-- The part of _attachment_values for rows that are numbered after their INSERT.
create or replace function seqctl._later_values(
    p_attachment seqctl.attachment,
    p_values jsonb
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series;
    v_date_type regtype;
    v_stamp boolean := p_attachment.chronology = 'stamp';
    v_now text;
    v_at text := 'null::timestamp';
    v_final_date text := 'n.on_date';
    v_template text;
    v_values jsonb;
begin
    select s.* into strict v_series from seqctl.series s where s.id = p_attachment.series_id;
    v_now := format('timezone(%L, p_now)', v_series.time_zone);
    if p_attachment.chronology <> 'off' then
        select seqctl._base_type(a.atttypid) into v_date_type
        from pg_attribute a
        where a.attrelid = p_attachment.target and a.attname = p_attachment.date_column;
        v_at := case
            when v_stamp then
                case v_date_type
                    when 'date'::regtype then v_now || '::date::timestamp'
                    when 'timestamp'::regtype then v_now
                    else 'timezone(''UTC'', p_now)'
                end
            when v_date_type = 'timestamptz'::regtype then format('timezone(''UTC'', i.%I)', p_attachment.date_column)
            else format('i.%I::timestamp', p_attachment.date_column)
        end;
        if v_stamp then
            v_final_date := case when v_date_type = 'timestamptz'::regtype
                then format('timezone(%L, timezone(''UTC'', n.at))::date', v_series.time_zone) else 'n.at::date' end;
        end if;
    end if;
    select jsonb_build_object(
        'gathered_keys', string_agg(format('pg_catalog.array_agg(i.%I)::pg_catalog.text', k.name), ', ' order by k.key_position),
        'new_keys', string_agg(format('array[new.%I]::text', k.name), ', ' order by k.key_position),
        'pended_keys', string_agg(format('p.keys[%s]::%s[]', k.key_position, k.type), ', ' order by k.key_position),
        'key_names', string_agg('key_' || k.key_position, ', ' order by k.key_position),
        'same_keys', string_agg(format('i.%I = k.key_%s', k.name, k.key_position), ' and ' order by k.key_position),
        'key_columns', string_agg(format('i.%I', k.name), ', ' order by k.key_position),
        'named_keys', string_agg(format('i.%I as key_%s', k.name, k.key_position), ', ' order by k.key_position),
        'key_settings', case when not bool_and(
            k.type = any ('{pg_catalog.int2,pg_catalog.int4,pg_catalog.int8,pg_catalog.uuid,pg_catalog.text,pg_catalog.varchar}')
        ) then
            -- A key is written down as text and read again in the same transaction; what its text depends on may change in between.
            ' set datestyle = ''ISO, YMD'' set timezone = ''UTC'' set intervalstyle = ''postgres'' set extra_float_digits = 1'
        end,
        'changes', case when p_values ? 'partitioned' then 'null'
            else 'pg_catalog.pg_stat_get_xact_tuples_updated(tg_relid) operator(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_deleted(tg_relid)' end,
        'pending_group', p_values ->> 'row_group',
        'pending_period', case when v_stamp
            then seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, v_now || '::date')
            else p_values ->> 'row_period' end,
        'pending_date', case when v_stamp then v_now || '::date' else p_values ->> 'row_date' end,
        'pending_at', v_at,
        'by_at', case when p_attachment.chronology = 'enforce' then v_at || ', ' end,
        'by_column', case when p_attachment.date_column is not null then format('i.%I, ', p_attachment.date_column) end,
        'named_date', case when p_attachment.date_column is not null then format('i.%I as key_0, ', p_attachment.date_column) end,
        'by_date', case when p_attachment.date_column is not null then 'key_0, ' end,
        'pending_document', case when p_attachment.document_number_column is null then 'null::text'
            else seqctl._document_number_expression(
                v_series.format, v_series.fiscal_year_start, 'n.number', v_final_date, 'n.group_key') end,
        'and_issues', case when p_values ? 'issues_row' then ' and ' || (p_values ->> 'issues_row') end,
        'if_issues', coalesce(p_values ->> 'issues_new', 'true')
    )
    into v_values
    from seqctl._row_keys(p_attachment.target) k;
    v_values := jsonb_strip_nulls(p_values || v_values);

    v_values := v_values || jsonb_build_object(
        'moved_number', seqctl._fill(
            $template$case when old.<<number>> is null then pg_catalog.current_setting('seqctl.issued_<<id>>', true) else old.<<number>>::pg_catalog.text end$template$,
            v_values
        ),
        'write_call', p_attachment.write_function,
        'write_function', quote_literal(p_attachment.write_function),
        'check_chunk', concat(
            case when p_values ? 'limit' then seqctl._fill(
                $template$
        if v_chunk.highest > <<limit>> then
            perform seqctl._refuse_number(<<series_id>>, null, null, v_chunk.highest, <<limit>>);
        end if;$template$,
                p_values
            ) end,
            case when v_series.max_length is not null and p_attachment.document_number_column is not null then seqctl._fill(
                $template$
        perform seqctl._refuse_length(<<series>>, d.document_number, <<max_length>>)
        from unnest(v_chunk.document_numbers) as d (document_number)
        where length(d.document_number) > <<max_length>>
        limit 1;$template$,
                p_values || jsonb_build_object('max_length', v_series.max_length)
            ) end
        ),
        'late_draft', seqctl._fill(
            $template$
    if new.<<number>> is null then<<pend_one>>
        return null;
    elsif tg_op = 'UPDATE' then
        if old.<<number>> is not null then
            return null;
        end if;
    end if;$template$,
            v_values || jsonb_build_object('pend_one', case when p_attachment.assign = 'commit' then seqctl._fill(
                $template$
        if <<if_issues>> then
            insert into seqctl.pending (attachment_id, target, group_key, period, row_count, keys)
            values (<<id>>, tg_relid, v_group, v_period, 1, array[<<new_keys>>]);
        end if;$template$,
                v_values
            ) end)
        )
    );
    v_template := seqctl._run_template(v_series);
    if p_attachment.assign = 'commit' and p_attachment.issue_when is null and p_attachment.chronology = 'off'
        and not p_values ? 'partitioned'
        and (p_attachment.document_number_column is null or v_template is not null)
    then
        v_values := v_values || jsonb_build_object(
            'run_template', case when p_attachment.document_number_column is null then 'null'
                else seqctl._document_number_expression(
                    v_template, v_series.fiscal_year_start, E'E''\\x01''', 'v_waiting.period', 'v_waiting.group_key')
                end,
            'run_width', coalesce(substring(v_series.format from '\{number:(\d+)\}'), '1'),
            'check_run', concat(
                case when p_values ? 'limit' then seqctl._fill(
                    $template$
        if v_first + v_waiting.row_count - 1 > <<limit>> then
            perform seqctl._refuse_number(<<series_id>>, v_waiting.group_key, v_waiting.period, v_first + v_waiting.row_count - 1, <<limit>>);
        end if;$template$,
                    p_values
                ) end,
                case when v_series.max_length is not null and p_attachment.document_number_column is not null then seqctl._fill(
                    $template$
        perform seqctl._refuse_length(<<series>>, d.document_number, <<max_length>>)
        from (select seqctl._fill_number(v_template, v_first + v_waiting.row_count - 1, <<width>>) as document_number) d
        where length(d.document_number) > <<max_length>>;$template$,
                    p_values || jsonb_build_object(
                        'max_length', v_series.max_length, 'width', coalesce(substring(v_series.format from '\{number:(\d+)\}'), '1'))
                ) end
            )
        );
    end if;
    if p_values ? 'partitioned' then
        v_values := v_values || jsonb_build_object('note_issued', seqctl._fill(
            $template$
    v_text := pg_catalog.set_config('seqctl.issued_<<id>>', v_number::pg_catalog.text, true);$template$,
            v_values
        ));
    end if;
    return v_values;
end
$function$;

comment on function seqctl._later_values(seqctl.attachment, jsonb) is
    'What the templates are filled with where rows are numbered after their INSERT.';

revoke all on function seqctl._later_values(seqctl.attachment, jsonb) from public;
