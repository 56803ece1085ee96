-- Where dates follow numbers, a document that is dated before the last one of its counter could never be stored: then its number does not leave
-- the database either. Of a last document with a time of day its day counts, in the series' time zone; on that day a row may still come after it.
-- chronology stamp dates the row when it is stored. The caller holds the counter's lock.
create or replace function seqctl._check_checkout_date(
    p_series seqctl.series,
    p_checkout seqctl.checkout
)
returns void
language plpgsql
volatile
as $function$
declare
    v_last date;
begin
    select max(case seqctl._base_type(d.atttypid)
        when 'timestamptz'::regtype then timezone(p_series.time_zone, timezone('UTC', c.last_at))
        else c.last_at
    end)::date into v_last
    from seqctl.attachment a
    join pg_attribute d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
    join seqctl.counter c on c.series_id = a.series_id
    where a.series_id = p_series.id
        and a.chronology = 'enforce'
        and c.group_key = p_checkout.group_key
        and c.period = p_checkout.period;
    if p_checkout.on_date < v_last then
        raise exception using
            errcode = 'SQ021',
            message = format(
                '%s cannot be checked out for %s: the last document is dated %s',
                seqctl._checkout_text(p_series, p_checkout), p_checkout.on_date, v_last
            ),
            detail = format('Series %L keeps dates in the order of its numbers. No number was used.', p_series.name),
            hint = format('Check it out for %s or later.', v_last);
    end if;
end
$function$;

comment on function seqctl._check_checkout_date(seqctl.series, seqctl.checkout) is
    'Raises SQ021 where a document of that day would run against the numbers.';

revoke all on function seqctl._check_checkout_date(seqctl.series, seqctl.checkout) from public;
