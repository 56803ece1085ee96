-- PostgreSQL copies row triggers to a new partition, and asks whoever makes it for EXECUTE on their functions. So the owner of a partitioned
-- table has it, and its members; on another table the functions refuse to work, see _check_partition. A former owner loses it.
create or replace function seqctl._allow_partitions(p_attachment_id integer)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_owner oid := (
        select c.relowner
        from seqctl.attachment a
        join pg_class c on c.oid = a.target and c.relkind = 'p'
        where a.id = p_attachment_id
    );
    v_function record;
begin
    for v_function in
        select
            p.oid::regprocedure as name,
            array(
                select g.grantee::regrole
                from aclexplode(p.proacl) g
                where g.grantee not in (0, p.proowner) and g.grantee is distinct from v_owner
            ) as others
        from pg_proc p
        where p.pronamespace = 'seqctl'::regnamespace
            and p.proname ~ format('^_attachment_%s_(number|refuse|issue|protect|keep|move|late)$', p_attachment_id)
    loop
        if v_function.others <> '{}' then
            execute format('revoke all on function %s from %s', v_function.name, array_to_string(v_function.others, ', '));
        end if;
        if v_owner is not null then
            execute format('grant execute on function %s to %s', v_function.name, v_owner::regrole);
        end if;
    end loop;
end
$function$;

comment on function seqctl._allow_partitions(integer) is 'Lets the owner of a partitioned table, and nobody else, make partitions.';

revoke all on function seqctl._allow_partitions(integer) from public;
