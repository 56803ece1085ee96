-- What a transaction remembers, so that the second row of a counter costs no table access.
--
-- It stands in settings that are local to the transaction, because they roll back with its savepoints. Any session can forge them,
-- so they are only a cache: what settles a counter (see _generate_attachment) never trusts them. The names are a fixed set a
-- series, since PostgreSQL keeps the name of a setting until the session ends. E'\x01' separates; a group that contains it is
-- not remembered at all. A counter is written as _counter_text does, a table as '#' and its attachment's id; a
-- partition as its oid.
--
--   seqctl.hot_<series>          the counter that was used last, <row> being the ctid of its row:
--                                '<row>\x01<table>\x01<count>' after the first row of a transaction: a row of the table got the
--                                counter's last number + 1 when the table had taken in <count> rows (the bits from
--                                2^40 on count what a run's mark counts);
--                                '<row>\x01<table> <counter>\x01<base>[\x01<held>]' after more rows: the next number is base + the rows
--                                that the table has taken in, so that the number of a row that did not land (ON CONFLICT) goes to the next.
--                                The bits of base from 2^50 on are the run's mark: rows deleted from the table and updates of
--                                seqctl.counter in this transaction, rolled back or not. If they do not cancel out, statements in
--                                between inserted rows of this table, too, or made some come and go (or the numbers are that large,
--                                and each row asks the tables);
--                                <held> is the next number that the others, below, already have of this counter;
--                                '<row>' or '<row>\x010 <counter>\x01<next number>' at rest, that is, between statements; '(0,0)' is the row
--                                of none. Where the setting is empty, the transaction remembers nothing of the series.
--   seqctl.held_<series>_<0-1023> the others, by hash: a list of '\x01<counter>\x01<next number or ?> <ctid>'. '?': rows came and went
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
    v_list text := current_setting('seqctl.held_' || p_series_id || '_' || (hashtext(p_counter) & 1023), true);
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
