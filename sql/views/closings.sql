create or replace view seqctl.closings as
select
    s.name as series,
    seqctl._period_label(s.reset, s.fiscal_year_start, p.period) as period,
    p.group_key,
    p.action,
    p.reason,
    p.changed_at,
    p.changed_by,
    nullif(p.period, '-infinity') as period_start
from seqctl.period_closing p
join seqctl.series s on s.id = p.series_id
order by p.id;

comment on view seqctl.closings is 'One readable row a closing or reopening of a period, in the order in which they happened.';

revoke all on seqctl.closings from public;
