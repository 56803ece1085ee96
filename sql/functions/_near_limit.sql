-- For status and verify. Whether a counter is near the end is asked of one number only (the first that may not exist if it is
-- not): the limit itself is worked out for the few that are.
create or replace function seqctl._near_limit(
    p_series_id integer,
    p_share numeric default 0.9
)
returns table (
    group_key text,
    period date,
    last_number bigint,
    last_possible bigint,
    reason text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series;
    v_limit bigint;
    v_reason text := 'max_number';
    v_max_length integer;
begin
    select s.* into v_series from seqctl.series s where s.id = p_series_id;
    v_limit := v_series.max_number;
    if coalesce(v_limit > 2147483647, true) and exists (
        select from seqctl.attachment a
        join pg_attribute n on n.attrelid = a.target and n.attname = a.number_column
        where a.series_id = p_series_id and n.atttypid = 'integer'::regtype
    ) then
        v_limit := 2147483647;
        v_reason := 'integer column';
    end if;
    -- Tables without a document number column do not care how long it would be.
    if not exists (select from seqctl.attachment a where a.series_id = p_series_id)
        or exists (select from seqctl.attachment a where a.series_id = p_series_id and a.document_number_column is not null)
    then
        v_max_length := v_series.max_length;
    end if;
    if num_nonnulls(v_limit, v_max_length) = 0 then
        return;
    end if;

    return query execute format(
        $query$
        select
            c.group_key,
            c.period,
            c.last_number,
            greatest(least($2, l.number), c.last_number),
            case when l.number < coalesce($2, 9223372036854775807) then 'max_length' else $3 end
        from (
            select
                c.*,
                least(floor($4 - 1 + (c.last_number - $4 + 1) / $5) + 1, 999999999999999999)::int8 as beyond
            from seqctl.counter c
            where c.series_id = $1 and not c.closed and c.last_number >= $4
        ) c
        left join lateral (
            select coalesce(max(n.number), $4 - 1) as number
            from (select power(10::numeric, digits)::int8 - 1 from generate_series(1, 18) digits) n (number)
            where length(%1$s) <= $6
        ) l on length(%2$s) > $6
        where c.beyond > $2 or l.number is not null
        $query$,
        seqctl._document_number_expression(
            v_series.format, v_series.fiscal_year_start, 'n.number', 'date ''2001-12-31''', 'c.group_key'),
        seqctl._document_number_expression(
            v_series.format, v_series.fiscal_year_start, 'c.beyond', 'date ''2001-12-31''', 'c.group_key')
    )
    using p_series_id, v_limit, v_reason, v_series.first_number, p_share, v_max_length;
end
$function$;

comment on function seqctl._near_limit(integer, numeric) is
    'The counters of a series that have used this share of their numbers: the last one that is possible, and what limits it.';

revoke all on function seqctl._near_limit(integer, numeric) from public;
