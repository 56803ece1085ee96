-- For seqctl's owner alone: no level of access has it. See _correct_counter for the locks.
create or replace function seqctl.remove_counter(
    series text,
    group_key text default '',
    on_date date default null,
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
    select c.period, c.previous_number into remove_counter.period, remove_counter.previous_number
    from seqctl._correct_counter('remove_counter', series, group_key, on_date, null, reason) c;
end
$function$;

comment on function seqctl.remove_counter(text, text, date, text) is
    'Removes a counter none of whose numbers is in use, as one of a mistaken group or date; who, when and why is recorded.';

revoke all on function seqctl.remove_counter(text, text, date, text) from public;
