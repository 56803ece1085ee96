-- p_former is SQL for the contents by the columns of other times, or null.
create or replace function seqctl._chain_source(
    p_attachment seqctl.attachment,
    p_former text default null
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select seqctl._fill(
        'select <<group>> as group_key, <<period>> as period, i.<<number>>::int8 as number, <<document>> as document_number, '
        '<<date>> as on_date, <<id>> as attachment_id, <<content>> as content<<former>> from <<target>> i where i.<<number>> is not null',
        seqctl._adoption_values(p_attachment) || jsonb_build_object(
            'id', p_attachment.id,
            'document', coalesce('i.' || quote_ident(p_attachment.document_number_column) || '::text', 'null::text'),
            'content', seqctl._chain_content('i.', p_attachment),
            'former', ', ' || p_former || ' as former'
        )
    )
$function$;

comment on function seqctl._chain_source(seqctl.attachment, text) is 'A query of the numbered rows of an attached table, as a hash chain records them.';

revoke all on function seqctl._chain_source(seqctl.attachment, text) from public;
