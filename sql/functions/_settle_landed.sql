-- Settles the rows of a statement that is still running: who numbers rows in the middle of it, by the counter, would give their numbers
-- again. Such a statement has given numbers, so the transaction remembers some; and if that was forged, settle refuses what follows.
create or replace function seqctl._settle_landed(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_next bigint;
begin
    if coalesce(current_setting('seqctl.hot_' || p_series_id, true), '') <> '' then
        select c.last_number + 1 into v_next
        from seqctl.counter c
        where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
        if found then
            perform seqctl._settle_odd(p_series_id, p_group_key, p_period, v_next, v_next);
        end if;
    end if;
end
$function$;

comment on function seqctl._settle_landed(integer, text, date) is
    'Moves a counter to the rows that a statement of this transaction, not at its end yet, has numbered.';

revoke all on function seqctl._settle_landed(integer, text, date) from public;
