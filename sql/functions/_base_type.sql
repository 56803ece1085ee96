create or replace function seqctl._base_type(p_type oid)
returns oid
language sql
stable
as $function$
    with recursive d as (
        select t.oid, t.typtype, t.typbasetype from pg_catalog.pg_type t where t.oid = p_type
        union all
        select t.oid, t.typtype, t.typbasetype from d join pg_catalog.pg_type t on t.oid = d.typbasetype where d.typtype = 'd'
    )
    select d.oid from d where d.typtype <> 'd'
$function$;

comment on function seqctl._base_type(oid) is 'The type under a domain, or the type itself.';

revoke all on function seqctl._base_type(oid) from public;
