-- A transaction remembers the counters it holds in settings local to it, because they roll back with its savepoints and cost
-- no table access. Any session can forge them, so they are only a cache: what settles a counter never trusts them.
--
-- seqctl.held_<series>_<0..63> is a list of entries: chr(1) counter chr(2) next number '@' ctid of the counter row chr(3).
-- A fixed set of names, since PostgreSQL never forgets the name of a setting in a session.
create or replace function seqctl._recall(
    p_series_id integer,
    p_counter text
)
returns text
language plpgsql
volatile
as $function$
declare
    v_list text := current_setting('seqctl.held_' || p_series_id || '_' || (hashtext(p_counter) & 63), true);
    v_at integer := strpos(v_list, chr(1) || p_counter || chr(2));
begin
    if v_at > 0 then
        return split_part(substr(v_list, v_at + length(p_counter) + 2), chr(3), 1);
    end if;
    return null;
end
$function$;

comment on function seqctl._recall(integer, text) is 'What this transaction remembers of a counter: next number @ ctid, or NULL.';

revoke all on function seqctl._recall(integer, text) from public;
