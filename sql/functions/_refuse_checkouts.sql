-- The caller has locked the series and its counters, so that no checkout is opened or settled meanwhile.
create or replace function seqctl._refuse_checkouts(
    p_series seqctl.series,
    p_period date,
    p_group_key text,
    p_what text
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
        and (k.state = 'open' or k.stops)
        and (p_period is null or k.period = p_period)
        and (p_group_key is null or k.group_key = p_group_key)
    order by k.state, k.id
    limit 1;
    if not found then
        return;
    end if;
    raise exception using
        errcode = 'SQ039',
        message = format(
            '%s: %s %s', p_what, seqctl._checkout_text(p_series, v_checkout),
            case v_checkout.state when 'open' then 'is checked out' else 'was released and waits to be given again' end
        ),
        detail = seqctl._checkout_detail(v_checkout),
        hint = case v_checkout.state
            when 'open' then format('Settle it first: seqctl lease finalize, or seqctl lease release, %s %s.',
                seqctl._shell_word(p_series.name), seqctl._shell_word(v_checkout.correlation_id))
            else 'Let a document have the number, or void it: select seqctl.void(...).'
        end;
end
$function$;

comment on function seqctl._refuse_checkouts(seqctl.series, date, text, text) is
    'Raises SQ039 while a number of a series, a period or a group is checked out or waits to be given again.';

revoke all on function seqctl._refuse_checkouts(seqctl.series, date, text, text) from public;
