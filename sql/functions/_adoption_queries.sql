-- The SQL that adopt() runs with the rights of its caller: the report, and the UPDATE that writes numbers which stand in a text only.
--
-- The report is one pass: the rows with what they say, in the order of their numbers; only what is odd goes on from there, and is
-- summed up and cut to $1 lines a kind. An end of a counter is odd, too: it tells the counter's last number. Numbers that a counter knows
-- already are no gaps: whatever is missing there was missing before.
create or replace function seqctl._adoption_queries(
    p_attachment seqctl.attachment,
    out report text,
    out fill text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_values jsonb := seqctl._adoption_values(p_attachment);
    v_shown text := quote_literal(case when p_attachment.chronology = 'off' then 'YYYY-MM-DD' else 'YYYY-MM-DD HH24:MI:SS.US' end);
begin
    report := seqctl._fill(
        $template$
with source as (
    select
        r.group_key,
        r.period,
        r.dated,
        r.text,
        case
            when p.problem in ('without_group', 'without_date') or p.problem = 'text_disagrees' and r.given is null then null
            else coalesce(r.given, x.parsed)
        end as number,
        r.given,
        true as is_own,
        r.given is null as is_read,
        case when r.given is not null or r.text is not null or r.due then p.problem end as problem,
        case
            when p.problem = 'text_disagrees' then x.note
            when p.problem = 'without_date' and r.on_date is not null then 'it is dated ' || r.on_date
            when p.problem = 'without_group' and r.group_key is not null then 'it has ' || octet_length(r.group_key) || ' bytes'
        end as note
    from (
        select
            (<<group>>) collate "C" as group_key,
            <<date>> as on_date,
            <<period>> as period,
            <<dated>> as dated,
            <<text>> as text,
            i.<<number>>::int8 as given,
            coalesce(<<due>>, false) as due
        from <<target>> i
        offset 0
    ) r<<read>>
    cross join lateral (
        select
            case
                when r.given is null and r.text is null then 'without_number'
                when r.given is null and x.parsed is null then case when r.due then 'unreadable_text' else 'draft_text' end
                when r.group_key is null or octet_length(r.group_key) > 1000 then 'without_group'
                when <<needs_date>> and (r.on_date is null or r.on_date not between '0001-01-01' and '9999-12-31') then 'without_date'
                when x.note is not null then 'text_disagrees'
                when not r.due then 'draft_with_number'
                when x.is_padded or r.text is not null and x.parsed is null then 'text_unlike_format'
                when <<reads_text>> and r.text is null then 'without_text'
            end as problem
        offset 0
    ) p<<others>>
),
ordered as (
    select
        s.*,
        greatest(<<first_number>> - 1, c.last_number) as floor,
        lag(s.number) over w as previous,
        lead(s.number) over w as next,
        lag(s.dated) over w as previous_dated,
        lag(s.is_own) over w as previous_is_own,
        first_value(s.number) over w as lowest,
        count(*) filter (where s.is_own) over w as own_rows,
        count(*) filter (where s.is_own and s.is_read) over w as read_rows
    from source s
    left join seqctl.counter c on c.series_id = <<series_id>> and c.group_key = s.group_key and c.period = s.period
    window w as (partition by s.group_key, s.period order by s.number rows unbounded preceding)
),
found as (
    select
        f.severity,
        f.finding,
        o.group_key,
        o.period,
        f.low,
        f.high,
        f.text,
        f.note,
        sum(f.row_count)::int8 as row_count,
        max(f.read_rows) as read_rows
    from ordered o
    cross join lateral (
        values
            (
                case
                    when o.problem in ('unreadable_text', 'without_group', 'without_date') then 'error'
                    when o.problem = 'text_disagrees' and (o.is_read or o.note ~ 'its number') then 'error'
                    else 'warning'
                end,
                o.problem, coalesce(o.number, o.given), coalesce(o.number, o.given), o.text, o.note, 1::int8, 0::int8
            ),
            (
                'error', case when o.is_own and o.number < <<first_number>> then 'below_first_number' end,
                o.number, o.number, o.text, null, 1, 0
            ),
            (
                'error', case when o.is_own and o.number > <<limit>> then 'above_max_number' end,
                o.number, o.number, o.text, null, 1, 0
            ),
            (
                'error', case when o.number = o.previous and (o.is_own or o.previous_is_own) then 'duplicate' end,
                o.number, o.number, null, null, case when o.number = o.next then 1 else 2 end, 0
            ),
            (
                'warning', case when o.number > greatest(o.previous, o.floor) + 1 then 'gap' end,
                greatest(o.previous, o.floor) + 1, o.number - 1, null, null, o.number - greatest(o.previous, o.floor) - 1, 0
            ),
            (
                'warning', case when o.dated < o.previous_dated and o.number > o.previous and (o.is_own or o.previous_is_own) then 'inversion' end,
                o.previous, o.number, null,
                case when o.dated < o.previous_dated and o.number > o.previous then
                    format('number %s is dated %s, number %s %s', o.previous, <<shown_before>>, o.number, <<shown>>)
                end, 1, 0
            ),
            (
                'info', case when o.number is not null and o.next is null and o.own_rows > 0 then 'counter' end,
                o.lowest, greatest(o.number, o.floor), null, null, o.own_rows, o.read_rows
            )
    ) f (severity, finding, low, high, text, note, row_count, read_rows)
    where (
            o.problem is not null
            or o.number < <<first_number>>
            or o.number > <<limit>>
            or o.number = o.previous
            or o.number > greatest(o.previous, o.floor) + 1
            or o.dated < o.previous_dated
            or o.next is null
        )
        and f.finding is not null
    group by 1, 2, 3, 4, 5, 6, 7, 8
),
ranked as (
    select
        f.*,
        row_number() over (partition by f.severity, f.finding order by f.group_key, f.period, f.low, f.text) as rank,
        count(*) over (partition by f.severity, f.finding) as total,
        (sum(f.row_count) over (partition by f.severity, f.finding))::int8 as total_rows,
        (sum(f.read_rows) over (partition by f.severity, f.finding))::int8 as total_read
    from found f
)
select
    n.severity,
    n.finding,
    n.group_key::text as group_key,
    seqctl._period_label(<<reset>>, <<fiscal_year_start>>, n.period) as period,
    n.low as from_number,
    n.high as to_number,
    n.text as document_number,
    n.row_count,
    n.note,
    n.total,
    n.total_rows,
    n.total_read
from ranked n
where n.rank <= $1
order by array_position('{error,warning,info}', n.severity), n.finding, n.rank$template$,
        v_values || jsonb_build_object(
            'shown', format('to_char(o.dated, %s)', v_shown),
            'shown_before', format('to_char(o.previous_dated, %s)', v_shown)
        )
    );

    if p_attachment.document_number_column is not null then
        -- Runs under the search_path of the caller, as the triggers of the table expect, so every name is written in full.
        fill := seqctl._fill(
            $template$
with filled as (
    update <<target>> t
    set <<number>> = s.parsed
    from (
        select r.row_id, r.table_id, x.parsed
        from (
            select
                <<group>> as group_key,
                <<date>> as on_date,
                <<text>> as text,
                null::pg_catalog.int8 as given,
                i.ctid as row_id,
                i.tableoid as table_id
            from <<target>> i
            where i.<<number>> is null
            offset 0
        ) r<<read>>
        where x.parsed is not null
    ) s
    where t.ctid operator(pg_catalog.=) s.row_id and t.tableoid operator(pg_catalog.=) s.table_id
    returning t.<<number>> operator(pg_catalog.=) s.parsed as is_right
)
select pg_catalog.count(*) filter (where f.is_right)
from filled f$template$,
            v_values
        );
    end if;
end
$function$;

comment on function seqctl._adoption_queries(seqctl.attachment) is 'SQL text of the queries of adopt(), which run with the rights of its caller.';

revoke all on function seqctl._adoption_queries(seqctl.attachment) from public;
