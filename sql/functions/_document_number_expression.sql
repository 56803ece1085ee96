-- SQL for a document number, compiled from a format. Each argument is SQL text too; what the format does not need may be NULL.
-- Everything in it is qualified, because triggers evaluate it under the caller's search_path.
create or replace function seqctl._document_number_expression(
    p_format text,
    p_fiscal_year_start text,
    p_number text,
    p_date text,
    p_group text
)
returns text
language plpgsql
immutable
as $function$
declare
    v_rest text := p_format;
    v_parts text[] := '{}';
    v_token text;
    v_name text;
    v_width integer;
    v_number_seen boolean := false;
    v_part text;
begin
    while v_rest <> '' loop
        v_token := substring(v_rest from '^(?:\{\{|\}\}|\{[^{}]*\}|[^{}]+)');
        if v_token is null then
            raise exception using
                errcode = 'SQ002',
                message = format('format %L has a brace without its partner', p_format),
                hint = 'Write {{ and }} for literal braces, {number} for a field.';
        end if;
        v_rest := substr(v_rest, length(v_token) + 1);

        if v_token in ('{{', '}}') then
            v_part := quote_literal(left(v_token, 1));
        elsif left(v_token, 1) <> '{' then
            -- Dollar signs and backslashes are safe here: quote_literal writes an escape string where it must.
            v_part := quote_literal(v_token);
        else
            v_name := substring(v_token from '^\{([a-z_]+)(?::[0-9]{1,2})?\}$');
            v_width := substring(v_token from ':([0-9]{1,2})\}$')::integer;
            v_part := case
                when v_name = 'number' and v_width is null then format('(%s)::pg_catalog.text', p_number)
                when v_name = 'number' and v_width between 1 and 18 then format(
                    'pg_catalog.lpad((%1$s)::pg_catalog.text, '
                    'greatest(%2$s, pg_catalog.length((%1$s)::pg_catalog.text)), ''0'')',
                    p_number, v_width
                )
                when v_name = 'year' and v_width is null then format('pg_catalog.to_char((%s)::pg_catalog.timestamp, ''YYYY'')', p_date)
                when v_name = 'year' and v_width = 2 then format('pg_catalog.to_char((%s)::pg_catalog.timestamp, ''YY'')', p_date)
                when v_name = 'fiscal_year' and v_width is null then format(
                    'pg_catalog.to_char((%s)::pg_catalog.timestamp, ''YYYY'')',
                    seqctl._period_expression('yearly', p_fiscal_year_start, p_date)
                )
                when v_name = 'quarter' and v_width is null then format('pg_catalog.to_char((%s)::pg_catalog.timestamp, ''Q'')', p_date)
                when v_name = 'month' and v_width is null then format('pg_catalog.to_char((%s)::pg_catalog.timestamp, ''MM'')', p_date)
                when v_name = 'day' and v_width is null then format('pg_catalog.to_char((%s)::pg_catalog.timestamp, ''DD'')', p_date)
                when v_name = 'group' and v_width is null then p_group
                when v_name = 'random' and v_width between 1 and 12 then format(
                    'pg_catalog.upper(pg_catalog.left(pg_catalog.replace(pg_catalog.gen_random_uuid()::pg_catalog.text, ''-'', ''''), %s))',
                    v_width
                )
            end;
            if v_part is null and coalesce(v_name, '') not in ('year', 'fiscal_year', 'quarter', 'month', 'day', 'group') then
                raise exception using
                    errcode = 'SQ002',
                    message = format('format %L has an unknown field: %s', p_format, v_token),
                    hint = 'Fields: {number}, {number:1} to {number:18}, {year}, {year:2}, {fiscal_year}, {quarter}, {month}, {day}, '
                        '{group}, {random:1} to {random:12}; {{ and }} for literal braces.';
            elsif v_part is null and v_width is not null then
                raise exception using
                    errcode = 'SQ002',
                    message = format('format %L has an unknown field: %s', p_format, v_token),
                    hint = 'Only {number:...}, {year:2} and {random:...} take a width.';
            end if;
            v_number_seen := v_number_seen or v_name = 'number';
        end if;
        v_parts := v_parts || v_part;
    end loop;

    if not v_number_seen then
        raise exception using
            errcode = 'SQ002',
            message = format('format %L has no {number}', p_format),
            hint = 'A document number needs its number: for example ''INV-{year}-{number:5}''.';
    end if;
    return 'pg_catalog.concat(' || array_to_string(v_parts, ', ') || ')';
end
$function$;

comment on function seqctl._document_number_expression(text, text, text, text, text) is 'SQL text that makes a document number.';

revoke all on function seqctl._document_number_expression(text, text, text, text, text) from public;
