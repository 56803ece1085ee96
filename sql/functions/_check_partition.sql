-- The owner of a partitioned table may use the functions of its row triggers, because whoever makes a partition must. On a table of his own
-- they would run the code of his types with the rights of seqctl's owner.
create or replace function seqctl._check_partition(
    p_attachment_id integer,
    p_table oid,
    p_trigger name
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_target regclass := (select a.target from seqctl.attachment a where a.id = p_attachment_id);
begin
    if not exists (select from pg_partition_ancestors(p_table) p where p.relid = v_target) then
        raise exception using
            errcode = 'SQ009',
            message = format('%s is no partition of %s, and is not attached', p_table::regclass, v_target),
            detail = format('Its trigger %I uses a function that seqctl made for partitions of %s.', p_trigger, v_target),
            hint = format('drop trigger %I on %s;', p_trigger, p_table::regclass);
    end if;
end
$function$;

comment on function seqctl._check_partition(integer, oid, name) is 'Raises SQ009 unless a table is a partition of the attached table.';

revoke all on function seqctl._check_partition(integer, oid, name) from public;
