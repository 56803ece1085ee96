-- See _write_version.
create or replace function seqctl._checked(
    p_target oid,
    p_write_function text,
    p_version text
)
returns oid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
    if seqctl._write_version(p_write_function, p_target) <> p_version then
        raise exception using
            errcode = 'SQ005',
            message = format('function %s was changed at this moment', p_write_function),
            detail = 'Nothing was numbered.',
            hint = 'Try again.';
    end if;
    return p_target;
end
$function$;

comment on function seqctl._checked(oid, text, text) is 'The table, if the function that writes its numbers is still of that version; else SQ005.';

revoke all on function seqctl._checked(oid, text, text) from public;
