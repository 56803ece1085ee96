-- See _recall for the layout.
create or replace function seqctl._remember(
    p_series_id integer,
    p_counter text,
    p_value text
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
begin
    if v_at > 0 then
        v_rest := substr(v_list, v_at + length(v_key));
        v_list := left(v_list, v_at - 1) || substr(v_rest, length(split_part(v_rest, E'\x01', 1)) + 1);
    end if;
    v_list := set_config(v_setting, v_list || v_key || p_value, true);
end
$function$;

comment on function seqctl._remember(integer, text, text) is 'Remembers a counter until the transaction ends or rolls back to before.';

revoke all on function seqctl._remember(integer, text, text) from public;
