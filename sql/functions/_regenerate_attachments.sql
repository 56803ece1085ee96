create or replace function seqctl._regenerate_attachments()
returns void
language plpgsql
volatile
as $function$
declare
    v_id integer;
begin
    for v_id in select a.id from seqctl.attachment a order by a.id loop
        perform seqctl._generate_attachment(v_id);
    end loop;
end
$function$;

comment on function seqctl._regenerate_attachments() is 'Writes the trigger functions of every attachment anew; install calls it.';

revoke all on function seqctl._regenerate_attachments() from public;
