create or replace function seqctl.release(
    series text,
    correlation_id text,
    number bigint default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    return seqctl._settle_checkout(series, correlation_id, 'released', null, number);
end
$function$;

comment on function seqctl.release(text, text, bigint) is
    'Gives a number that was checked out back (number, if it is named): the next caller gets it; returns the number.';

revoke all on function seqctl.release(text, text, bigint) from public;
