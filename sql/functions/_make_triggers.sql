-- The triggers of an attachment that are not there yet; late is written anew, with the list of those partitions that need it not, and so
-- are the functions, with theirs. seqctl's owner makes them, whom the table's owner lets: so that nobody else need ever use the functions in
-- CREATE TRIGGER. On a table of his own, they would burn the numbers of others, and run the code of his types with the rights of seqctl's
-- owner. Who makes partitions must be allowed to: see _allow_partitions.
create or replace function seqctl._make_triggers(p_attachment_id integer)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_trigger record;
    v_name name;
    v_tables regclass[] := '{}';
begin
    if exists (
        select from seqctl.attachment a join pg_class c on c.oid = a.target where a.id = p_attachment_id and c.relkind = 'p'
    ) then
        perform seqctl._generate_attachment(p_attachment_id);
    end if;
    for v_trigger in select t.* from seqctl._attachment_triggers(p_attachment_id) t loop
        v_name := format('zz_seqctl_%s_%s', p_attachment_id, v_trigger.kind);
        if not exists (select from pg_trigger t where t.tgrelid = v_trigger.on_table and t.tgname = v_name) then
            execute format('create trigger %I %s', v_name, v_trigger.definition);
            if v_trigger.on_table <> all (v_tables) then
                v_tables := v_tables || v_trigger.on_table;
            end if;
        elsif v_trigger.kind = 'late' then
            execute format('create or replace trigger %I %s', v_name, v_trigger.definition);
        end if;
    end loop;
    return cardinality(v_tables);
end
$function$;

comment on function seqctl._make_triggers(integer) is 'Makes the triggers of an attachment that are missing; on how many tables.';

revoke all on function seqctl._make_triggers(integer) from public;
