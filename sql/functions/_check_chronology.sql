-- Dates must not run against numbers. Of rows that a counter is about to take in, whichever tables of the series they are in, the dates are
-- compared in the order of the numbers: with each other and with the latest date of the counter; or, where the counter has passed them
-- (numbers of checkouts), with the nearest ones below and above. Returns the latest date of these rows; NULL where no chronology is kept.
--
-- The fast way, one comparison with counter.last_at, is in settle itself: this is where rows are settled from the tables (see _settle_odd), and
-- refused. p_from is the lowest number, p_to the highest. The caller holds the counter's lock. Rows of a statement that is still running are visible
-- to it.
-- row_security = off: a policy that hides rows would make a wrong answer; PostgreSQL raises an error instead.
create or replace function seqctl._check_chronology(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_from bigint,
    p_to bigint
)
returns timestamp
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
declare
    v_counter seqctl.counter;
    v_near text := '';
    v_union text;
    v_date_type regtype;
    v_found record;
    v_dated text;
    v_before text;
begin
    select c.* into v_counter
    from seqctl.counter c
    where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
    if p_to < v_counter.last_number then
        v_counter.last_at := null;
        v_near := ' union all (select %1$s, %2$I, %3$s, %6$s from %4$s where %5$s and %2$I < $3 order by %2$I desc limit 1)'
            ' union all (select %1$s, %2$I, %3$s, %6$s from %4$s where %5$s and %2$I > $4 order by %2$I limit 1)';
    end if;
    select
        string_agg(
            format(
                '(select %1$s as attachment_id, %2$I::int8 as number, %3$s as dated, %6$s as clock from %4$s where %5$s and %2$I between $3 and $4)' || v_near,
                a.id, a.number_column,
                format(
                    case when t.date_type = 'timestamptz'::regtype then 'timezone(''UTC'', %I)' else '%I::timestamp' end, a.date_column),
                a.target, seqctl._counter_condition(a, '$1', '$2'),
                case
                    when a.chronology <> 'stamp' then 'null::timestamp'
                    else seqctl._clock_expression(t.date_type, s.time_zone)
                end
            ),
            ' union all ' order by a.id
        ),
        max(t.date_type::oid)::regtype
    into v_union, v_date_type
    from seqctl.attachment a
    join seqctl.series s on s.id = a.series_id
    join pg_class c on c.oid = a.target
    join pg_attribute d on d.attrelid = a.target and d.attname = a.date_column and not d.attisdropped
    cross join lateral (select seqctl._base_type(d.atttypid)::regtype as date_type) t
    where a.series_id = p_series_id and a.chronology <> 'off';
    if v_union is null then
        return null;
    end if;
    execute
        'with numbered as materialized (' || v_union || '),
        ordered as (
            select
                n.*,
                greatest(
                    max(n.dated) filter (where n.number <= $4) over (order by n.number rows between unbounded preceding and 1 preceding),
                    $5
                ) as before
            from numbered n
        )
        select
            (select max(o.dated) from ordered o where o.number between $3 and $4) as latest,
            f.*
        from (select) one
        left join (
            select
                case when o.number > $4 then (select n.attachment_id from numbered n where n.number = $4 limit 1) else o.attachment_id end
                    as attachment_id,
                o.number,
                o.dated,
                o.before,
                o.dated > o.before as is_ahead,
                count(*) over () as row_count
            from ordered o
            where o.number >= $3 and (o.dated < o.before or o.number <= $4 and o.dated > greatest(o.clock, o.before) and o.clock is not null)
            order by o.number
            limit 1
        ) f on true'
    into v_found
    using p_group_key, p_period, p_from, p_to, v_counter.last_at;
    if v_found.number is null then
        return v_found.latest;
    elsif v_found.is_ahead is not false then
        -- Somebody wrote the date by hand, and says that it was seqctl.
        raise exception using
            errcode = 'SQ021',
            message = (
                select format('%s.%I: a document cannot be dated in the future', a.target, a.number_column)
                from seqctl.attachment a
                where a.id = v_found.attachment_id
            ),
            detail = 'Its date is stamped when it gets its number. Nothing was numbered.',
            hint = 'Leave number and date to seqctl.';
    end if;

    -- Of a row above, it is the one below that is about to be taken in.
    select
        case v_date_type
            when 'date'::regtype then at.dated::date::text
            when 'timestamp'::regtype then at.dated::text
            else timezone('UTC', at.dated)::text
        end,
        case v_date_type
            when 'date'::regtype then at.before::date::text
            when 'timestamp'::regtype then at.before::text
            else timezone('UTC', at.before)::text
        end
    into v_dated, v_before
    from (values (v_found.dated, v_found.before)) as at (dated, before);
    raise exception using
        errcode = 'SQ021',
        message = format(
            case when v_found.number > p_to then '%1$s: a document dated %3$s cannot precede one dated %2$s'
                else '%1$s: a document dated %2$s cannot follow one dated %3$s' end,
            (select format('%s.%I', a.target, a.number_column) from seqctl.attachment a where a.id = v_found.attachment_id),
            v_dated, v_before
        ),
        detail = concat(
            format('Series %L keeps dates in the order of its numbers. ', (select s.name from seqctl.series s where s.id = p_series_id)),
            case when v_found.row_count > 1 then format('It is the first of %s that run against it. ', v_found.row_count) end,
            'Nothing was numbered.'
        ),
        hint = case
            when v_found.number > p_to then format('Date it %s or earlier.', v_dated)
            when v_found.row_count > 1 then format('Insert them in the order of their dates, %s or later.', v_before)
            else format('Date it %s or later.', v_before)
        end;
end
$function$;

comment on function seqctl._check_chronology(integer, text, date, bigint, bigint) is
    'The latest date of numbers that are settled; raises SQ021 where dates run against numbers.';

revoke all on function seqctl._check_chronology(integer, text, date, bigint, bigint) from public;
