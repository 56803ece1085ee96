-- For whatever is about to give a number (see _lock_counter), and peek.
create or replace function seqctl._refuse_closed(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_closed boolean;
    v_series seqctl.series;
    v_closing seqctl.period_closing;
begin
    select c.closed into v_closed
    from seqctl.counter c
    where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
    if not coalesce(v_closed, seqctl._is_closed(p_series_id, p_group_key, p_period)) then
        return;
    end if;

    select s.* into v_series from seqctl.series s where s.id = p_series_id;
    select p.* into v_closing
    from seqctl.period_closing p
    where p.series_id = p_series_id
        and p.period = p_period
        and (p.group_key is null or p.group_key = p_group_key)
        and p.action = 'close'
    order by p.id desc
    limit 1;
    raise exception using
        errcode = 'SQ020',
        message = format(
            '%s is closed%s',
            seqctl._period_text(v_series, p_period),
            case when v_closing.group_key is not null then format(' for group %L', v_closing.group_key) end
        ),
        detail = format(
            'Closed by %s on %s UTC. No number was used.',
            v_closing.changed_by, to_char(v_closing.changed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
        ),
        hint = format(
            '%s, or have the period reopened: select seqctl.reopen_period(%L, %L, reason => ''...''%s).',
            case when v_series.reset = 'never' then 'Use another series' else 'Date the document in an open period' end,
            v_series.name,
            nullif(p_period, '-infinity'),
            case when v_closing.group_key is not null then format(', group_key => %L', v_closing.group_key) end
        );
end
$function$;

comment on function seqctl._refuse_closed(integer, text, date) is 'Raises SQ020 if the period of a counter is closed.';

revoke all on function seqctl._refuse_closed(integer, text, date) from public;
