create or replace view seqctl.checkouts as
select
    s.name as series,
    k.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, k.period) as period,
    k.number,
    k.document_number,
    k.correlation_id,
    case when k.state = 'open' and k.expires_at <= clock_timestamp() then 'expired' else k.state end as state,
    k.opened_at,
    k.opened_by,
    k.expires_at,
    k.settled_at,
    k.settled_by,
    k.settled_how,
    k.reference,
    k.state = 'released' and k.stops as waits,
    k.on_date,
    nullif(k.period, '-infinity') as period_start
from seqctl.checkout k
join seqctl.series s on s.id = k.series_id
order by k.id;

comment on view seqctl.checkouts is 'One readable row a checkout: the number, for whom, and whether it is open, expired, finalized or released.';

revoke all on seqctl.checkouts from public;
