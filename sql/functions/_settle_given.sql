-- Rows of a statement have numbers that the counter has passed. Right are only those of checkouts: finalized ones, and released ones that
-- waited to be given again, which then wait no more. Each must be in one row of one table. Nothing is believed that a trigger before the
-- row found out. The update of what stays as it is makes a REPEATABLE READ transaction fail that does not see the row of another session.
create or replace function seqctl._settle_given(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_floor bigint,
    p_numbers bigint[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_finalized bigint;
    v_waited bigint := 0;
    v_odd bigint;
begin
    update seqctl.checkout k
    set state = k.state
    where k.series_id = p_series_id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.state = 'finalized'
        and k.number = any (p_numbers);
    get diagnostics v_finalized = row_count;
    if v_finalized < cardinality(p_numbers) then
        perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
        update seqctl.checkout k
        set stops = false
        where k.series_id = p_series_id
            and k.group_key = p_group_key
            and k.period = p_period
            and k.state = 'released'
            and k.stops
            and k.number = any (p_numbers);
        get diagnostics v_waited = row_count;
        perform seqctl._mark_stopped(p_series_id, p_group_key, p_period);
    end if;
    select n.number into v_odd
    from unnest(p_numbers) as n (number)
    cross join lateral seqctl._table_numbers(p_series_id, p_group_key, p_period, n.number, n.number) t
    where t.row_count <> 1
    limit 1;
    if v_odd is not null or v_finalized + v_waited <> cardinality(p_numbers) then
        perform seqctl._refuse_hole(
            p_series_id, p_group_key,
            coalesce(v_odd, (select min(n.number) from unnest(p_numbers) as n (number))),
            coalesce(v_odd, (select max(n.number) from unnest(p_numbers) as n (number))),
            p_floor - 1,
            'They were given before, or are there twice. Nothing was inserted.'
        );
    end if;
end
$function$;

comment on function seqctl._settle_given(integer, text, date, bigint, bigint[]) is
    'Accepts rows whose numbers were checked out, or raises SQ013.';

revoke all on function seqctl._settle_given(integer, text, date, bigint, bigint[]) from public;
