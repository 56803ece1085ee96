-- What finalize and release share. The lock of the counter decides who comes first; the checkout is looked at again under it. p_number is what
-- the caller takes the number to be, NULL if he does not say: his checkout may have expired, and the id have another number by now.
create or replace function seqctl._settle_checkout(
    p_series text,
    p_correlation_id text,
    p_state text,
    p_reference text,
    p_number bigint
)
returns bigint
language plpgsql
volatile
as $function$
declare
    v_series seqctl.series := seqctl._series(p_series);
    v_checkout seqctl.checkout;
    v_locked_id bigint;
begin
    perform seqctl._check_correlation_id(p_correlation_id);
    loop
        v_checkout := seqctl._find_checkout(v_series.id, p_correlation_id);
        exit when v_checkout.state is distinct from 'open' or v_checkout.id = v_locked_id;
        perform seqctl._lock_counter_row(v_series.id, v_checkout.group_key, v_checkout.period);
        v_locked_id := v_checkout.id;
    end loop;

    if v_checkout.id is null then
        raise exception using
            errcode = 'SQ037',
            message = format('series %L has no checkout for correlation id %L', v_series.name, p_correlation_id),
            detail = 'Nothing was changed. A checkout exists when the transaction that called seqctl.checkout() has committed.',
            hint = 'Check series and correlation id: seqctl lease list shows those that are open.';
    elsif v_checkout.number <> p_number then
        raise exception using
            errcode = 'SQ038',
            message = format('correlation id %L does not stand for number %s, but for %s', p_correlation_id, p_number,
                rtrim(seqctl._checkout_text(v_series, v_checkout), ',')),
            detail = seqctl._checkout_detail(v_checkout) || ' Nothing was changed.',
            hint = 'The checkout of the number that is named was released, most likely because it had expired. Do not use that number: another '
                'document may have it.';
    elsif v_checkout.state = 'open' then
        perform seqctl._end_checkout(
            v_checkout, p_state, case p_state when 'finalized' then 'finalize' else 'release' end, p_reference);
    elsif v_checkout.state <> p_state or p_reference <> coalesce(v_checkout.reference, '') then
        raise exception using
            errcode = 'SQ038',
            message = format(
                '%s was %s already%s', seqctl._checkout_text(v_series, v_checkout),
                case
                    when v_checkout.settled_how = 'expired' then 'released, because its checkout had expired'
                    else v_checkout.state
                end,
                case
                    when v_checkout.state <> p_state then ''
                    when v_checkout.reference is null then ', without a reference'
                    else format(', with reference %L', v_checkout.reference)
                end
            ),
            detail = format(
                'By %s on %s UTC, for correlation id %L. Nothing was changed.',
                v_checkout.settled_by, to_char(v_checkout.settled_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), p_correlation_id
            ),
            hint = case
                when v_checkout.state = 'released' then 'The number may be another document''s by now: check a new one out.'
                when p_state = 'released' then 'The number was given. If its document is void, say so: select seqctl.void(...).'
                else 'A reference stays as it was recorded.'
            end;
    end if;
    return v_checkout.number;
end
$function$;

comment on function seqctl._settle_checkout(text, text, text, text, bigint) is 'What finalize() and release() do.';

revoke all on function seqctl._settle_checkout(text, text, text, text, bigint) from public;
