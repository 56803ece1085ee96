-- The texts come from _attachment_functions, so that verify can compare them without writing.
create or replace function seqctl._generate_attachment(p_attachment_id integer)
returns void
language plpgsql
volatile
as $function$
declare
    v_function record;
begin
    for v_function in select f.* from seqctl._attachment_functions(p_attachment_id) f loop
        perform seqctl._create_trigger_function(p_attachment_id, v_function.kind, v_function.body, v_function.settings);
    end loop;
end
$function$;

comment on function seqctl._generate_attachment(integer) is 'Writes the trigger functions of an attachment.';

revoke all on function seqctl._generate_attachment(integer) from public;
