-- The part of _attachment_values for a series that keeps hash chains. Of others nothing is in the generated functions.
create or replace function seqctl._chain_values(
    p_attachment seqctl.attachment,
    p_values jsonb
)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select p_values || jsonb_build_object(
        'content', seqctl._chain_content('i.', p_attachment),
        'document', coalesce(
            'i.' || quote_ident(p_attachment.document_number_column) || '::pg_catalog.text', 'null::pg_catalog.text'),
        'frozen_what', quote_literal(concat_ws(
            ', ', 'number', 'document number', 'group', 'date', 'being issued',
            (
                select format('and what its hash chain covers (%s)', string_agg(c.name, ', ' order by c.position))
                from unnest(p_attachment.chain_columns) with ordinality as c (name, position)
                having count(*) > 0
            )
        ) || ' stay as they are')
    )
$function$;

comment on function seqctl._chain_values(seqctl.attachment, jsonb) is 'What the templates are filled with where the series keeps hash chains.';

revoke all on function seqctl._chain_values(seqctl.attachment, jsonb) from public;
