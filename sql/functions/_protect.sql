-- BEFORE DELETE ROW. Argument: number column.
create or replace function seqctl._protect()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    if to_jsonb(old) ->> tg_argv[0] is null then
        return old;
    end if;
    perform seqctl._refuse_change(
        format('%s.%I', tg_relid::regclass, tg_argv[0]), (to_jsonb(old) ->> tg_argv[0])::bigint, 'its row cannot be deleted');
    return null;
end
$function$;

comment on function seqctl._protect() is 'Trigger: refuses to delete an issued row, with SQ022.';

revoke all on function seqctl._protect() from public;
