-- The caller holds the counter's lock.
create or replace function seqctl._take_waiting(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_how_many bigint
)
returns bigint[]
language plpgsql
volatile
as $function$
declare
    v_numbers bigint[] := seqctl._waiting_numbers(p_series_id, p_group_key, p_period, p_how_many);
begin
    if v_numbers <> '{}' then
        update seqctl.checkout k
        set stops = false
        where k.series_id = p_series_id
            and k.group_key = p_group_key
            and k.period = p_period
            and k.stops
            and k.state = 'released'
            and k.number = any (v_numbers);
        perform seqctl._mark_stopped(p_series_id, p_group_key, p_period);
    end if;
    return v_numbers;
end
$function$;

comment on function seqctl._take_waiting(integer, text, date, bigint) is
    'Gives the lowest released numbers of a counter, so many at most; they wait no more.';

revoke all on function seqctl._take_waiting(integer, text, date, bigint) from public;
