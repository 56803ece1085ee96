create or replace function seqctl._refuse_other(
    p_series seqctl.series,
    p_checkout seqctl.checkout,
    p_group_key text,
    p_on_date date
)
returns void
language plpgsql
volatile
as $function$
begin
    if (p_checkout.group_key, p_checkout.on_date) is distinct from (p_group_key, p_on_date) and p_checkout.state <> 'released' then
        raise exception using
            errcode = 'SQ038',
            message = format(
                'correlation id %L stands for %s already', p_checkout.correlation_id, rtrim(seqctl._checkout_text(p_series, p_checkout), ',')),
            detail = format(
                'It was checked out for group %L and date %s; now group %L and date %s are asked for. No number was used.',
                p_checkout.group_key, coalesce(to_char(p_checkout.on_date, 'YYYY-MM-DD'), 'NULL'),
                p_group_key, coalesce(to_char(p_on_date, 'YYYY-MM-DD'), 'NULL')
            ),
            hint = 'Repeat the call with the group and date of the first time, or use another correlation id.';
    end if;
end
$function$;

comment on function seqctl._refuse_other(seqctl.series, seqctl.checkout, text, date) is
    'Raises SQ038 where a correlation id was used for another group or date.';

revoke all on function seqctl._refuse_other(seqctl.series, seqctl.checkout, text, date) from public;
