-- One event for each row of seqctl.pending: a statement and counter. A constraint trigger cannot be replaced, and dropping it would
-- wait for every transaction that numbers at commit; all that can change is in its function.
do $do$
begin
    if not exists (
        select
        from pg_catalog.pg_trigger t
        where t.tgrelid = 'seqctl.pending'::pg_catalog.regclass and t.tgname = 'number_at_commit'
    ) then
        create constraint trigger number_at_commit
            after insert on seqctl.pending
            deferrable initially deferred
            for each row
            when (new.keys is not null)
            execute function seqctl._number_at_commit();
    end if;
end
$do$;
