create or replace function seqctl._number_now()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_count bigint := seqctl._assign(array[new.attachment_id], null, new.max_rows, new.search_path);
begin
    update seqctl.pending p set row_count = v_count where p.id = new.id;
    return null;
end
$function$;

comment on function seqctl._number_now() is 'Trigger: numbers the pending rows of a table, for number_pending().';

revoke all on function seqctl._number_now() from public;
