create or replace function seqctl.revoke_access(role name)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform seqctl._check_access(role, 'read');
    -- One session at a time: PostgreSQL does not wait for rights that another one gives.
    perform from seqctl.installation for update;
    execute format('revoke all on all functions in schema seqctl from %I', role);
    execute format('revoke all on all tables in schema seqctl from %I', role);
    execute format('revoke all on schema seqctl from %I', role);
    -- Who owns a partitioned table goes on making partitions.
    perform seqctl._allow_partitions(a.id)
    from seqctl.attachment a
    join pg_class c on c.oid = a.target
    where c.relowner = (select r.oid from pg_roles r where r.rolname = role) and c.relkind = 'p';
end
$function$;

comment on function seqctl.revoke_access(name) is 'Takes every right on seqctl from a role; inserting into attached tables needs none.';

revoke all on function seqctl.revoke_access(name) from public;
