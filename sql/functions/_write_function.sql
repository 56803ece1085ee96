-- The function that writes numbers into rows after their INSERT. attach makes it in the table's schema, and it belongs to the table's
-- owner: an UPDATE runs the table's triggers, and they must never run with the rights of seqctl's owner. It decides nothing, install
-- does not touch it, and only seqctl's owner may call it. It pins no search_path, because the triggers would run under it, and
-- names everything in full.
--
-- "case" hides the condition from the planner: with statistics from a time when all rows had numbers, it would begin with the
-- condition, and read the whole table for each row. "limit" of a sub-select has it expect one key, so that rows are looked up by the index: a
-- plan that was made for many, or kept since the table was small, reads all of a table that has grown. Rows by their place are planned each time.
--
-- Many keys that are integers, in order and close together, as an identity column gives them, are not looked up one by one: the index is read from
-- the first to the last. A run is keys without a gap, so that it takes one shift from its keys to their numbers; width_bucket finds a key's run.
create or replace function seqctl._write_function(
    p_attachment seqctl.attachment,
    p_name text default null
)
returns text
language plpgsql
stable
as $function$
declare
    -- \x01 is the table, \x02 where the count goes.
    v_update text := E'with written as (update \x01 t set <<set>><<from>> where <<where>> and case when t.<<number>> is null then true end '
        'returning t.<<number>> operator(pg_catalog.=) (<<given>>) as as_given) select pg_catalog.count(*)\x02 from written x where x.as_given';
    v_set text := concat_ws(
        ', ',
        '<<number>> = <<given>>',
        case when p_attachment.document_number_column is not null then '<<document_number>> = pg_catalog.replace($9, E''\x01'', '
            'pg_catalog.lpad((<<given>>)::pg_catalog.text, greatest($10, pg_catalog.length((<<given>>)::pg_catalog.text)), ''0''))' end
    );
    -- One that was renamed goes by the name of that time, or by none.
    v_name text := coalesce(p_name, p_attachment.target::text);
    v_values jsonb := jsonb_build_object(
        'number', quote_ident(p_attachment.number_column),
        'document_number', quote_ident(p_attachment.document_number_column)
    );
    v_by_place text;
    v_by_key text;
    v_one text;
    v_key text;
    v_runs text;
begin
    v_by_place := seqctl._fill(v_update, v_values || jsonb_build_object(
        'set', concat_ws(
            ', ',
            (v_values ->> 'number') || ' = w.number',
            (v_values ->> 'document_number') || ' = w.document_number',
            case when p_attachment.chronology = 'stamp' then quote_ident(p_attachment.date_column) || ' = ' || (
                select case seqctl._base_type(a.atttypid)
                    when 'timestamptz'::regtype then 'pg_catalog.timezone(''UTC'', w.at)'
                    when 'date'::regtype then 'w.at::pg_catalog.date'
                    else 'w.at'
                end
                from pg_attribute a
                where a.attrelid = p_attachment.target and a.attname = p_attachment.date_column
            ) end
        ),
        'from', ' from rows from (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6)) '
            'as w (table_id, row_id, number, document_number, at)',
        'where', 't.ctid operator(pg_catalog.=) w.row_id and t.tableoid operator(pg_catalog.=) w.table_id',
        'given', 'w.number'
    ));

    v_values := v_values || '{"given": "$8 operator(pg_catalog.+) k.position operator(pg_catalog.-) 1"}';
    select
        seqctl._fill(v_update, v_values || jsonb_build_object(
            'set', seqctl._fill(v_set, v_values),
            'from', concat(
                ' from (select u.* from rows from (',
                string_agg(format('pg_catalog.unnest((select $7[%s]::%s[]))', k.key_position, k.type), ', ' order by k.key_position),
                ') with ordinality as u (', string_agg('key_' || k.key_position, ', ' order by k.key_position), ', position) '
                'limit (select 9223372036854775807)) k'
            ),
            'where', string_agg(format('t.%I operator(pg_catalog.=) k.key_%s', k.name, k.key_position), ' and ' order by k.key_position)
        )),
        concat(
            'update ', chr(1), ' t set ', seqctl._fill(v_set, v_values || '{"given": "$8"}'), ' where ',
            string_agg(format('t.%I operator(pg_catalog.=) ($7[%s]::%s[])[1]', k.name, k.key_position, k.type), ' and ' order by k.key_position),
            seqctl._fill(
                ' and case when t.<<number>> is null then true end '
                'returning case when t.<<number>> operator(pg_catalog.=) $8 then 1 else 0 end', v_values)
        ),
        case when count(*) = 1 and bool_and(k.type = any ('{pg_catalog.int2,pg_catalog.int4,pg_catalog.int8}'))
            then min(format('t.%I', k.name)) end
    into v_by_key, v_one, v_key
    from seqctl._row_keys(p_attachment.target) k;
    if v_key is not null then
        v_values := v_values || jsonb_build_object(
            'given', format('%1$s operator(pg_catalog.+) ($13)[pg_catalog.width_bucket(%1$s::pg_catalog.int8, $11)]', v_key));
        v_runs := seqctl._fill(
            $template$
        if pg_catalog.int4gt(pg_catalog.octet_length(p_keys[1]), 4000) then
            -- So many that they are worth a plan. A run starts where a key does not follow on the one before.
            v_keys := p_keys[1]::pg_catalog.int8[];
            select
                pg_catalog.array_agg(k.key) filter (where k.key is not null),
                pg_catalog.array_agg(k.before) filter (where k.before is not null),
                pg_catalog.array_agg(
                    case when k.key operator(pg_catalog.>=) 0
                        then p_first operator(pg_catalog.-) k.key operator(pg_catalog.+) k.position operator(pg_catalog.-) 1 end
                ) filter (where k.key is not null),
                coalesce(pg_catalog.bool_and(k.key operator(pg_catalog.>) k.before), true)
            into v_starts, v_ends, v_shifts, v_in_order
            from (
                select
                    pg_catalog.unnest(v_keys) as key,
                    pg_catalog.unnest(pg_catalog.array_prepend(null::pg_catalog.int8, v_keys)) as before,
                    pg_catalog.generate_subscripts(v_keys, 1) as position
            ) k
            where case when k.key operator(pg_catalog.>) k.before
                then k.key operator(pg_catalog.-) 1 operator(pg_catalog.>) k.before else true end;
            if v_in_order and v_starts[1] operator(pg_catalog.>=) 0 and v_ends[pg_catalog.cardinality(v_ends)] operator(pg_catalog.-) v_starts[1]
                operator(pg_catalog.<) (4::pg_catalog.int8 operator(pg_catalog.*) pg_catalog.cardinality(v_keys))
            then
                execute <<in_runs>>
                into v_count
                using p_target, p_tables, p_rows, p_numbers, p_document_numbers, p_dates, p_keys, p_first, p_template, p_width,
                    v_starts, v_ends, v_shifts;
                return v_count;
            end if;
        end if;$template$,
            jsonb_build_object('in_runs', quote_literal(replace(replace(
                seqctl._fill(v_update, v_values || jsonb_build_object(
                    'set', seqctl._fill(v_set, v_values),
                    'where', format(
                        '%1$s operator(pg_catalog.>=) ($11)[1] and %1$s operator(pg_catalog.<=) ($12)[pg_catalog.cardinality($12)] '
                        'and %1$s operator(pg_catalog.<=) ($12)[pg_catalog.width_bucket(%1$s::pg_catalog.int8, $11)]', v_key)
                )),
                chr(1), v_name), chr(2), '')))
        );
    end if;

    return format(
        $template$create function %s(
    p_target pg_catalog.oid,
    p_tables pg_catalog.oid[],
    p_rows pg_catalog.tid[],
    p_numbers pg_catalog.int8[],
    p_document_numbers pg_catalog.text[],
    p_dates pg_catalog.timestamp[],
    p_keys pg_catalog.text[],
    p_first pg_catalog.int8,
    p_template pg_catalog.text,
    p_width pg_catalog.int4
)
returns pg_catalog.int8
language plpgsql
volatile
security definer
as %L$template$,
        p_attachment.write_function,
        seqctl._fill(
            $template$
declare
    v_count pg_catalog.int8;<<declare_runs>>
begin
    if p_keys is null then
        -- Rows by their place, each with its number.
        execute pg_catalog.format(<<by_place>>, p_target::pg_catalog.regclass)
        into v_count
        using p_target, p_tables, p_rows, p_numbers, p_document_numbers, p_dates;
    elsif not coalesce(pg_catalog.oideq(pg_catalog.to_regclass(<<name>>), p_target), false) then
        -- Renamed since.
        execute pg_catalog.format(<<dynamic_by_key>>, p_target::pg_catalog.regclass)
        into v_count
        using p_target, p_tables, p_rows, p_numbers, p_document_numbers, p_dates, p_keys, p_first, p_template, p_width;
    elsif pg_catalog.int4eq(pg_catalog.strpos(p_keys[1], ','), 0) then
        -- One row, by its primary key.
        <<one>>;
    else<<runs>>
        -- Rows by their primary key, numbered from p_first on; in the document number \x01 is the number.
        <<by_key>>;
    end if;
    return coalesce(v_count, 0);
end
$template$,
            jsonb_build_object(
                'name', quote_literal(v_name),
                'by_place', quote_literal(replace(replace(replace(v_by_place, '%', '%%'), chr(1), '%s'), chr(2), '')),
                'one', replace(v_one, chr(1), v_name) || ' into v_count',
                'by_key', replace(replace(v_by_key, chr(1), v_name), chr(2), ' into v_count'),
                'dynamic_by_key', quote_literal(replace(replace(replace(v_by_key, '%', '%%'), chr(1), '%s'), chr(2), '')),
                'runs', v_runs,
                'declare_runs', case when v_runs is not null then $declarations$
    v_keys pg_catalog.int8[];
    v_starts pg_catalog.int8[];
    v_ends pg_catalog.int8[];
    v_shifts pg_catalog.int8[];
    v_in_order pg_catalog.bool;$declarations$ end
            )
        )
    );
end
$function$;

comment on function seqctl._write_function(seqctl.attachment, text) is 'CREATE FUNCTION for what writes numbers into the rows of a table.';

revoke all on function seqctl._write_function(seqctl.attachment, text) from public;
