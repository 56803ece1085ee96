create or replace function seqctl.grant_access(
    role name,
    level text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform seqctl._check_access(role, level);
    -- One session at a time: PostgreSQL does not wait for rights that another one gives.
    perform from seqctl.installation for update;
    perform seqctl._grant_level(role, level, true);
end
$function$;

comment on function seqctl.grant_access(name, text) is 'Gives a role access to seqctl: read, issue (and read) or admin (and both), and takes what is of a higher level.';

revoke all on function seqctl.grant_access(name, text) from public;
