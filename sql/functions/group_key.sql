-- One text for the values of the group columns. Joining with a separator would let ('x|y', 'z') and ('x', 'y|z') share a
-- counter; a JSON array cannot.
create or replace function seqctl.group_key(variadic parts text[])
returns text
language plpgsql
immutable
parallel safe
as $function$
begin
    if array_position(parts, null) is not null then
        raise exception using
            errcode = 'SQ010',
            message = 'a group value is NULL',
            detail = 'Every group column must have a value: NULL would belong to no counter.',
            hint = 'Give the missing value, or use '''' for "no group".';
    end if;
    return case coalesce(cardinality(parts), 0)
        when 0 then ''
        when 1 then parts[1]
        else to_json(parts)::text
    end;
end
$function$;

comment on function seqctl.group_key(text[]) is
    'The group key of one or more group column values: the value itself, or a JSON array of them.';

revoke all on function seqctl.group_key(text[]) from public;
