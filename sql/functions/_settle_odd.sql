-- Settles a counter from the tables themselves, where the rows of one statement are not simply last + 1 ... last + n: a trigger
-- inserted more documents while the statement was running, so an inner statement is settled before the outer one, or the
-- rows came in through a partition, or with numbers that were checked out. Refuses whatever would be a hole or a duplicate, and dates that
-- run against numbers, of all rows that it settles: the outer statement's, too, which need not be looked at again then.
--
-- An inner statement settles the outer one's rows with its own; early_xid and early_from in the counter row are the proof of
-- it, for the outer one to find. No setting is trusted here.
--
-- What lies below all that this statement may take by itself can only be numbers of checkouts: then the bound is returned, and the caller,
-- who knows the rows, hands those below it to _settle_given. A statement with no others leaves the counter alone, which is not locked then.
create or replace function seqctl._settle_odd(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_low bigint,
    p_high bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_counter seqctl.counter;
    v_floor bigint;
    v_given record;
    v_new record;
    v_latest timestamp;
    v_limit bigint;
begin
    if p_high is null then
        perform seqctl._refuse_unnumbered(p_series_id, p_group_key);
    end if;
    select c.* into v_counter
    from seqctl.counter c
    where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
    if p_high <= v_counter.last_number is not true then
        perform seqctl._lock_counter(p_series_id, p_group_key, p_period);
        select c.* into v_counter
        from seqctl.counter c
        where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
    end if;

    v_floor := v_counter.last_number + 1;
    if v_counter.early_xid = pg_current_xact_id() then
        v_floor := least(v_floor, v_counter.early_from);
    end if;
    if p_high >= v_floor then
        -- Settled ahead were rows. What was checked out meanwhile is no row's, unless it was stored as such.
        select min(k.number) as number into v_given
        from seqctl.checkout k
        cross join lateral seqctl._table_numbers(p_series_id, p_group_key, p_period, k.number, k.number) t
        where k.series_id = p_series_id
            and k.group_key = p_group_key
            and k.period = p_period
            and k.number between greatest(p_low, v_floor) and least(p_high, v_counter.last_number)
            and (k.state = 'open' or k.awaited)
            and t.row_count > 0;
        if v_given.number is not null then
            perform seqctl._refuse_hole(
                p_series_id, p_group_key, p_low, p_high, v_floor - 1,
                format('Number %s was checked out while the statement was running. Nothing was inserted.', v_given.number));
        end if;
        -- Nor what next_number() took.
        if v_counter.early_xid = pg_current_xact_id() and v_counter.early_taken is not null then
            select n.taken, t.highest into v_given
            from unnest(v_counter.early_taken * int8multirange(int8range(greatest(p_low, v_floor), p_high, '[]'))) as n (taken)
            cross join lateral seqctl._table_numbers(p_series_id, p_group_key, p_period, lower(n.taken), upper(n.taken) - 1) t
            where t.row_count > 0
            limit 1;
            if found then
                perform seqctl._refuse_hole(
                    p_series_id, p_group_key, p_low, p_high, v_floor - 1,
                    format('Number %s was taken with next_number() or allocate() while the statement was running. Nothing was inserted.', v_given.highest));
            end if;
        end if;
        select t.* into v_given
        from seqctl._table_numbers(p_series_id, p_group_key, p_period, greatest(p_low, v_floor), p_high) t;
        select t.* into v_new
        from seqctl._table_numbers(p_series_id, p_group_key, p_period, v_counter.last_number + 1, 9223372036854775807) t;

        if v_given.row_count <> v_given.distinct_count
            or v_new.row_count <> v_new.distinct_count
            or v_new.row_count <> coalesce(v_new.highest - v_counter.last_number, 0)
        then
            perform seqctl._refuse_hole(
                p_series_id, p_group_key, p_low, p_high, v_floor - 1,
                format(
                    'The table would hold %s numbers above %s, the highest %s. Nothing was inserted.',
                    v_new.row_count, v_counter.last_number, coalesce(v_new.highest, v_counter.last_number)
                )
            );
        end if;

        if v_new.highest is not null then
            select s.max_number into v_limit from seqctl.series s where s.id = p_series_id;
            if v_new.highest > v_limit then
                -- The trigger that gives a number looks at it; not so where somebody wrote it, and says that it was seqctl.
                perform seqctl._refuse_number(p_series_id, p_group_key, p_period, v_new.highest, v_limit);
            end if;
            -- With the numbers of checkouts that this statement holds, which are below: the counter does not know their dates yet.
            v_latest := seqctl._check_chronology(
                p_series_id, p_group_key, p_period,
                case when p_low < v_floor then p_low else v_counter.last_number + 1 end, v_new.highest);
            perform seqctl._chain_settled(p_series_id, p_group_key, p_period, v_counter.last_number + 1, v_new.highest);
            update seqctl.counter c
            set
                last_number = v_new.highest,
                last_at = greatest(c.last_at, v_latest),
                early_xid = pg_current_xact_id(),
                early_from = v_floor,
                early_taken = case when c.early_xid = pg_current_xact_id() then c.early_taken end
            where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
        end if;
    end if;
    return case when p_low < v_floor then v_floor end;
end
$function$;

comment on function seqctl._settle_odd(integer, text, date, bigint, bigint) is
    'Settles a counter from the attached tables, or raises SQ013; returns the bound below which only numbers of checkouts are right.';

revoke all on function seqctl._settle_odd(integer, text, date, bigint, bigint) from public;
