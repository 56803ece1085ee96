-- Runs with the caller's rights, because the caller must own the table, which is locked against writers until the transaction ends.
-- A statement trigger fires for the table that the statement names, and PostgreSQL does not hand it down: partitions that were made or
-- attached after attach() have none. The trigger late, which makes up for it row by row, has a list of those that need it not.
create or replace function seqctl.attach_partitions(
    target regclass,
    number_column name default 'number'
)
returns integer
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_id integer;
begin
    perform seqctl._attached(target, number_column);
    perform seqctl._lock_target(target, true);
    -- Another session may have detached it meanwhile.
    v_id := seqctl._attached(target, number_column);
    perform seqctl._refuse_incomplete(v_id);
    return seqctl._add_triggers(
        v_id, target, (select pg_get_userbyid(n.nspowner) from pg_namespace n where n.nspname = 'seqctl'));
end
$function$;

comment on function seqctl.attach_partitions(regclass, name) is
    'Gives partitions that were made after attach() the triggers of those that were there; how many needed some.';

revoke all on function seqctl.attach_partitions(regclass, name) from public;
