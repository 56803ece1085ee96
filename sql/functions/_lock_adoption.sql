-- Nobody gives a number of the series until the transaction ends: what the counters know and what the tables hold stays the same.
create or replace function seqctl._lock_adoption(p_series text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform seqctl._refuse_checkouts(
        seqctl._lock_series(p_series, 'adopt', true, null, null), null, null, 'a table with numbers cannot be taken over');
end
$function$;

comment on function seqctl._lock_adoption(text) is 'Locks a series and its counters, for adopt().';

revoke all on function seqctl._lock_adoption(text) from public;
