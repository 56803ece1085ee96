create or replace function seqctl.allocate(
    series text,
    group_key text default '',
    on_date date default null,
    how_many integer default 1
)
returns table (number bigint, document_number text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._series(series);
    v_taken record;
    v_numbers bigint[];
    v_document_numbers text[];
    v_recycled bigint;
begin
    if how_many is null or how_many < 1 or how_many > 1000000 then
        raise exception using
            errcode = 'SQ016',
            message = format('how_many is %s', coalesce(how_many::text, 'NULL')),
            hint = 'Ask for 1 to 1000000 numbers.';
    end if;
    v_taken := seqctl._advance_counter(v_series, group_key, on_date, how_many);
    -- Read again: it may have been altered while the counter was waited for.
    v_series := seqctl._series(series);
    v_recycled := cardinality(v_taken.recycled);
    v_numbers := v_taken.recycled
        || array(select generate_series(v_taken.last_number - how_many + v_recycled + 1, v_taken.last_number));
    -- Made once, because some of it may be random.
    v_document_numbers := array(
        select seqctl._document_number(v_series, n.number, on_date, allocate.group_key)
        from unnest(v_numbers) with ordinality as n (number, position)
        order by n.position
    );
    if v_series.chain then
        perform seqctl._extend_chain(
            v_series.id, group_key, seqctl._period(v_series, group_key, on_date), n.number, v_document_numbers[n.position], on_date)
        from unnest(v_taken.recycled) with ordinality as n (number, position);
        perform seqctl._extend_chain_run(
            v_series.id, group_key, seqctl._period(v_series, group_key, on_date), v_numbers[v_recycled + 1],
            v_document_numbers[v_recycled + 1:], on_date);
    end if;
    return query
    select n.number, n.document_number
    from unnest(v_numbers, v_document_numbers) with ordinality as n (number, document_number, position)
    order by n.position;
end
$function$;

comment on function seqctl.allocate(text, text, date, integer) is
    'Several numbers at once with their document numbers, for rows that the application writes itself in the same transaction.';

revoke all on function seqctl.allocate(text, text, date, integer) from public;
