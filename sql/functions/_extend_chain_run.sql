-- Numbers without a row, in one pass; see _extend_chain.
create or replace function seqctl._extend_chain_run(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_first bigint,
    p_document_numbers text[],
    p_on_date date
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
    execute 'with counter as (select $1 as group_key, $2 as period), ' || seqctl._chain_query(
        p_series_id,
        'counter',
        'select $1 as group_key, $2 as period, $3 + d.position - 1 as number, d.document_number, $5 as on_date, null::int4 as attachment_id, '
        'null::bytea as content, null::int8 as replaces from unnest($4) with ordinality as d (document_number, position)'
    ) || ' select'
    using p_group_key, p_period, p_first, p_document_numbers, p_on_date;
end
$function$;

comment on function seqctl._extend_chain_run(integer, text, date, bigint, text[], date) is
    'Adds numbers that follow each other, without rows, to the hash chain of their counter.';

revoke all on function seqctl._extend_chain_run(integer, text, date, bigint, text[], date) from public;
