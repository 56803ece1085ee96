-- For what settles or voids, not for what gives numbers (see _lock_counter). A checkout may put another row in the place of the one that is
-- waited for: so look again.
create or replace function seqctl._lock_counter_row(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns void
language plpgsql
volatile
as $function$
begin
    loop
        perform from seqctl.counter c
        where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period
        for no key update;
        exit when found or not exists (
            select from seqctl.counter c where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period
        );
    end loop;
end
$function$;

comment on function seqctl._lock_counter_row(integer, text, date) is 'Locks the row of a counter, if there is one, whatever stops it.';

revoke all on function seqctl._lock_counter_row(integer, text, date) from public;
