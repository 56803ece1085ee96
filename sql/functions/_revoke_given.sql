-- A new function can be executed by everybody, and by whom ALTER DEFAULT PRIVILEGES says. Runs with the caller's rights, who made it.
create or replace function seqctl._revoke_given(p_function regprocedure)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
    execute (
        select format('revoke all on function %s from public%s', p_function, string_agg(', ' || g.grantee::regrole, '' order by g.grantee))
        from pg_proc p
        left join lateral aclexplode(p.proacl) g on g.grantee not in (0, p.proowner)
        where p.oid = p_function
        group by p.oid
    );
end
$function$;

comment on function seqctl._revoke_given(regprocedure) is 'Takes the right to execute a function that was just made from all but its owner.';

revoke all on function seqctl._revoke_given(regprocedure) from public;
