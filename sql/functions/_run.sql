-- See _recall for the layout. What the number functions compute in line.
create or replace function seqctl._run(p_table oid)
returns text
language sql
volatile
return p_table || ':' || (pg_stat_get_xact_tuples_deleted(p_table) + pg_stat_get_xact_tuples_updated('seqctl.counter'::regclass));

comment on function seqctl._run(oid) is 'Names the rows that a table is taking in, as long as nothing was deleted from it and no counter changed.';

revoke all on function seqctl._run(oid) from public;
