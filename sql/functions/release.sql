create or replace function seqctl.release(
    series text,
    correlation_id text
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    return seqctl._settle_checkout(series, correlation_id, 'released', null);
end
$function$;

comment on function seqctl.release(text, text) is
    'Gives a number that was checked out back: the next caller gets it; returns the number.';

revoke all on function seqctl.release(text, text) from public;
