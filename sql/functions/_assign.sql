-- Numbers rows that wait, of one table or of several: those that a transaction wrote down, or (p_waiting NULL) all that there are. Works
-- out their counters, locks them in one order over all series, so that two transactions cannot wait for each other, then writes. Where
-- the clock dates the documents, it may reach the next period while a lock is waited for: so look again until no counter is missing.
create or replace function seqctl._assign(
    p_attachments integer[],
    p_waiting seqctl.pending[],
    p_max_rows bigint,
    p_search_path text
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment record;
    v_found record;
    v_counter record;
    v_now timestamptz;
    v_stamped boolean := false;
    v_missing boolean;
    v_count bigint := 0;
    v_more bigint;
    v_ids integer[] := '{}';
    v_series integer[] := '{}';
    v_groups text[] := '{}';
    v_periods date[] := '{}';
    v_locked_series integer[] := '{}';
    v_locked_groups text[] := '{}';
    v_locked_periods date[] := '{}';
begin
    loop
        v_now := clock_timestamp();
        v_ids := '{}';
        v_series := '{}';
        v_groups := '{}';
        v_periods := '{}';
        for v_attachment in
            select
                a.id, a.series_id, a.chronology, format('%s.%I', a.target, a.number_column) as what,
                s.reset <> 'never' or seqctl._format_needs_date(s.format) as needs_date
            from seqctl.attachment a
            join seqctl.series s on s.id = a.series_id
            where a.id = any (p_attachments)
            order by a.id
        loop
            v_stamped := v_stamped or v_attachment.chronology = 'stamp';
            execute format(
                'with k as (
                    select p.group_key, p.period, min(p.on_date) as low, max(p.on_date) as high, bool_or(p.on_date is null) as undated
                    from seqctl._attachment_%s_pending($1, $2, $3) p
                    group by p.group_key, p.period
                )
                select
                    array_agg(k.group_key) as groups,
                    array_agg(k.period) as periods,
                    count(seqctl._check_row($4, k.group_key, $5, case when not k.undated then k.low end)) as checked_low,
                    count(seqctl._check_row($4, k.group_key, $5, case when not k.undated then k.high end)) as checked_high
                from k',
                v_attachment.id
            ) into v_found using p_waiting, p_max_rows, v_now, v_attachment.what, v_attachment.needs_date;
            v_ids := v_ids || array_fill(v_attachment.id, array[coalesce(cardinality(v_found.groups), 0)]);
            v_series := v_series || array_fill(v_attachment.series_id, array[coalesce(cardinality(v_found.groups), 0)]);
            v_groups := v_groups || v_found.groups;
            v_periods := v_periods || v_found.periods;
        end loop;
        v_missing := exists (
            select k.* from unnest(v_series, v_groups, v_periods) as k
            except
            select k.* from unnest(v_locked_series, v_locked_groups, v_locked_periods) as k
        );
        exit when not v_missing;
        for v_counter in
            select distinct k.series_id, k.group_key collate "C" as group_key, k.period
            from unnest(v_series, v_groups, v_periods) as k (series_id, group_key, period)
            order by 1, 2, 3
        loop
            perform seqctl._lock_counter(v_counter.series_id, v_counter.group_key, v_counter.period);
            perform seqctl._settle_landed(v_counter.series_id, v_counter.group_key, v_counter.period);
        end loop;
        exit when not v_stamped;
        v_locked_series := v_locked_series || v_series;
        v_locked_groups := v_locked_groups || v_groups;
        v_locked_periods := v_locked_periods || v_periods;
    end loop;

    for v_attachment in
        select k.id, array_agg(k.group_key) as groups, array_agg(k.period) as periods
        from unnest(v_ids, v_groups, v_periods) as k (id, group_key, period)
        group by k.id
        order by k.id
    loop
        execute format('select seqctl._attachment_%s_assign($1, $2, $3, $4, $5, $6)', v_attachment.id)
        into v_more
        using p_waiting, p_max_rows, v_now, v_attachment.groups, v_attachment.periods, p_search_path;
        v_count := v_count + v_more;
    end loop;
    return v_count;
end
$function$;

comment on function seqctl._assign(integer[], seqctl.pending[], bigint, text) is 'Numbers the waiting rows of attachments; how many.';

revoke all on function seqctl._assign(integer[], seqctl.pending[], bigint, text) from public;
