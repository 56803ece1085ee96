-- The one place where a column that is not attached is refused.
create or replace function seqctl._attached(
    p_target regclass,
    p_number_column name
)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_id integer;
begin
    select a.id into v_id from seqctl.attachment a where a.target = p_target and a.number_column = p_number_column;
    if found then
        return v_id;
    end if;
    raise exception using
        errcode = 'SQ009',
        message = format('%s.%I is not attached', coalesce(p_target::text, 'NULL'), p_number_column),
        detail = coalesce(
            (
                select 'Attached: ' || string_agg(format('%s.%I', a.target, a.number_column), ', ' order by a.id)
                from seqctl.attachment a
            ),
            'Nothing is attached.'
        ),
        hint = 'Correct the table or the column.';
end
$function$;

comment on function seqctl._attached(regclass, name) is 'The attachment of that column, or SQ009.';

revoke all on function seqctl._attached(regclass, name) from public;
