-- See _recall for the layout.
create or replace function seqctl._remember(
    p_series_id integer,
    p_counter text,
    p_value text
)
returns void
language plpgsql
volatile
as $function$
declare
    v_setting text := 'seqctl.held_' || p_series_id || '_' || (hashtext(p_counter) & 63);
    v_list text := coalesce(current_setting(v_setting, true), '');
    v_key text := chr(1) || p_counter || chr(2);
    v_at integer := strpos(v_list, v_key);
    v_rest text;
begin
    if v_at = 0 then
        v_list := set_config(v_setting, v_list || v_key || p_value || chr(3), true);
    else
        v_rest := substr(v_list, v_at + length(v_key));
        v_list := set_config(
            v_setting,
            left(v_list, v_at + length(v_key) - 1) || p_value || substr(v_rest, strpos(v_rest, chr(3))),
            true
        );
    end if;
end
$function$;

comment on function seqctl._remember(integer, text, text) is 'Remembers a counter until the transaction ends or rolls back to before.';

revoke all on function seqctl._remember(integer, text, text) from public;
