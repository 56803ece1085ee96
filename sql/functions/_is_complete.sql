-- Whether a table still has what its trigger functions are made of. Written anew without it they would number by what is left, from counters
-- of other groups, or look for rows by a key that the write function, which is never written anew, does not know: nobody may do that.
create or replace function seqctl._is_complete(p_attachment seqctl.attachment)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select seqctl._missing_columns(p_attachment) = '{}'
        and (p_attachment.write_function is null or p_attachment.row_keys = seqctl._row_key_texts(p_attachment.target))
$function$;

comment on function seqctl._is_complete(seqctl.attachment) is 'A table has the columns and the primary key that it was attached with.';

revoke all on function seqctl._is_complete(seqctl.attachment) from public;
