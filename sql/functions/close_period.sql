-- See _change_period for the locks.
create or replace function seqctl.close_period(
    series text,
    on_date date,
    group_key text default null,
    out period text,
    out changed boolean,
    out counters bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    select c.period, c.changed, c.counters into close_period.period, close_period.changed, close_period.counters
    from seqctl._change_period('close_period', series, on_date, group_key, null) c;
end
$function$;

comment on function seqctl.close_period(text, date, text) is
    'Closes the period of a date, for one group or (NULL) all: no number of it is given until it is reopened.';

revoke all on function seqctl.close_period(text, date, text) from public;
