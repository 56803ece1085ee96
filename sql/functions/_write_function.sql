-- The function that writes numbers into rows after their INSERT. attach makes it in the table's schema, and it belongs to the table's
-- owner: an UPDATE runs the table's triggers, and they must never run with the rights of seqctl's owner. It decides nothing, install
-- does not touch it, and only seqctl's owner may call it. It pins no search_path, because the triggers would run under it, and
-- names everything in full.
--
-- "case" hides the condition from the planner: with statistics from a time when all rows had numbers, it would begin with the
-- condition, and read the whole table for each row. "limit" of a sub-select has it expect one key, so that rows are looked up by the index: a
-- plan that was made for many, or kept since the table was small, reads all of a table that has grown. Rows by their place are planned each time.
create or replace function seqctl._write_function(p_attachment seqctl.attachment)
returns text
language plpgsql
stable
as $function$
declare
    v_number text := quote_ident(p_attachment.number_column);
    v_document_number text := quote_ident(p_attachment.document_number_column);
    v_by_place text;
    v_by_key text;
    v_one text;
begin
    v_by_place := concat(
        'with written as (update ', chr(1), ' t set ',
        concat_ws(
            ', ',
            v_number || ' = w.number',
            v_document_number || ' = w.document_number',
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
        ' from rows from (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6)) '
        'as w (table_id, row_id, number, document_number, at) '
        'where t.ctid operator(pg_catalog.=) w.row_id and t.tableoid operator(pg_catalog.=) w.table_id and case when t.',
        v_number, ' is null then true end returning t.', v_number, ' operator(pg_catalog.=) w.number as as_given) '
        'select pg_catalog.count(*) from written x where x.as_given'
    );
    select concat(
        'with written as (update ', chr(1), ' t set ', v_number, ' = $8 operator(pg_catalog.+) k.position operator(pg_catalog.-) 1',
        ', ' || v_document_number || ' = pg_catalog.replace($9, E''\x01'', '
            'pg_catalog.lpad(($8 operator(pg_catalog.+) k.position operator(pg_catalog.-) 1)::pg_catalog.text, '
            'greatest($10, pg_catalog.length(($8 operator(pg_catalog.+) k.position operator(pg_catalog.-) 1)::pg_catalog.text)), ''0''))',
        ' from (select u.* from rows from (',
        string_agg(format('pg_catalog.unnest((select $7[%s]::%s[]))', k.key_position, k.type), ', ' order by k.key_position),
        ') with ordinality as u (', string_agg('key_' || k.key_position, ', ' order by k.key_position), ', position) '
        'limit (select 9223372036854775807)) k where ',
        string_agg(format('t.%I operator(pg_catalog.=) k.key_%s', k.name, k.key_position), ' and ' order by k.key_position),
        ' and case when t.', v_number, ' is null then true end returning t.', v_number,
        ' operator(pg_catalog.=) ($8 operator(pg_catalog.+) k.position operator(pg_catalog.-) 1) as as_given) '
        'select pg_catalog.count(*)', chr(2), ' from written x where x.as_given'
    ), concat(
        'update ', chr(1), ' t set ', v_number, ' = $8',
        ', ' || v_document_number || ' = pg_catalog.replace($9, E''\x01'', '
            'pg_catalog.lpad($8::pg_catalog.text, greatest($10, pg_catalog.length($8::pg_catalog.text)), ''0''))',
        ' where ',
        string_agg(format('t.%I operator(pg_catalog.=) ($7[%s]::%s[])[1]', k.name, k.key_position, k.type), ' and ' order by k.key_position),
        ' and case when t.', v_number, ' is null then true end returning case when t.', v_number, ' operator(pg_catalog.=) $8 then 1 else 0 end'
    )
    into v_by_key, v_one
    from seqctl._row_keys(p_attachment.target) k;

    -- \x01 is the table, \x02 where the count goes.
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
    v_count pg_catalog.int8;
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
    else
        -- Rows by their primary key, numbered from p_first on; in the document number \x01 is the number.
        <<by_key>>;
    end if;
    return coalesce(v_count, 0);
end
$template$,
            jsonb_build_object(
                'name', quote_literal(p_attachment.target::text),
                'by_place', quote_literal(replace(replace(v_by_place, '%', '%%'), chr(1), '%s')),
                'one', replace(v_one, chr(1), p_attachment.target::text) || ' into v_count',
                'by_key', replace(replace(v_by_key, chr(1), p_attachment.target::text), chr(2), ' into v_count'),
                'dynamic_by_key', quote_literal(replace(replace(replace(v_by_key, '%', '%%'), chr(1), '%s'), chr(2), ''))
            )
        )
    );
end
$function$;

comment on function seqctl._write_function(seqctl.attachment) is 'CREATE FUNCTION for what writes numbers into the rows of a table.';

revoke all on function seqctl._write_function(seqctl.attachment) from public;
