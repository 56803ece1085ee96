-- Locks the counter until the transaction ends: the number is given back when it rolls back.
create or replace function seqctl.next_number(
    series text,
    group_key text default '',
    on_date date default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._series(series);
    v_taken record := seqctl._advance_counter(v_series, group_key, on_date, 1);
    v_number bigint := coalesce(v_taken.recycled[1], v_taken.last_number);
begin
    if v_series.chain then
        perform seqctl._extend_chain(v_series.id, group_key, seqctl._period(v_series, group_key, on_date), v_number, null, on_date);
    end if;
    return v_number;
end
$function$;

comment on function seqctl.next_number(text, text, date) is
    'The next number of a series, for a row that the application writes itself in the same transaction.';

revoke all on function seqctl.next_number(text, text, date) from public;
