-- No lock and no promise: another session may take the number first. Of a number that is checked out, the one after it is next, unless it is
-- released.
create or replace function seqctl.peek(
    series text,
    group_key text default '',
    on_date date default null,
    out number bigint,
    out document_number text
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._series(series);
    v_period date := seqctl._period(v_series, group_key, on_date);
begin
    perform seqctl._refuse_closed(v_series.id, group_key, v_period);
    select coalesce(w.lowest, greatest(c.last_number, w.out) + 1) into peek.number
    from seqctl.counter c
    left join lateral (
        select
            min(k.number) filter (where k.state = 'released') as lowest,
            max(k.number) filter (where k.state = 'open') as out
        from seqctl.checkout k
        where k.series_id = c.series_id and k.group_key = c.group_key and k.period = c.period and k.stops
    ) w on c.stopped
    where c.series_id = v_series.id and c.group_key = peek.group_key and c.period = v_period;
    number := coalesce(number, v_series.first_number);
    document_number := seqctl._document_number(v_series, number, on_date, group_key);
end
$function$;

comment on function seqctl.peek(text, text, date) is 'The number that would come next; not reserved, no lock taken.';

revoke all on function seqctl.peek(text, text, date) from public;
