create or replace function seqctl.void_reason(
    series text,
    group_key text,
    on_date date,
    number bigint
)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._series(series);
    v_period date;
begin
    -- A draft has no number, and may have no date yet.
    if number is null then
        return null;
    end if;
    v_period := seqctl._named_period(v_series, group_key, on_date);
    return (
        select case when r.to_number >= void_reason.number then r.reason end
        from seqctl.voided_range r
        where r.series_id = v_series.id
            and r.group_key = void_reason.group_key
            and r.period = v_period
            and r.from_number <= void_reason.number
        order by r.from_number desc
        limit 1
    );
end
$function$;

comment on function seqctl.void_reason(text, text, date, bigint) is 'Why a number is void; NULL where it is not.';

revoke all on function seqctl.void_reason(text, text, date, bigint) from public;
