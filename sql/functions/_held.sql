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
    v_hot text[] := string_to_array(current_setting('seqctl.hot_' || p_series_id, true), E'\x01');
begin
    if v_hot[2] = '0 ' || p_counter then
        return v_hot[3] || ' ' || v_hot[1];
    end if;
    return seqctl._recall(p_series_id, p_counter);
end
$function$;

comment on function seqctl._held(integer, text) is
    'What this transaction remembers of a counter, after _rest: next number (or ?) and ctid, or NULL.';

revoke all on function seqctl._held(integer, text) from public;
