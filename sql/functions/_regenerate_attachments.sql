create or replace function seqctl._regenerate_attachments()
returns void
language plpgsql
volatile
as $function$
declare
    v_id integer;
begin
    -- A function that was renamed with its schema.
    update seqctl.attachment a
    set write_function = seqctl._find_write_function(a)
    where a.write_function is not null and to_regprocedure(seqctl._write_signature(a.write_function)) is null and seqctl._find_write_function(a) is not null;

    for v_id in select a.id from seqctl.attachment a order by a.id loop
        perform seqctl._generate_attachment(v_id);
    end loop;
end
$function$;

comment on function seqctl._regenerate_attachments() is 'Writes the trigger functions of every attachment anew; install calls it.';

revoke all on function seqctl._regenerate_attachments() from public;
