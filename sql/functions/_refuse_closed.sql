create or replace function seqctl._refuse_closed(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    if exists (select from seqctl.counter c where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period and c.closed) then
        raise exception using errcode = 'SQ020', message = 'closed';
    end if;
end
$function$;
comment on function seqctl._refuse_closed(integer, text, date) is 'Raises SQ020 where a period is closed.';
revoke all on function seqctl._refuse_closed(integer, text, date) from public;
