-- For seqctl's owner alone: no level of access has it. See _correct_counter for the locks.
create or replace function seqctl.lower_counter(
    series text,
    group_key text default '',
    on_date date default null,
    last_number bigint default null,
    reason text default null,
    out period text,
    out previous_number bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    select c.period, c.previous_number into lower_counter.period, lower_counter.previous_number
    from seqctl._correct_counter('lower_counter', series, group_key, on_date, last_number, reason) c;
end
$function$;

comment on function seqctl.lower_counter(text, text, date, bigint, text) is
    'Sets a counter back to a lower last number, as far as no higher one is in use; who, when and why is recorded.';

revoke all on function seqctl.lower_counter(text, text, date, bigint, text) from public;
