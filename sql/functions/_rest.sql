-- See _recall for the layout.
create or replace function seqctl._rest(p_series_id integer)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_hot text := current_setting('seqctl.hot_' || p_series_id, true);
    v_head text := split_part(v_hot, E'\x01', 1);
    v_state text := split_part(v_hot, E'\x01', 2);
    v_table text := split_part(v_head, ' ', 1);
    v_step bigint;
begin
    if coalesce(v_hot, '') = '' or v_table = '0' then
        return;
    end if;
    v_step := pg_stat_get_xact_tuples_inserted(v_table::oid) + (pg_stat_get_xact_tuples_deleted(v_table::oid) << 40)
        - split_part(v_state, ' ', 2)::bigint;
    v_hot := set_config(
        'seqctl.hot_' || p_series_id,
        '0 ' || substr(v_head, length(v_table) + 2) || E'\x01'
            || case when v_step in (0, 1) then (split_part(v_state, ' ', 1)::bigint + v_step)::text else '?' end
            || ' 0 ' || split_part(v_state, ' ', 3),
        true
    );
end
$function$;

comment on function seqctl._rest(integer) is 'Works out the next number of the counter that was used last, and notes it.';

revoke all on function seqctl._rest(integer) from public;
