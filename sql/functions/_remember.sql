-- See _recall for the layout. p_settled: the next number is after rows that were settled; where a higher one is noted, or '?', another
-- table of the series may have rows that take the numbers after these, but are not settled yet, and the tables must be asked.
create or replace function seqctl._remember(
    p_series_id integer,
    p_counter text,
    p_next text,
    p_row_id text,
    p_settled boolean default false
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_setting text := 'seqctl.held_' || p_series_id || '_' || (hashtext(p_counter) & 1023);
    v_list text := coalesce(current_setting(v_setting, true), '');
    v_key text := E'\x01' || p_counter || E'\x01';
    v_at integer := strpos(v_list, v_key);
    v_rest text;
    v_noted text;
begin
    if v_at > 0 then
        v_rest := substr(v_list, v_at + length(v_key));
        v_noted := split_part(v_rest, ' ', 1);
        if p_settled and (v_noted = '?' or v_noted::bigint > p_next::bigint) then
            p_next := '?';
        end if;
        v_list := left(v_list, v_at - 1) || substr(v_rest, length(split_part(v_rest, E'\x01', 1)) + 1);
    end if;
    v_list := set_config(v_setting, concat(v_list, v_key, p_next, ' ', p_row_id), true);
end
$function$;

comment on function seqctl._remember(integer, text, text, text, boolean) is 'Remembers a counter until the transaction ends or rolls back to before.';

revoke all on function seqctl._remember(integer, text, text, text, boolean) from public;
