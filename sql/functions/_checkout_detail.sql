create or replace function seqctl._checkout_detail(p_checkout seqctl.checkout)
returns text
language sql
stable
as $function$
    select format(
        'Checked out by %s on %s UTC for correlation id %L, until %s UTC.',
        p_checkout.opened_by, to_char(p_checkout.opened_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'),
        p_checkout.correlation_id, to_char(p_checkout.expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
    )
$function$;

comment on function seqctl._checkout_detail(seqctl.checkout) is 'Who checked a number out, for what, and until when, for messages.';

revoke all on function seqctl._checkout_detail(seqctl.checkout) from public;
