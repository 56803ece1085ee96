-- See _recall for the layout.
create or replace function seqctl._rest(p_series_id integer)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_hot text[] := string_to_array(current_setting('seqctl.hot_' || p_series_id, true), E'\x01');
    v_table text := split_part(v_hot[2], ' ', 1);
    v_table_id oid;
    v_counter text := substr(v_hot[2], length(v_table) + 2);
    v_next bigint;
    v_count bigint;
    v_is_known boolean := true;
    v_set text;
begin
    if v_hot[1] is null or v_table = '0' then
        return;
    end if;
    if left(v_table, 1) = '#' then
        select a.target into v_table_id from seqctl.attachment a where a.id = substr(v_table, 2)::integer;
        if not found then
            raise exception using
                errcode = 'serialization_failure',
                message = 'could not serialize access: the table was attached to its series after this transaction began',
                detail = 'What the transaction sees does not tell which numbers are taken. Nothing was inserted.',
                hint = 'Run the transaction again.';
        end if;
    else
        v_table_id := nullif(v_table, '');
    end if;

    if coalesce(v_counter, '') = '' then
        if v_table <> '' then
            v_count := pg_stat_get_xact_tuples_inserted(v_table_id) - v_hot[3]::bigint
                + (pg_stat_get_xact_tuples_deleted(v_table_id) + pg_stat_get_xact_tuples_updated('seqctl.counter'::regclass) << 40);
            v_is_known := v_count in (0, 1);
        end if;
        select seqctl._counter_text(c.period, c.group_key), c.last_number + 1 + coalesce(v_count, 0) into v_counter, v_next
        from seqctl.counter c
        where c.ctid = v_hot[1]::tid and c.series_id = p_series_id and strpos(c.group_key, E'\x01') = 0;
        if not found then
            v_set := set_config('seqctl.hot_' || p_series_id, '(0,0)', true);
            return;
        end if;
    else
        v_next := v_hot[3]::bigint + pg_stat_get_xact_tuples_inserted(v_table_id) # seqctl._run_mark(v_table_id);
        v_is_known := v_next >> 50 = 0;
    end if;
    v_set := set_config(
        'seqctl.hot_' || p_series_id,
        concat(v_hot[1], E'\x01', '0 ', v_counter, E'\x01',
            case when v_is_known and current_setting('track_counts')::boolean then v_next::text else '?' end),
        true
    );
end
$function$;

comment on function seqctl._rest(integer) is 'Works out the next number of the counter that was used last, and notes it.';

revoke all on function seqctl._rest(integer) from public;
