-- The part of a WITH query that adds many links in one pass: CTE linked, an INSERT. p_counters names a CTE with the group_key and period of each
-- counter, which is locked; p_rows is a query of rows (group_key, period, number, document_number, on_date, attachment_id, content, replaces). Of
-- each counter they are added in the order of their numbers. Written in full: settle runs it under the caller's search_path.
--
-- A full join, of which only what matches is used, because it cannot be a nested loop: a plan that was made for a few rows of one counter would
-- compare each of many rows with each of many counters.
create or replace function seqctl._chain_query(
    p_series_id integer,
    p_counters text,
    p_rows text
)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    select seqctl._fill(
        $query$chain_head as materialized (
    select pg_catalog.row_number() over () as place, c.group_key, c.period, h.ordinal, h.hash
    from <<counters>> c
    cross join lateral seqctl._chain_head(<<series_id>>, c.group_key, c.period) h
),
linked as (
    insert into seqctl.chain_link (
        series_id, group_key, period, ordinal, number, document_number, on_date, attachment_id, content, replaces, issued_at, issued_by, hash
    )
    select
        <<series_id>>, n.group_key, n.period, n.ordinal, n.number, n.document_number, n.on_date, n.attachment_id, n.content, n.replaces,
        n.issued_at, session_user,
        seqctl._link_hashes(
            n.hash, n.ordinal, n.number, n.document_number, n.on_date, n.attachment_id, n.content, n.replaces, n.issued_at, session_user
        ) over (partition by n.place order by n.number, n.ordinal rows unbounded preceding)
    from (
        select
            r.*, h.place, h.hash,
            h.ordinal operator(pg_catalog.+) pg_catalog.row_number() over (partition by h.place order by r.number) as ordinal,
            (select pg_catalog.clock_timestamp()) as issued_at
        from (
            <<rows>>
        ) r
        full join chain_head h
            on h.group_key collate pg_catalog."C" operator(pg_catalog.=) r.group_key collate pg_catalog."C"
            and h.period operator(pg_catalog.=) r.period
        where coalesce(h.place, -1) operator(pg_catalog.>=) 0 and coalesce(r.number, -1) operator(pg_catalog.>=) 0
    ) n
)$query$,
        jsonb_build_object('series_id', p_series_id, 'counters', p_counters, 'rows', p_rows)
    )
$function$;

comment on function seqctl._chain_query(integer, text, text) is 'SQL text that adds rows to the hash chains of their counters.';

revoke all on function seqctl._chain_query(integer, text, text) from public;
