-- Deferred until the transaction commits, or until SET CONSTRAINTS … IMMEDIATE. The first row of seqctl.pending whose turn it is brings
-- the numbers of all that wait; the others find nothing left to do. It pins no search_path, to hand the session's on to the triggers
-- of the tables.
create or replace function seqctl._number_at_commit()
returns trigger
language plpgsql
security definer
as $function$
begin
    if exists (select from seqctl.pending p where p.id operator(pg_catalog.=) new.id) then
        perform seqctl._number_transaction(pg_catalog.current_setting('search_path'));
    end if;
    return null;
end
$function$;

comment on function seqctl._number_at_commit() is 'Trigger: numbers the rows that wait for the transaction''s commit.';

revoke all on function seqctl._number_at_commit() from public;
