-- What voiding a range means to checkouts; the caller holds the counter's lock. A number that is out cannot be void yet; one that was
-- released and waits to be given again is not given any more, nor is one that was finalized and has no row stored any more.
create or replace function seqctl._void_checkouts(
    p_series seqctl.series,
    p_group_key text,
    p_period date,
    p_from bigint,
    p_to bigint
)
returns void
language plpgsql
volatile
as $function$
declare
    v_checkout seqctl.checkout;
begin
    select k.* into v_checkout
    from seqctl.checkout k
    where k.series_id = p_series.id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.state = 'open'
        and k.number between p_from and p_to
    order by k.number
    limit 1;
    if found then
        raise exception using
            errcode = 'SQ039',
            message = format('%s cannot be void: it is checked out', seqctl._checkout_text(p_series, v_checkout)),
            detail = seqctl._checkout_detail(v_checkout),
            hint = format(
                'Settle it first: seqctl lease finalize, or seqctl lease release, %s %s.',
                seqctl._shell_word(p_series.name), seqctl._shell_word(v_checkout.correlation_id)
            );
    end if;
    update seqctl.checkout k
    set
        awaited = false,
        taken_xid = null
    where k.series_id = p_series.id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.state = 'finalized'
        and (k.awaited or k.taken_xid is not null)
        and k.number between p_from and p_to;
    update seqctl.checkout k
    set stops = false
    where k.series_id = p_series.id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.stops
        and k.number between p_from and p_to;
    if found then
        perform seqctl._mark_stopped(p_series.id, p_group_key, p_period);
    end if;
end
$function$;

comment on function seqctl._void_checkouts(seqctl.series, text, date, bigint, bigint) is
    'Raises SQ039 if a number is checked out; those that wait to be given again, or for their row, wait no more.';

revoke all on function seqctl._void_checkouts(seqctl.series, text, date, bigint, bigint) from public;
