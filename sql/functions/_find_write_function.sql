-- By its name, or, where a schema was renamed with all that is in it, by its name in the schema where the table is now.
create or replace function seqctl._find_write_function(p_attachment seqctl.attachment)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select f.name
    from (
        values
            (1, p_attachment.write_function),
            (2, (
                select format('%s.%I', c.relnamespace::regnamespace, (parse_ident(p_attachment.write_function))[2])
                from pg_class c
                where c.oid = p_attachment.target and p_attachment.write_function is not null
            ))
    ) as f (position, name)
    where to_regprocedure(seqctl._write_signature(f.name)) is not null
    order by f.position
    limit 1
$function$;

comment on function seqctl._find_write_function(seqctl.attachment) is 'The function that writes the numbers of an attachment, wherever it is now, or NULL.';

revoke all on function seqctl._find_write_function(seqctl.attachment) from public;
