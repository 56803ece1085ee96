create or replace function seqctl._grant_attachment(
    p_attachment_id integer,
    p_role name,
    p_allow boolean
)
returns void
language plpgsql
volatile
as $function$
declare
    v_function regprocedure;
begin
    if p_role = current_user then
        return;
    end if;
    for v_function in
        select p.oid::regprocedure
        from pg_proc p
        where p.pronamespace = 'seqctl'::regnamespace and p.proname ~ format('^_attachment_%s_', p_attachment_id)
    loop
        if p_allow then
            execute format('grant execute on function %s to %I', v_function, p_role);
        else
            execute format('revoke execute on function %s from %I', v_function, p_role);
        end if;
    end loop;
end
$function$;

comment on function seqctl._grant_attachment(integer, name, boolean) is
    'Lets a role use the trigger functions of an attachment in CREATE TRIGGER, or takes that back.';

revoke all on function seqctl._grant_attachment(integer, name, boolean) from public;
