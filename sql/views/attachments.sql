create or replace view seqctl.attachments as
select
    a.target,
    a.number_column,
    s.name as series,
    a.date_column,
    a.group_columns,
    a.document_number_column,
    a.issue_when,
    a.assign,
    a.chronology,
    a.protect,
    a.unique_index,
    a.attached_at,
    a.attached_by,
    a.chain_columns
from seqctl.attachment a
join seqctl.series s on s.id = a.series_id
order by a.id;

comment on view seqctl.attachments is 'One readable row an attachment: which column is numbered from which series.';

revoke all on seqctl.attachments from public;
