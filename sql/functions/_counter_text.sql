-- How a transaction writes down a counter (see _recall). Days since 2000, because a date as text depends on DateStyle, which can
-- change in mid-transaction; in hex, which PostgreSQL writes faster; clamped, because infinite dates cannot be subtracted:
-- to days that are no period's, since what _check_row refuses must not pass for the next row of a counter.
-- _attachment_functions writes the same out where a call would cost too much.
create or replace function seqctl._counter_text(
    p_period date,
    p_group_key text
)
returns text
language sql
immutable
as $function$
    select to_hex(least(greatest(p_period, date '0001-12-31 BC'), date '10000-01-01') - date '2000-01-01') || ' ' || p_group_key
$function$;

comment on function seqctl._counter_text(date, text) is 'A period and a group key as one text.';

revoke all on function seqctl._counter_text(date, text) from public;
