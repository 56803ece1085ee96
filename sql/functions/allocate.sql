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
    return query
    select n, seqctl._document_number(v_series, n, on_date, allocate.group_key)
    from (
        select r from unnest(v_taken.recycled) r
        union all
        select generate_series(v_taken.last_number - how_many + cardinality(v_taken.recycled) + 1, v_taken.last_number)
    ) as t (n);
end
$function$;

comment on function seqctl.allocate(text, text, date, integer) is
    'Several numbers at once with their document numbers, for rows that the application writes itself in the same transaction.';

revoke all on function seqctl.allocate(text, text, date, integer) from public;
