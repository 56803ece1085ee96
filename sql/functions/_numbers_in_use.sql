-- The highest number of a counter that something says was given, above p_above if that is given. The caller holds the locks of
-- the series and the counter, so that nothing is added meanwhile but by its own transaction.
--
-- The number of a finalized checkout left the database, whatever became of its row. Of a chain no link can be taken back. What an adoption
-- accepted (dates that run against numbers) counts rows up to a number.
create or replace function seqctl._numbers_in_use(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_above bigint default null,
    out highest bigint,
    out reasons text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_row bigint;
begin
    begin
        select t.highest into v_row
        from seqctl._table_numbers(
            p_series_id, p_group_key, p_period, coalesce(p_above, -9223372036854775807) + 1, 9223372036854775807) t;
    exception when data_exception then
        -- One of the tables cannot have such a group, as a column of integers cannot have 'acme'. Others may.
        select max(n.number) into v_row
        from seqctl._attached_numbers(p_series_id) n
        where n.group_key = p_group_key and n.period = p_period and (n.number > p_above) is not false;
    end;

    select u.number, string_agg(u.reason, ', ' order by u.place) into highest, reasons
    from (
        select
            1 as place,
            v_row as number,
            'a row of '
                || (
                    select string_agg(a.target::text, ' or ' order by a.id)
                    from seqctl.attachment a
                    join pg_class c on c.oid = a.target
                    where a.series_id = p_series_id
                )
                || ' has it' as reason
        union all
        (
            select 2, r.to_number, case r.kind when 'void' then 'it is void' else 'it is recorded as missing since before adoption' end
            from seqctl.voided_range r
            where r.series_id = p_series_id and r.group_key = p_group_key and r.period = p_period
            -- They do not overlap.
            order by r.from_number desc
            limit 1
        )
        union all
        (
            select
                3,
                k.number,
                case k.state
                    when 'open' then 'it is checked out'
                    when 'finalized' then 'it was checked out, and finalized'
                    else 'it was released, and waits to be given again'
                end
            from seqctl.checkout k
            where k.series_id = p_series_id
                and k.group_key = p_group_key
                and k.period = p_period
                and (k.state <> 'released' or k.stops)
            order by k.number desc
            limit 1
        )
        union all
        select 4, max(k.number), 'the hash chain has a link of it'
        from seqctl.chain_link k
        where k.series_id = p_series_id and k.group_key = p_group_key and k.period = p_period
        union all
        select 5, max(i.to_number), 'dates that run against numbers were accepted up to it'
        from seqctl.accepted_inversion i
        where i.series_id = p_series_id and i.group_key = p_group_key and i.period = p_period
    ) u
    where (u.number > p_above) is not false and u.number is not null
    group by u.number
    order by u.number desc
    limit 1;
end
$function$;

comment on function seqctl._numbers_in_use(integer, text, date, bigint) is
    'The highest number of a counter that is in use, and by what; NULL if there is none.';

revoke all on function seqctl._numbers_in_use(integer, text, date, bigint) from public;
