-- Not in order, so that a join with it can use the register's index.
create or replace view seqctl.voids as
select
    s.name as series,
    r.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, r.period) as period,
    r.from_number,
    r.to_number,
    r.kind,
    r.reason,
    r.recorded_at,
    r.recorded_by,
    nullif(r.period, '-infinity') as period_start
from seqctl.voided_range r
join seqctl.series s on s.id = r.series_id;

comment on view seqctl.voids is 'The void register: one readable row a number, or range of numbers, that is missing or annulled, and why.';

revoke all on seqctl.voids from public;
