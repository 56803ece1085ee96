create or replace function seqctl._is_partition(
    p_attachment_id integer,
    p_table oid
)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select exists (
        select
        from seqctl.attachment a
        cross join lateral pg_partition_tree(a.target) t
        where a.id = p_attachment_id and t.relid = p_table
    )
$function$;

comment on function seqctl._is_partition(integer, oid) is 'Whether a table is the attached table or a partition of it.';

revoke all on function seqctl._is_partition(integer, oid) from public;
