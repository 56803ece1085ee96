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
    v_taken record := seqctl._advance_counter(seqctl._series(series), group_key, on_date, 1);
begin
    return coalesce(v_taken.recycled[1], v_taken.last_number);
end
$function$;

comment on function seqctl.next_number(text, text, date) is
    'The next number of a series, for a row that the application writes itself in the same transaction.';

revoke all on function seqctl.next_number(text, text, date) from public;
