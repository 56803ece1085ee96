-- SQL for the group key of a row; p_prefix is what stands before a column ('new.' or ''). The text is the same in every
-- session: _group_column_type lets in only types whose text does not depend on a setting.
create or replace function seqctl._group_expression(
    p_prefix text,
    p_target regclass,
    p_columns name[]
)
returns text
language plpgsql
stable
as $function$
declare
    v_parts text[];
begin
    select array_agg(
        format(
            case
                when b.oid = 'numeric'::regtype then 'pg_catalog.trim_scale(%s%I)::pg_catalog.text'
                -- Not a cast to text: the owner of an enum could define one, to run with the rights of seqctl's owner.
                when b.typtype = 'e' then format(
                    'pg_catalog.enum_out(%%s%%I::%s.%s)::pg_catalog.text',
                    replace(b.typnamespace::regnamespace::text, '%', '%%'), replace(quote_ident(b.typname), '%', '%%'))
                else '%s%I::pg_catalog.text'
            end,
            p_prefix, c.name
        ) order by c.position
    )
    into v_parts
    from unnest(p_columns) with ordinality as c (name, position)
    join pg_attribute a on a.attrelid = p_target and a.attname = c.name and not a.attisdropped
    join pg_type b on b.oid = seqctl._base_type(a.atttypid);

    return case coalesce(cardinality(v_parts), 0)
        when 0 then '''''::pg_catalog.text'
        when 1 then v_parts[1]
        else format(
            'case when %s then pg_catalog.to_json(array[%s])::pg_catalog.text end',
            (select string_agg(p || ' is not null', ' and ') from unnest(v_parts) p),
            array_to_string(v_parts, ', ')
        )
    end;
end
$function$;

comment on function seqctl._group_expression(text, regclass, name[]) is 'SQL text for the group key of a row.';

revoke all on function seqctl._group_expression(text, regclass, name[]) from public;
