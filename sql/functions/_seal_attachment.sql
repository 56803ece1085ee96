-- After its triggers are made nobody needs the right to use an attachment's functions: on a table of their own they would
-- burn its numbers.
create or replace function seqctl._seal_attachment(
    p_attachment_id integer,
    p_unique_index name
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_caller name;
begin
    update seqctl.attachment a
    set unique_index = p_unique_index
    where a.id = p_attachment_id
    returning a.attached_by into v_caller;
    perform seqctl._grant_attachment(p_attachment_id, v_caller, false);
end
$function$;

comment on function seqctl._seal_attachment(integer, name) is 'Ends attach(): records the index, takes back the right to use the functions.';

revoke all on function seqctl._seal_attachment(integer, name) from public;
