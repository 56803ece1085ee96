-- The numbers of all rows that wait in this transaction, in all tables. Counters are locked in one order over all series, so that two
-- transactions cannot wait for each other, whatever order they inserted in. Whatever can be done before the first lock is done
-- before. Each attachment's run is tried first; those where it returned 0, because it could not tell, are left to _assign.
create or replace function seqctl._number_transaction(
    p_waiting seqctl.pending[],
    p_search_path text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_waiting seqctl.pending[] := p_waiting;
    v_counter record;
    v_ids integer[] := array[p_waiting[1].attachment_id];
    v_id integer;
    v_count bigint;
    v_others integer[] := '{}';
begin
    if cardinality(p_waiting) > 1 then
        v_waiting := array(select p from unnest(p_waiting) p order by p.group_key collate "C", p.period, p.id);
        v_ids := array(select distinct p.attachment_id from unnest(p_waiting) p order by 1);
    end if;
    if cardinality(v_ids) > 1 then
        -- Else each is locked when its turn comes, which is the same order.
        for v_counter in
            select distinct a.series_id, p.group_key collate "C" as group_key, p.period
            from unnest(v_waiting) p
            join seqctl.attachment a on a.id = p.attachment_id
            where p.attachment_id = any (v_ids) and a.chronology <> 'stamp' and p.group_key is not null and p.period is not null
            order by 1, 2, 3
        loop
            perform seqctl._check_row('a waiting row', v_counter.group_key, false, null);
            perform seqctl._lock_counter(v_counter.series_id, v_counter.group_key, v_counter.period);
        end loop;
    end if;

    foreach v_id in array v_ids loop
        begin
            execute 'select seqctl._attachment_' || v_id || '_run($1, $2)' into v_count using v_waiting, p_search_path;
        exception
            when sqlstate 'SQ012' or sqlstate 'SQ013' then
                -- A trigger changed rows of the statement before it had written them down; or released numbers wait to be given again.
                v_count := 0;
        end;
        if v_count = 0 then
            v_others := v_others || v_id;
        end if;
    end loop;
    if v_others <> '{}' then
        -- Not those of a table that was dropped meanwhile.
        v_others := array(select a.id from seqctl.attachment a join pg_class c on c.oid = a.target where a.id = any (v_others));
        perform seqctl._assign(v_others, v_waiting, null, p_search_path);
    end if;
end
$function$;

comment on function seqctl._number_transaction(seqctl.pending[], text) is 'Numbers the rows that wait for the transaction''s commit.';

revoke all on function seqctl._number_transaction(seqctl.pending[], text) from public;
