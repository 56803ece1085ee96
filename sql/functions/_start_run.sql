-- The next number of a counter, for a row that is about to be inserted into p_table; locks the counter. The rows after it get
-- theirs from the run that is opened here, without coming back, until the counter or the table changes.
create or replace function seqctl._start_run(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_table oid
)
returns bigint
language plpgsql
volatile
as $function$
declare
    v_counter text := p_period || ' ' || p_group_key;
    -- A key with the list's own separators is not remembered: each of its rows asks the tables.
    v_known boolean := v_counter !~ '[\x01-\x03]';
    v_held text;
    v_last bigint;
    v_row_id tid;
    v_next bigint;
    v_inserted bigint;
    v_set text;
begin
    perform seqctl._close_run(p_series_id);
    if v_known then
        v_held := seqctl._recall(p_series_id, v_counter);
    end if;
    if v_held is not null and left(v_held, 1) <> '?' then
        v_next := split_part(v_held, '@', 1);
    else
        select l.last_number, l.row_id into v_last, v_row_id
        from seqctl._lock_counter(p_series_id, p_group_key, p_period) l;
        if v_known and v_held is null then
            v_next := v_last + 1;
        else
            select greatest(v_last, t.highest) + 1 into v_next
            from seqctl._table_numbers(p_series_id, p_group_key, p_period, v_last + 1, 9223372036854775807) t;
        end if;
        if v_known then
            perform seqctl._remember(p_series_id, v_counter, v_next || '@' || v_row_id::text);
        end if;
    end if;

    if v_known then
        v_inserted := pg_stat_get_xact_tuples_inserted(p_table);
        v_set := set_config(
            'seqctl.run_' || p_series_id,
            p_table || ' ' || pg_stat_get_xact_tuples_deleted(p_table) || ' ' || v_counter,
            true
        );
        v_set := set_config('seqctl.base_' || p_series_id, (v_next - v_inserted)::text, true);
        v_set := set_config('seqctl.at_' || p_series_id, v_inserted::text, true);
    end if;
    return v_next;
end
$function$;

comment on function seqctl._start_run(integer, text, date, oid) is 'Locks a counter and opens a run: the number of the run''s first row.';

revoke all on function seqctl._start_run(integer, text, date, oid) from public;
