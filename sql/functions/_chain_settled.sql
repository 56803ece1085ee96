-- Adds the rows that were settled from the tables themselves (see _settle_odd), if the series keeps a chain: the numbers that the counter, which is
-- locked, passes with them. Rows of a statement that is still running are visible to it.
-- p_replacing: they may have links without a row, of finalize(), which theirs replace.
-- row_security = off: a policy that hides rows would make a chain with holes; PostgreSQL raises an error instead.
create or replace function seqctl._chain_settled(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_from bigint,
    p_to bigint,
    p_replacing boolean default false
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
begin
    if not exists (select from seqctl.series s where s.id = p_series_id and s.chain) then
        return;
    end if;
    execute 'with counter as (select $1 as group_key, $2 as period), ' || seqctl._chain_query(p_series_id, 'counter', (
        select string_agg(
            format(
                'select q.*, %s as replaces from (%s and %s and %I between $3 and $4) q',
                case when p_replacing then format(
                    '(
                        select max(k.ordinal)
                        from seqctl.chain_link k
                        where k.series_id = %s and k.group_key = $1 and k.period = $2 and k.number = q.number and k.content is null
                    )', p_series_id)
                else 'null::int8' end,
                seqctl._chain_source(a), seqctl._counter_condition(a, '$1', '$2'), a.number_column
            ),
            ' union all ' order by a.id
        )
        from seqctl.attachment a
        join pg_class t on t.oid = a.target and t.relkind in ('r', 'p')
        where a.series_id = p_series_id
    )) || ' select'
    using p_group_key, p_period, p_from, p_to;
end
$function$;

comment on function seqctl._chain_settled(integer, text, date, bigint, bigint, boolean) is
    'Adds the rows with these numbers, from whichever table of the series, to the hash chain of their counter.';

revoke all on function seqctl._chain_settled(integer, text, date, bigint, bigint, boolean) from public;
