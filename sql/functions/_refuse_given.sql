-- BEFORE INSERT ROW, where rows get their numbers later; AFTER UPDATE ROW, where they get them in their INSERT and are not protected,
-- for rows from before attach that have none. Arguments: attachment id, number column. Not for partitioned tables, which have a function of their own.
create or replace function seqctl._refuse_given()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform seqctl._refuse_brought(
        tg_argv[0]::integer, tg_op, format('%s.%I', tg_relid::regclass, tg_argv[1]), (to_jsonb(new) ->> tg_argv[1])::bigint);
    return null;
end
$function$;

comment on function seqctl._refuse_given() is 'Trigger: refuses a number that a statement brings.';

revoke all on function seqctl._refuse_given() from public;
