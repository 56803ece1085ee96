-- What every row must have before it can be given a number.
create or replace function seqctl._check_row(
    p_where text,
    p_group_key text,
    p_needs_date boolean,
    p_date date
)
returns void
language plpgsql
immutable
as $function$
begin
    if p_group_key is null then
        raise exception using
            errcode = 'SQ010',
            message = format('%s: the group is NULL', p_where),
            detail = 'A row without a group belongs to no counter. No number was used.',
            hint = 'Give every group column a value.';
    elsif octet_length(p_group_key) > 1000 then
        raise exception using
            errcode = 'SQ010',
            message = format('%s: the group is %s bytes long; at most 1000 are allowed', p_where, octet_length(p_group_key)),
            detail = format('It begins with %L. No number was used.', left(p_group_key, 40)),
            hint = 'Use a short key (an id, a code, a hash) as the group.';
    end if;
    if not p_needs_date then
        return;
    end if;
    if p_date is null then
        raise exception using
            errcode = 'SQ011',
            message = format('%s: the date is NULL', p_where),
            detail = 'The period of a number is that of the document''s date, never the server''s clock. No number was used.',
            hint = 'Give the date of the document.';
    elsif p_date < date '0001-01-01' or p_date > date '9999-12-31' then
        raise exception using
            errcode = 'SQ011',
            message = format('%s: the date %s is out of range', p_where, p_date),
            detail = 'Dates from 0001-01-01 to 9999-12-31 have a period. No number was used.',
            hint = 'Correct the date of the document.';
    end if;
end
$function$;

comment on function seqctl._check_row(text, text, boolean, date) is 'Raises SQ010 or SQ011 for a missing or impossible group or date.';

revoke all on function seqctl._check_row(text, text, boolean, date) from public;
