-- See _recall for the layout. What the number functions compute in line.
create or replace function seqctl._run_mark(p_table oid)
returns bigint
language sql
volatile
return (pg_stat_get_xact_tuples_deleted(p_table) + pg_stat_get_xact_tuples_updated('seqctl.counter'::regclass) & 8191) << 50;

comment on function seqctl._run_mark(oid) is 'Another one as soon as something was deleted from the table, or a counter changed.';

revoke all on function seqctl._run_mark(oid) from public;
