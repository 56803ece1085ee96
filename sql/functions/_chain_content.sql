-- A JSON array, so that no two rows have one text: NULL and '' differ, and no value runs into the next. Number, group and period are in the
-- link and in the start of its chain.
create or replace function seqctl._chain_content(
    p_prefix text,
    p_attachment seqctl.attachment
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select format(
        'pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.json_build_array(%s)::pg_catalog.text, ''UTF8''))',
        string_agg(coalesce(seqctl._chain_value(p_prefix || quote_ident(c.name), a.atttypid), 'null::pg_catalog.text'), ', ' order by c.position)
    )
    from unnest(array[p_attachment.document_number_column, p_attachment.date_column] || p_attachment.chain_columns)
        with ordinality as c (name, position)
    left join pg_attribute a on a.attrelid = p_attachment.target and a.attname = c.name and not a.attisdropped
$function$;

comment on function seqctl._chain_content(text, seqctl.attachment) is 'SQL text for the hash of what a row says, as its link records it.';

revoke all on function seqctl._chain_content(text, seqctl.attachment) from public;
