-- For the trigger and the function that protect issued rows: whether a column that the chain covers has another value. Compared as the chain has
-- them, because what counts as equal is not always written alike, and json cannot be compared.
create or replace function seqctl._chain_changed(p_attachment seqctl.attachment)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select string_agg(
        format(
            ' or %s is distinct from %s',
            seqctl._chain_value('new.' || quote_ident(c.name), a.atttypid), seqctl._chain_value('old.' || quote_ident(c.name), a.atttypid)
        ),
        '' order by c.position
    )
    from unnest(p_attachment.chain_columns) with ordinality as c (name, position)
    join pg_attribute a on a.attrelid = p_attachment.target and a.attname = c.name and not a.attisdropped
$function$;

comment on function seqctl._chain_changed(seqctl.attachment) is 'SQL text: or, and whether an UPDATE changes what a hash chain covers; NULL where it covers nothing more.';

revoke all on function seqctl._chain_changed(seqctl.attachment) from public;
