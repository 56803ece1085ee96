create or replace function seqctl._refuse_unattached(
    p_target regclass,
    p_number_column name
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
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

comment on function seqctl._refuse_unattached(regclass, name) is 'Raises SQ009.';

revoke all on function seqctl._refuse_unattached(regclass, name) from public;
