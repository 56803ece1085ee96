-- The date of a document that is stamped: the clock, read under the lock of the counter, and never before the last document of that
-- counter, whatever the clock does. Which counter it is depends on the clock, too: at the turn of a period it may take two locks.
-- What is returned, and kept in counter.last_at, is in UTC for a timestamptz, else in the series' time zone.
create or replace function seqctl._stamp(
    p_series_id integer,
    p_what text,
    p_group_key text,
    p_date_type regtype
)
returns timestamp
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series;
    v_shift interval;
    v_unit text;
    v_now timestamptz;
    v_date date;
    v_period date;
    v_locked date;
    v_row_id text;
    v_last_at timestamp;
begin
    select s.* into v_series from seqctl.series s where s.id = p_series_id;
    perform seqctl._check_row(p_what, p_group_key, false, null);
    v_unit := case v_series.reset when 'yearly' then 'year' when 'quarterly' then 'quarter' when 'monthly' then 'month' else 'day' end;
    v_shift := case when v_series.reset = 'yearly' then
        make_interval(
            months => left(v_series.fiscal_year_start, 2)::integer - 1, days => right(v_series.fiscal_year_start, 2)::integer - 1)
        else interval '0' end;
    loop
        v_now := clock_timestamp();
        v_date := timezone(v_series.time_zone, v_now)::date;
        v_period := case when v_series.reset = 'never' then '-infinity'::date
            else (date_trunc(v_unit, v_date - v_shift) + v_shift)::date end;
        exit when v_period = v_locked;
        perform seqctl._rest(p_series_id);
        v_row_id := split_part(seqctl._held(p_series_id, seqctl._counter_text(v_period, p_group_key)), ' ', 2);
        select c.last_at into v_last_at
        from seqctl.counter c
        where c.ctid = nullif(v_row_id, '')::tid and c.series_id = p_series_id and c.group_key = p_group_key and c.period = v_period
        for no key update;
        if not found then
            perform seqctl._lock_counter(p_series_id, p_group_key, v_period);
            select c.last_at into v_last_at
            from seqctl.counter c
            where c.series_id = p_series_id and c.group_key = p_group_key and c.period = v_period;
        end if;
        v_locked := v_period;
    end loop;
    return greatest(
        case p_date_type
            when 'date'::regtype then v_date::timestamp
            when 'timestamp'::regtype then timezone(v_series.time_zone, v_now)
            else timezone('UTC', v_now)
        end,
        v_last_at
    );
end
$function$;

comment on function seqctl._stamp(integer, text, text, regtype) is 'Locks the counter of now and reads the clock: the date of the next document.';

revoke all on function seqctl._stamp(integer, text, text, regtype) from public;
