-- Nobody gives a number of the series until the transaction ends: what the counters know and what the tables hold stays the same. A row with
-- the number of a finalized checkout locks no counter, but shares the series' row, which is updated here: so in REPEATABLE READ its
-- INSERT fails that would not see the tables of now.
create or replace function seqctl._lock_adoption(p_series text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._lock_series(p_series, 'adopt', true, null, null);
begin
    update seqctl.series s set name = s.name where s.id = v_series.id;
    perform seqctl._refuse_checkouts(v_series, null, null, 'a table with numbers cannot be taken over');
end
$function$;

comment on function seqctl._lock_adoption(text) is 'Locks a series and its counters, for adopt().';

revoke all on function seqctl._lock_adoption(text) from public;
