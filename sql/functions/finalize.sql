create or replace function seqctl.finalize(
    series text,
    correlation_id text,
    reference text default null,
    number bigint default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    return seqctl._settle_checkout(series, correlation_id, 'finalized', reference, number);
end
$function$;

comment on function seqctl.finalize(text, text, text, bigint) is
    'The number that was checked out (number, if it is named) belongs to a document now, which reference may name; returns the number.';

revoke all on function seqctl.finalize(text, text, text, bigint) from public;
