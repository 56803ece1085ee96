-- Volatile, to look with a snapshot of its own: the caller holds the counter's lock by now.
create or replace function seqctl._chain_head(
    p_series_id integer,
    p_group_key text,
    p_period date,
    out ordinal bigint,
    out hash bytea
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
    select k.ordinal, k.hash into _chain_head.ordinal, _chain_head.hash
    from seqctl.chain_link k
    where k.series_id = p_series_id and k.group_key = p_group_key and k.period = p_period
    order by k.ordinal desc
    limit 1;
    if not found then
        ordinal := 0;
        select seqctl._chain_start(s.name, p_group_key, p_period) into _chain_head.hash from seqctl.series s where s.id = p_series_id;
    end if;
end
$function$;

comment on function seqctl._chain_head(integer, text, date) is 'The last link of a counter''s chain, or its start.';

revoke all on function seqctl._chain_head(integer, text, date) from public;
