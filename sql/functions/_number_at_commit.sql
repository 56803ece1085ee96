-- Deferred until the transaction commits, or until SET CONSTRAINTS ... IMMEDIATE. The first row of seqctl.pending whose turn it is brings
-- the numbers of all that wait; the others find nothing left to do. It pins no search_path, to hand the session's on to the triggers
-- of the tables.
create or replace function seqctl._number_at_commit()
returns trigger
language plpgsql
security definer
as $function$
declare
    v_waiting seqctl.pending[];
begin
    with gone as (
        delete from seqctl.pending p
        where p.xid operator(pg_catalog.=) pg_catalog.pg_current_xact_id()
            and exists (select from seqctl.pending q where q.id operator(pg_catalog.=) new.id)
        returning p as waiting
    )
    select pg_catalog.array_agg(g.waiting) into v_waiting
    from gone g;
    if v_waiting is not null then
        if pg_catalog.pg_trigger_depth() operator(pg_catalog.>) 1 then
            -- In the middle of a statement, constraints being immediate, not at the commit.
            perform seqctl._settle_landed(w.series_id, w.group_key, w.period)
            from (
                select distinct a.series_id, p.group_key collate pg_catalog."C" as group_key, p.period
                from pg_catalog.unnest(v_waiting) p
                join seqctl.attachment a on a.id operator(pg_catalog.=) p.attachment_id
                where a.chronology operator(pg_catalog.<>) 'stamp'
                order by 1, 2, 3
            ) w;
        end if;
        perform seqctl._number_transaction(v_waiting, pg_catalog.current_setting('search_path'));
    end if;
    return null;
end
$function$;

comment on function seqctl._number_at_commit() is 'Trigger: numbers the rows that wait for the transaction''s commit.';

revoke all on function seqctl._number_at_commit() from public;
