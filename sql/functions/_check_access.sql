create or replace function seqctl._check_access(
    p_role name,
    p_level text
)
returns void
language plpgsql
stable
as $function$
begin
    if not exists (select from pg_roles r where r.rolname = p_role) then
        raise exception using
            errcode = 'SQ017',
            message = format('role %s does not exist', coalesce(quote_ident(p_role), 'NULL')),
            hint = 'Create the role first, or correct the name.';
    elsif p_level is null or p_level not in ('read', 'issue', 'admin') then
        raise exception using
            errcode = 'SQ017',
            message = format('level %s is unknown', coalesce(quote_literal(p_level), 'NULL')),
            hint = 'Use read, issue or admin.';
    elsif p_role = current_user then
        raise exception using
            errcode = 'SQ017',
            message = format('%s is the owner of seqctl and has every right', p_role),
            hint = 'Name another role.';
    end if;
end
$function$;

comment on function seqctl._check_access(name, text) is 'Raises SQ017 for an unknown role or level, or the owner itself.';

revoke all on function seqctl._check_access(name, text) from public;
