-- PostgreSQL refuses to drop a function that a trigger still uses, so this cannot leave a table with broken triggers.
create or replace function seqctl._unregister_attachment(p_attachment_id integer)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_function regprocedure;
begin
    if exists (
        select from seqctl.pending p where p.xid = pg_current_xact_id_if_assigned() and p.attachment_id = p_attachment_id
    ) then
        raise exception using
            errcode = 'SQ005',
            message = 'rows of this transaction wait for their number; their table cannot be detached yet',
            hint = 'Commit first, or: set constraints all immediate;';
    end if;
    for v_function in
        select p.oid::regprocedure
        from pg_proc p
        where p.pronamespace = 'seqctl'::regnamespace and p.proname ~ format('^_attachment_%s_', p_attachment_id)
    loop
        execute format('drop function %s', v_function);
    end loop;
    delete from seqctl.attachment a where a.id = p_attachment_id;
end
$function$;

comment on function seqctl._unregister_attachment(integer) is 'Removes the record and the trigger functions of an attachment.';

revoke all on function seqctl._unregister_attachment(integer) from public;
