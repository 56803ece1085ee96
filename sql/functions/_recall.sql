-- What a transaction remembers, so that the second row of a counter costs no table access.
--
-- It stands in settings that are local to the transaction, because they roll back with its savepoints. Any session can forge them,
-- so they are only a cache: what settles a counter (see _generate_attachment) never trusts them. The names are a fixed set a
-- series, since PostgreSQL keeps the name of a setting until the session ends. E'\x01' separates; a group that contains it is
-- not remembered at all. A counter is written '<period> <group key>'.
--
--   seqctl.hot_<series>          the counter that was used last:
--                                '<table oid> <counter>\x01<number> <count> <ctid of the counter row>' while a statement runs: a
--                                row of the table got the number when the table had taken in <count> rows, so one more means that it
--                                landed, and none that it did not (ON CONFLICT) and the next row gets the same number;
--                                '0 <counter>\x01<next number> 0 <ctid>' at rest.
--   seqctl.held_<series>_<0-255> the others, by hash: a list of '\x01<counter>\x01<next number or ?> <ctid>'. '?': rows came and went
--                                that nobody counted (a savepoint inside a function, a trigger that deletes); the tables must be asked.
create or replace function seqctl._recall(
    p_series_id integer,
    p_counter text
)
returns text
language plpgsql
volatile
as $function$
declare
    v_list text := current_setting('seqctl.held_' || p_series_id || '_' || (hashtext(p_counter) & 255), true);
    v_key text := E'\x01' || p_counter || E'\x01';
    v_at integer := strpos(v_list, v_key);
begin
    if v_at > 0 then
        return split_part(substr(v_list, v_at + length(v_key)), E'\x01', 1);
    end if;
    return null;
end
$function$;

comment on function seqctl._recall(integer, text) is
    'What this transaction remembers of a counter that is not the last used: next number and ctid, or NULL.';

revoke all on function seqctl._recall(integer, text) from public;
