create or replace view seqctl.counters as
select
    s.name as series,
    c.group_key,
    seqctl._period_label(s.reset, s.fiscal_year_start, c.period) as period,
    s.first_number,
    c.last_number,
    c.last_number - s.first_number + 1 as given,
    s.max_number,
    nullif(c.period, '-infinity') as period_start,
    c.closed
from seqctl.counter c
join seqctl.series s on s.id = c.series_id
order by s.name, c.group_key collate "C", c.period;

comment on view seqctl.counters is 'One readable row a counter: series, group, period, the numbers given so far, and whether the period is closed.';

revoke all on seqctl.counters from public;
