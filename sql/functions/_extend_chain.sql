-- Adds the link of one number, if the series keeps a chain. The caller holds the counter's lock.
create or replace function seqctl._extend_chain(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_number bigint,
    p_document_number text,
    p_on_date date,
    p_attachment_id integer default null,
    p_content bytea default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_now timestamptz := clock_timestamp();
begin
    insert into seqctl.chain_link (
        series_id, group_key, period, ordinal, number, document_number, on_date, attachment_id, content, issued_at, issued_by, hash
    )
    select
        s.id, p_group_key, p_period, coalesce(h.ordinal, 0) + 1, p_number, p_document_number, p_on_date, p_attachment_id, p_content, v_now,
        session_user,
        seqctl._link_hash(
            h.hash, seqctl._chain_start(s.name, p_group_key, p_period), coalesce(h.ordinal, 0) + 1, p_number, p_document_number, p_on_date,
            p_attachment_id, p_content, null, v_now, session_user
        )
    from seqctl.series s
    left join lateral (
        select k.ordinal, k.hash
        from seqctl.chain_link k
        where k.series_id = s.id and k.group_key = p_group_key and k.period = p_period
        order by k.ordinal desc
        limit 1
    ) h on true
    where s.id = p_series_id and s.chain;
end
$function$;

comment on function seqctl._extend_chain(integer, text, date, bigint, text, date, integer, bytea) is
    'Adds a number to the hash chain of its counter; nothing where the series keeps none.';

revoke all on function seqctl._extend_chain(integer, text, date, bigint, text, date, integer, bytea) from public;
