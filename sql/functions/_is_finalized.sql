-- A row came with a number: is it that of a finalized checkout? The counter is not locked, so that the row need not wait for the next checkout.
-- Whether it is the first row to have it, settle finds out (see _settle_given): an INSERT that is repeated comes to its ON CONFLICT that way.
create or replace function seqctl._is_finalized(
    p_series_id integer,
    p_what text,
    p_group_key text,
    p_period date,
    p_number bigint
)
returns boolean
language plpgsql
volatile
as $function$
declare
    v_checkout seqctl.checkout;
    v_series seqctl.series;
    v_last bigint;
begin
    select k.* into v_checkout
    from seqctl.checkout k
    where k.series_id = p_series_id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.number = p_number
        and k.state <> 'released';
    if not found then
        return false;
    end if;
    select s.* into v_series from seqctl.series s where s.id = p_series_id;
    if v_checkout.state = 'open' then
        if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
            -- Perhaps it is only the snapshot that shows it open: then this is a 40001.
            perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
        end if;
        raise exception using
            errcode = 'SQ039',
            message = format('%s: %s is checked out, and not finalized', p_what, seqctl._checkout_text(v_series, v_checkout)),
            detail = seqctl._checkout_detail(v_checkout) || ' Nothing was inserted.',
            hint = format(
                'Finalize it first, in this transaction: select seqctl.finalize(%L, %L).', v_series.name, v_checkout.correlation_id);
    end if;
    if v_checkout.awaited and exists (select from seqctl.attachment a where a.series_id = p_series_id and a.chronology <> 'off') then
        perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
        select c.last_number into v_last
        from seqctl.counter c
        where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
        if v_last > p_number then
            raise exception using
                errcode = 'SQ021',
                message = format('%s: number %s was finalized, but number %s was given since', p_what, p_number, v_last),
                detail = format('Series %L keeps dates in the order of its numbers. Nothing was inserted.', v_series.name),
                hint = 'Insert the row in the transaction that calls seqctl.finalize().';
        end if;
    end if;
    return true;
end
$function$;

comment on function seqctl._is_finalized(integer, text, text, date, bigint) is
    'Whether a number is that of a finalized checkout; SQ039 where the checkout is open.';

revoke all on function seqctl._is_finalized(integer, text, text, date, bigint) from public;
