-- A chain begins with its counter's name, so that no chain can pass for another.
create or replace function seqctl._chain_start(
    p_series text,
    p_group_key text,
    p_period date
)
returns bytea
language sql
stable
as $function$
    select pg_catalog.sha256(
        pg_catalog.convert_to(pg_catalog.json_build_array('seqctl', p_series, p_group_key, p_period)::pg_catalog.text, 'UTF8')
    )
$function$;

comment on function seqctl._chain_start(text, text, date) is 'What the first link of a counter''s chain has in the place of the hash before it.';

revoke all on function seqctl._chain_start(text, text, date) from public;
