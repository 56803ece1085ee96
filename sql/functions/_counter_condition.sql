-- SQL that finds a counter's rows in an attached table; p_group and p_period are SQL for its key. Written over the bare columns, so
-- that the unique index of the attachment serves it.
create or replace function seqctl._counter_condition(
    p_attachment seqctl.attachment,
    p_group text,
    p_period text
)
returns text
language plpgsql
stable
as $function$
declare
    v_series seqctl.series;
    v_parts text[];
    v_date_type oid;
begin
    select s.* into v_series from seqctl.series s where s.id = p_attachment.series_id;

    select array_agg(
        case
            -- Not a cast from text, which the owner of an enum could define.
            when b.typtype = 'e' then format(
                'pg_catalog.enum_out(%I::%s.%I)::pg_catalog.text = %s', c.name, b.typnamespace::regnamespace, b.typname, v.value)
            else format('%I = %s::%s', c.name, v.value, format_type(b.oid, -1))
        end
        order by c.position
    )
    into v_parts
    from unnest(p_attachment.group_columns) with ordinality as c (name, position)
    join pg_attribute a on a.attrelid = p_attachment.target and a.attname = c.name and not a.attisdropped
    join pg_type b on b.oid = seqctl._base_type(a.atttypid)
    cross join lateral (
        select case when cardinality(p_attachment.group_columns) = 1
            then p_group
            else format('(%s::pg_catalog.jsonb ->> %s)', p_group, c.position - 1)
        end as value
    ) v;

    if coalesce(cardinality(v_parts), 0) = 0 then
        v_parts := array[p_group || ' is not null'];
    end if;

    if v_series.reset = 'never' then
        v_parts := v_parts || (p_period || ' is not null');
    else
        select a.atttypid into v_date_type
        from pg_attribute a
        where a.attrelid = p_attachment.target and a.attname = p_attachment.date_column and not a.attisdropped;
        v_parts := v_parts || format(
            '%s = %s',
            seqctl._period_expression(
                v_series.reset,
                v_series.fiscal_year_start,
                seqctl._date_expression(quote_ident(p_attachment.date_column), seqctl._base_type(v_date_type), v_series.time_zone)
            ),
            p_period
        );
    end if;
    return array_to_string(v_parts, ' and ');
end
$function$;

comment on function seqctl._counter_condition(seqctl.attachment, text, text) is
    'SQL text of the condition that selects one counter''s rows in an attached table.';

revoke all on function seqctl._counter_condition(seqctl.attachment, text, text) from public;
