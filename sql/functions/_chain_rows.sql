-- The part of settle's query that adds the rows of counters it has settled; p_rows names the transition table, p_where is a WHERE clause.
create or replace function seqctl._chain_rows(
    p_values jsonb,
    p_rows text,
    p_where text
)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    select E',\n        ' || replace(
        seqctl._chain_query((p_values ->> 'series_id')::integer, 'settled', seqctl._fill(
            $rows$select
                <<row_group>> as group_key, <<row_period>> as period, i.<<number>>::pg_catalog.int8 as number,
                <<document>> as document_number, <<row_date>> as on_date, <<id>> as attachment_id,
                <<content>> as content, null::pg_catalog.int8 as replaces
            from $rows$,
            p_values
        ) || p_rows || ' i' || coalesce(p_where, '')),
        E'\n', E'\n        '
    )
    where p_values ? 'content'
$function$;

comment on function seqctl._chain_rows(jsonb, text, text) is 'SQL text in settle that adds its rows to hash chains; NULL where the series keeps none.';

revoke all on function seqctl._chain_rows(jsonb, text, text) from public;
