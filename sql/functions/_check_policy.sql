create or replace function seqctl._check_policy(p_series seqctl.series)
returns void
language plpgsql
stable
as $function$
begin
    if p_series.on_checkout is null or p_series.on_checkout not in ('wait', 'fail', 'recycle') then
        raise exception using
            errcode = 'SQ002',
            message = format('on_checkout %s is unknown', coalesce(quote_literal(p_series.on_checkout), 'NULL')),
            hint = 'Use wait, fail or recycle.';
    elsif p_series.ttl_action is null or p_series.ttl_action not in ('keep', 'release') then
        raise exception using
            errcode = 'SQ002',
            message = format('ttl_action %s is unknown', coalesce(quote_literal(p_series.ttl_action), 'NULL')),
            hint = 'Use keep or release.';
    end if;
    if p_series.on_checkout = 'recycle' and exists (
        select from seqctl.attachment a where a.series_id = p_series.id and a.chronology <> 'off'
    ) then
        raise exception using
            errcode = 'SQ023',
            message = format('on_checkout of series %L cannot be recycle: a table of it keeps the chronology', p_series.name),
            detail = 'A released number is given to a later document: dates would run against numbers.',
            hint = 'Use wait or fail.';
    end if;
end
$function$;

comment on function seqctl._check_policy(seqctl.series) is 'Refuses settings for checkouts that cannot work.';

revoke all on function seqctl._check_policy(seqctl.series) from public;
