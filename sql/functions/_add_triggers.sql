-- Runs with the caller's rights: the table's owner lets seqctl's make the triggers, and takes that back.
create or replace function seqctl._add_triggers(
    p_attachment_id integer,
    p_target regclass,
    p_installer name
)
returns integer
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_tables regclass[];
    v_table regclass;
    v_count integer;
begin
    v_tables := array(
        select r.target
        from (select p_target union select p.relid from pg_partition_tree(p_target) p) as r (target)
        where not has_table_privilege(p_installer, r.target, 'TRIGGER')
    );
    foreach v_table in array v_tables loop
        execute format('grant trigger on %s to %I', v_table, p_installer);
    end loop;
    v_count := seqctl._make_triggers(p_attachment_id);
    foreach v_table in array v_tables loop
        execute format('revoke trigger on %s from %I', v_table, p_installer);
    end loop;
    return v_count;
end
$function$;

comment on function seqctl._add_triggers(integer, regclass, name) is 'Has the triggers of an attachment made that are missing; on how many tables.';

revoke all on function seqctl._add_triggers(integer, regclass, name) from public;
