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
declare
    v_id oid := to_regproc(p_write_function);
begin
    if v_id is null then
        v_id := to_regprocedure(seqctl._write_signature(p_write_function));
    end if;
    perform
    from pg_proc p
    where p.oid = v_id and p.xmin::text || p.ctid::text = p_version and currtid2('pg_catalog.pg_proc', p.ctid) = p.ctid;
    if not found then
        raise exception using
            errcode = '40001',
            message = format('function %s was changed at this moment', p_write_function),
            detail = 'Nothing was numbered.',
            hint = 'Run the transaction again.';
    end if;
    return p_target;
end
$function$;

comment on function seqctl._checked(oid, text, text) is 'The table, if the function that writes its numbers is still of that version; else 40001.';

revoke all on function seqctl._checked(oid, text, text) from public;
