-- See _recall for the layout. p_table is 0 for a counter at rest, else p_table_name is how it is written there; p_next is NULL where it
-- is unknown.
create or replace function seqctl._hold(
    p_series_id integer,
    p_counter text,
    p_row_id text,
    p_table oid,
    p_next bigint,
    p_table_name text default '0'
)
returns void
language plpgsql
volatile
as $function$
declare
    v_hot text[] := string_to_array(current_setting('seqctl.hot_' || p_series_id, true), E'\x01');
    v_counter text := substr(v_hot[2], 3);
    v_set text;
begin
    if v_counter <> p_counter then
        perform seqctl._remember(p_series_id, v_counter, v_hot[3], v_hot[1]);
    end if;
    if p_table <> 0 then
        p_next := (p_next # seqctl._run_mark(p_table)) - pg_stat_get_xact_tuples_inserted(p_table);
    end if;
    v_set := set_config(
        'seqctl.hot_' || p_series_id, concat(p_row_id, E'\x01', p_table_name, ' ', p_counter, E'\x01', coalesce(p_next::text, '?')), true);
end
$function$;

comment on function seqctl._hold(integer, text, text, oid, bigint, text) is
    'Makes a counter the one that was used last; the one before, which must be at rest, joins the others.';

revoke all on function seqctl._hold(integer, text, text, oid, bigint, text) from public;
