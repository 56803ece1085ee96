-- See _recall for the layout.
create or replace function seqctl._held(
    p_series_id integer,
    p_counter text
)
returns text
language plpgsql
volatile
as $function$
declare
    v_hot text := current_setting('seqctl.hot_' || p_series_id, true);
    v_state text := split_part(v_hot, E'\x01', 2);
begin
    if starts_with(v_hot, '0 ' || p_counter || E'\x01') then
        return split_part(v_state, ' ', 1) || ' ' || split_part(v_state, ' ', 3);
    end if;
    return seqctl._recall(p_series_id, p_counter);
end
$function$;

comment on function seqctl._held(integer, text) is
    'What this transaction remembers of a counter, after _rest: next number (or ?) and ctid, or NULL.';

revoke all on function seqctl._held(integer, text) from public;
