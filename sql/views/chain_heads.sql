-- The last link of each counter, by the index.
create or replace view seqctl.chain_heads as
select
    s.name as series,
    c.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, c.period) as period,
    h.ordinal,
    h.number,
    h.issued_at,
    encode(h.hash, 'hex') as hash,
    nullif(c.period, '-infinity') as period_start
from seqctl.counter c
join seqctl.series s on s.id = c.series_id and s.chain
cross join lateral (
    select k.ordinal, k.number, k.issued_at, k.hash
    from seqctl.chain_link k
    where k.series_id = c.series_id and k.group_key = c.group_key and k.period = c.period
    order by k.ordinal desc
    limit 1
) h
order by s.name, c.group_key collate "C", c.period;

comment on view seqctl.chain_heads is
    'The last link of each hash chain: whoever notes it down can prove later that nothing before it was changed, nor its end cut off.';

revoke all on seqctl.chain_heads from public;
