-- The caller holds the counter's lock, and the checkout is open. An open one that stopped its counter is in the way no more; the number of one
-- that did not (on_checkout recycle) waits for the next caller when it is released.
create or replace function seqctl._end_checkout(
    p_checkout seqctl.checkout,
    p_state text,
    p_how text,
    p_reference text
)
returns void
language plpgsql
volatile
as $function$
begin
    update seqctl.checkout k
    set
        state = p_state,
        stops = p_state = 'released' and not k.stops,
        awaited = p_state = 'finalized',
        settled_at = clock_timestamp(),
        settled_by = session_user,
        settled_how = p_how,
        reference = p_reference
    where k.id = p_checkout.id;
    if p_state = 'finalized' then
        perform seqctl._extend_chain(
            p_checkout.series_id, p_checkout.group_key, p_checkout.period, p_checkout.number, p_checkout.document_number, p_checkout.on_date);
    end if;
    perform seqctl._mark_stopped(
        p_checkout.series_id, p_checkout.group_key, p_checkout.period, case when p_state = 'finalized' then p_checkout.number end);
end
$function$;

comment on function seqctl._end_checkout(seqctl.checkout, text, text, text) is 'Records how an open checkout ended, and what that means to its counter.';

revoke all on function seqctl._end_checkout(seqctl.checkout, text, text, text) from public;
