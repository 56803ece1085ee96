-- attach() and attach_partitions() run with the caller's rights; the halves of them that run as seqctl's owner are told who that is, and
-- whoever may call attach() may call those, too. So the caller is not believed where the session could make the call by itself, and is not
-- of that role.
create or replace function seqctl._check_owner(
    p_target regclass,
    p_caller name
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_owner oid := (select c.relowner from pg_class c where c.oid = p_target);
begin
    if not pg_has_role(p_caller, v_owner, 'USAGE')
        or not pg_has_role(session_user, p_caller, 'MEMBER') and has_function_privilege(
            session_user, 'seqctl.attach_partitions(regclass, name)', 'EXECUTE')
    then
        raise exception using
            errcode = 'SQ005',
            message = format('%s belongs to %s; %s cannot attach it', p_target, v_owner::regrole, p_caller),
            hint = format('Run seqctl.attach() as %s, or as a member of that role.', v_owner::regrole);
    end if;
end
$function$;

comment on function seqctl._check_owner(regclass, name) is 'Raises SQ005 unless the caller, who must be one of the session''s roles, owns the table.';

revoke all on function seqctl._check_owner(regclass, name) from public;
