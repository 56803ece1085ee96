create or replace view seqctl.counter_corrections as
select
    s.name as series,
    r.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, r.period) as period,
    r.kind,
    r.from_number,
    r.to_number,
    r.reason,
    r.recorded_at,
    r.recorded_by,
    nullif(r.period, '-infinity') as period_start
from seqctl.counter_correction r
join seqctl.series s on s.id = r.series_id
order by r.id;

comment on view seqctl.counter_corrections is 'One readable row each time that a counter was lowered or removed, in the order in which it happened.';

revoke all on seqctl.counter_corrections from public;
