-- For work that outlives the transaction: commit right after the call. See _checkout for the locks.
create or replace function seqctl.checkout(
    series text,
    correlation_id text,
    group_key text default '',
    on_date date default null,
    ttl interval default '15 minutes'
)
returns table (number bigint, document_number text, expires_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    return query
    select k.number, k.document_number, k.expires_at
    from seqctl._checkout(series, correlation_id, group_key, on_date, ttl) k;
end
$function$;

comment on function seqctl.checkout(text, text, text, date, interval) is
    'Takes the next number out for work outside the transaction, until finalize() or release(); the same again for the same correlation id.';

revoke all on function seqctl.checkout(text, text, text, date, interval) from public;
