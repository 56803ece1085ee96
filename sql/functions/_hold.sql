-- See _recall for the layout.
create or replace function seqctl._hold(
    p_series_id integer,
    p_counter text,
    p_table oid,
    p_number bigint,
    p_count bigint,
    p_row_id text
)
returns void
language plpgsql
volatile
as $function$
declare
    v_hot text := current_setting('seqctl.hot_' || p_series_id, true);
    v_counter text := substr(split_part(v_hot, E'\x01', 1), 3);
    v_state text := split_part(v_hot, E'\x01', 2);
begin
    if v_hot <> '' and v_counter <> p_counter then
        perform seqctl._remember(p_series_id, v_counter, split_part(v_state, ' ', 1) || ' ' || split_part(v_state, ' ', 3));
    end if;
    v_hot := set_config(
        'seqctl.hot_' || p_series_id,
        p_table || ' ' || p_counter || E'\x01' || p_number || ' ' || p_count || ' ' || p_row_id,
        true
    );
end
$function$;

comment on function seqctl._hold(integer, text, oid, bigint, bigint, text) is
    'Makes a counter the one that was used last; the one before, which must be at rest, joins the others.';

revoke all on function seqctl._hold(integer, text, oid, bigint, bigint, text) from public;
