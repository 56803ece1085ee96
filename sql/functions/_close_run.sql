-- A run is a stretch of rows of one table that one statement numbers from one counter. While it is open, the number of a row
-- is base + rows the table has taken in, so a row that did not land (ON CONFLICT) gives its number to the next one.
-- seqctl.run_<series>: table oid, rows deleted from it when the run was opened, counter; base_<series>; at_<series>: rows the
-- table had taken in when the last row of the run got its number.
--
-- Returns the counter of the run that was open, or NULL. Where rows came and went that the run knows nothing of (a savepoint
-- inside a function rolled back, a trigger deleted rows), the counter's next number is marked as unknown.
create or replace function seqctl._close_run(p_series_id integer)
returns text
language plpgsql
volatile
as $function$
declare
    v_run text := current_setting('seqctl.run_' || p_series_id, true);
    v_table text := split_part(v_run, ' ', 1);
    v_deleted text := split_part(v_run, ' ', 2);
    v_counter text;
    v_inserted bigint;
    v_next text := '?';
begin
    if coalesce(v_run, '') = '' then
        return null;
    end if;
    v_counter := substr(v_run, length(v_table) + length(v_deleted) + 3);
    v_inserted := pg_stat_get_xact_tuples_inserted(v_table::oid);
    if v_inserted - current_setting('seqctl.at_' || p_series_id)::bigint in (0, 1)
        and v_deleted = pg_stat_get_xact_tuples_deleted(v_table::oid)::text
    then
        v_next := v_inserted + current_setting('seqctl.base_' || p_series_id)::bigint;
    end if;
    perform seqctl._remember(
        p_series_id,
        v_counter,
        v_next || '@' || coalesce(split_part(seqctl._recall(p_series_id, v_counter), '@', 2), '')
    );
    v_run := set_config('seqctl.run_' || p_series_id, '', true);
    return v_counter;
end
$function$;

comment on function seqctl._close_run(integer) is 'Ends the open run of a series and remembers the next number of its counter.';

revoke all on function seqctl._close_run(integer) from public;
