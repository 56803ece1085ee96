-- Columns that an attached table had when it was attached, and has no more: dropped or renamed. Its functions name them, so that writes fail
-- until they are back.
create or replace function seqctl._missing_columns(p_attachment seqctl.attachment)
returns name[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select array(
        select n.name
        from unnest(
            array[p_attachment.number_column, p_attachment.date_column, p_attachment.document_number_column]
            || p_attachment.group_columns || p_attachment.issue_columns || p_attachment.chain_columns
        ) with ordinality as n (name, position)
        where n.name is not null
            and exists (select from pg_class c where c.oid = p_attachment.target)
            and not exists (
                select from pg_attribute a where a.attrelid = p_attachment.target and a.attname = n.name and not a.attisdropped
            )
        group by n.name
        order by min(n.position)
    )
$function$;

comment on function seqctl._missing_columns(seqctl.attachment) is 'The columns of an attachment that its table has no more.';

revoke all on function seqctl._missing_columns(seqctl.attachment) from public;
