-- The numbers of all rows that wait in this transaction, in all tables. Counters are locked in one order over all series, so that two
-- transactions cannot wait for each other, whatever order they inserted in.
create or replace function seqctl._number_transaction(p_search_path text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_counter record;
    v_id integer;
    v_ids integer[] := '{}';
    v_count bigint;
    v_others integer[] := '{}';
begin
    for v_counter in
        select distinct
            a.series_id, p.group_key collate "C" as group_key, p.period, p.attachment_id,
            p.group_key is not null and p.period is not null and a.chronology <> 'stamp' as known
        from seqctl.pending p
        join seqctl.attachment a on a.id = p.attachment_id
        where p.xid = pg_current_xact_id()
        order by 1, 2, 3, 4
    loop
        if v_counter.attachment_id <> all (v_ids) then
            v_ids := v_ids || v_counter.attachment_id;
        end if;
        if v_counter.known then
            perform
            from seqctl.counter c
            where c.series_id = v_counter.series_id and c.group_key = v_counter.group_key and c.period = v_counter.period and not c.closed
            for no key update;
            if not found then
                perform seqctl._check_row('a waiting row', v_counter.group_key, false, null);
                perform seqctl._lock_counter(v_counter.series_id, v_counter.group_key, v_counter.period);
                perform seqctl._refuse_closed(v_counter.series_id, v_counter.group_key, v_counter.period);
            end if;
        end if;
    end loop;

    foreach v_id in array v_ids loop
        execute 'select seqctl._attachment_' || v_id || '_run($1)' into v_count using p_search_path;
        if v_count = 0 then
            v_others := v_others || v_id;
        end if;
    end loop;
    if v_others <> '{}' then
        perform seqctl._assign(v_others, false, null, p_search_path);
    end if;
    delete from seqctl.pending p where p.xid = pg_current_xact_id();
end
$function$;

comment on function seqctl._number_transaction(text) is 'Numbers the rows that wait for the transaction''s commit.';

revoke all on function seqctl._number_transaction(text) from public;
