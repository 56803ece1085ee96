-- What the attached tables of a series hold of one counter: the truth that no setting can forge. Rows inserted earlier in
-- the same statement are visible to it. Called only where the counter row alone cannot tell (rows of a statement that is still
-- running), because it costs an index probe a table.
-- row_security = off: a policy that hides rows would make a wrong answer; PostgreSQL raises an error instead.
create or replace function seqctl._table_numbers(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_from bigint,
    p_to bigint,
    out row_count bigint,
    out distinct_count bigint,
    out highest bigint
)
language plpgsql
volatile
set row_security = off
as $function$
declare
    v_attachment seqctl.attachment;
    v_union text;
begin
    for v_attachment in
        -- Without those that were dropped.
        select a.*
        from seqctl.attachment a
        join pg_class c on c.oid = a.target
        where a.series_id = p_series_id
        order by a.id
    loop
        v_union := concat_ws(
            ' union all ',
            v_union,
            format(
                'select %I::pg_catalog.int8 as number from %s where %s and %1$I >= $3 and %1$I <= $4',
                v_attachment.number_column, v_attachment.target, seqctl._counter_condition(v_attachment, '$1', '$2')
            )
        );
    end loop;
    if v_union is null then
        row_count := 0;
        distinct_count := 0;
        return;
    end if;
    execute 'select count(*), count(distinct n.number), max(n.number) from (' || v_union || ') n'
    into row_count, distinct_count, highest
    using p_group_key, p_period, p_from, p_to;
end
$function$;

comment on function seqctl._table_numbers(integer, text, date, bigint, bigint) is
    'How many numbers of a counter the attached tables hold between two numbers, how many distinct, and the highest.';

revoke all on function seqctl._table_numbers(integer, text, date, bigint, bigint) from public;
