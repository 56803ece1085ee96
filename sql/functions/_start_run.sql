-- The number of a row that is about to be inserted, where the trigger function could not tell it by itself: checks the row, locks
-- the counter. The rows after it go on from what is remembered here, without coming back. p_table_name is how _recall writes p_table;
-- p_given is the number that the row came with.
create or replace function seqctl._start_run(
    p_series_id integer,
    p_what text,
    p_group_key text,
    p_needs_date boolean,
    p_date date,
    p_period date,
    p_table oid,
    p_table_name text,
    p_given bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_counter text := seqctl._counter_text(p_period, p_group_key);
    -- A group with the separator in it is not remembered: each of its rows asks the tables.
    v_known boolean := strpos(p_group_key, E'\x01') = 0;
    v_held text;
    v_last bigint;
    v_row_id text;
    v_next bigint;
    v_waits boolean := false;
    -- The counter, and the waiting number that was given last: all below it are taken. The next row need not look at them again.
    v_setting text := 'seqctl.waiting_' || p_series_id;
    v_given text[];
begin
    perform seqctl._check_row(p_what, p_group_key, p_needs_date, p_date);
    perform seqctl._rest(p_series_id);
    if p_given is not null and seqctl._is_finalized(p_series_id, p_what, p_group_key, p_period, p_given) then
        -- It takes no number. At rest, the counter does not count the row as one that did.
        return p_given;
    end if;
    if v_known then
        v_held := seqctl._held(p_series_id, v_counter);
    end if;
    if v_held is not null and left(v_held, 1) <> '?' then
        v_next := split_part(v_held, ' ', 1);
        v_row_id := split_part(v_held, ' ', 2);
    else
        select l.last_number, l.row_id, l.waits into v_last, v_row_id, v_waits
        from seqctl._lock_counter(p_series_id, p_group_key, p_period) l;
        if v_waits then
            v_given := string_to_array(current_setting(v_setting, true), E'\x01');
            v_next := (seqctl._waiting_numbers(
                p_series_id, p_group_key, p_period, 1, case when v_given[1] = v_counter and v_known then v_given[2]::bigint end))[1];
            v_waits := v_next is not null;
        end if;
        if v_waits then
            null;
        elsif v_known and v_held is null then
            v_next := v_last + 1;
        else
            select greatest(v_last, t.highest) + 1 into v_next
            from seqctl._table_numbers(p_series_id, p_group_key, p_period, v_last + 1, 9223372036854775807) t;
        end if;
    end if;
    if p_given <> v_next then
        perform seqctl._refuse_explicit(
            p_what, (select s.name from seqctl.series s where s.id = p_series_id), p_given::text, v_next::text);
    end if;
    if v_known then
        if v_waits then
            -- More may wait, and if this row does not land, this one does: the next row asks again.
            perform seqctl._hold(p_series_id, v_counter, v_row_id, 0, null);
            perform set_config(v_setting, concat(v_counter, E'\x01', v_next), true);
        elsif p_table = 0 then
            -- Nobody counts this row, so it is taken to land.
            perform seqctl._hold(p_series_id, v_counter, v_row_id, 0, v_next + 1);
        elsif current_setting('track_counts')::boolean then
            perform seqctl._hold(p_series_id, v_counter, v_row_id, p_table, v_next, p_table_name);
        else
            -- Nobody counts the rows that land: each row asks the tables.
            perform seqctl._hold(p_series_id, v_counter, v_row_id, 0, null);
        end if;
    elsif coalesce(current_setting('seqctl.hot_' || p_series_id, true), '') = '' then
        -- The next row must not take itself for the first of the transaction.
        perform set_config('seqctl.hot_' || p_series_id, '(0,0)', true);
    end if;
    return v_next;
end
$function$;

comment on function seqctl._start_run(integer, text, text, boolean, date, date, oid, text, bigint) is
    'Locks a counter: the number of the next row of a table.';

revoke all on function seqctl._start_run(integer, text, text, boolean, date, date, oid, text, bigint) from public;
