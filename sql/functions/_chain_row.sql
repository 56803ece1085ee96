-- The same as _chain_rows for a statement of one row, which p_rows holds.
create or replace function seqctl._chain_row(
    p_values jsonb,
    p_rows text
)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    select seqctl._fill(
        $template$
            perform seqctl._extend_chain(
                <<series_id>>, <<row_group>>, <<row_period>>, i.<<number>>::pg_catalog.int8, <<document>>, <<row_date>>, <<id>>,
                <<content>>)
            from $template$,
        p_values
    ) || p_rows || seqctl._fill(' i where i.<<number>> is not null;', p_values)
    where p_values ? 'content'
$function$;

comment on function seqctl._chain_row(jsonb, text) is 'SQL text in settle that adds its one row to a hash chain; NULL where the series keeps none.';

revoke all on function seqctl._chain_row(jsonb, text) from public;
