create or replace function seqctl._checkout_text(
    p_series seqctl.series,
    p_checkout seqctl.checkout
)
returns text
language sql
immutable
as $function$
    select format('number %s of %s', p_checkout.number, seqctl._period_text(p_series, p_checkout.period))
        || case when p_checkout.group_key <> '' then format(', group %L,', p_checkout.group_key) else '' end
$function$;

comment on function seqctl._checkout_text(seqctl.series, seqctl.checkout) is 'The number of a checkout as messages name it.';

revoke all on function seqctl._checkout_text(seqctl.series, seqctl.checkout) from public;
