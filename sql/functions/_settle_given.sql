-- Rows of a statement have numbers that the counter has passed. Right are only those of checkouts: finalized ones that no row has had yet,
-- with the document numbers that left the database, and released ones that waited to be given again; neither wait after that. Each must be in
-- one row of one table. Nothing is believed that a trigger before the row found out.
-- What this transaction has settled already is right, too: a late partition settles its rows, and then the statement on the parent does.
--
-- The rows of seqctl.checkout are the proof: of those who store one number, and who void it, the second waits for the first and finds it taken
-- (in REPEATABLE READ: 40001). The series' row is shared, which who adopts a table with numbers has locked: his rows are seen.
--
-- p_documents goes with p_numbers; NULL where the table has no column for them.
create or replace function seqctl._settle_given(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_floor bigint,
    p_numbers bigint[],
    p_documents text[] default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_taken bigint[];
    v_again bigint[];
    v_odd bigint;
    v_rows bigint;
    v_document text;
    v_checkout seqctl.checkout;
    v_latest timestamp;
begin
    perform from seqctl.series s where s.id = p_series_id for share;
    with taken as (
        update seqctl.checkout k
        set
            awaited = false,
            taken_xid = pg_current_xact_id()
        from unnest(p_numbers, p_documents) as n (number, document)
        where k.series_id = p_series_id
            and k.group_key = p_group_key
            and k.period = p_period
            and k.state = 'finalized'
            and k.awaited
            and k.number = n.number
            and (p_documents is null or k.document_number = n.document)
        returning k.number
    )
    select array(select t.number from taken t) into v_taken;
    v_again := array(
        select k.number
        from seqctl.checkout k
        join unnest(p_numbers, p_documents) as n (number, document) on n.number = k.number
        where k.series_id = p_series_id
            and k.group_key = p_group_key
            and k.period = p_period
            and k.state = 'finalized'
            and k.taken_xid = pg_current_xact_id_if_assigned()
            and k.number <> all (v_taken)
            and (p_documents is null or k.document_number = n.document)
    );
    if cardinality(v_taken || v_again) < cardinality(p_numbers) then
        perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
        with taken as (
            update seqctl.checkout k
            set
                stops = false,
                taken_xid = pg_current_xact_id()
            where k.series_id = p_series_id
                and k.group_key = p_group_key
                and k.period = p_period
                and k.state = 'released'
                and k.stops
                and k.number = any (p_numbers)
            returning k.number
        )
        select v_taken || array(select t.number from taken t) into v_taken;
        perform seqctl._mark_stopped(p_series_id, p_group_key, p_period);
    end if;
    if cardinality(v_taken || v_again) < cardinality(p_numbers) then
        v_again := v_again || array(
            select k.number
            from seqctl.checkout k
            where k.series_id = p_series_id
                and k.group_key = p_group_key
                and k.period = p_period
                and k.state = 'released'
                and k.taken_xid = pg_current_xact_id_if_assigned()
                and k.number <> all (v_taken)
                and k.number = any (p_numbers)
        );
    end if;
    select n.number, n.document, t.row_count into v_odd, v_document, v_rows
    from unnest(p_numbers, p_documents) as n (number, document)
    cross join lateral seqctl._table_numbers(p_series_id, p_group_key, p_period, n.number, n.number) t
    where t.row_count <> 1 or n.number <> all (v_taken || v_again)
    limit 1;
    if v_odd is null then
        if exists (select from seqctl.attachment a where a.series_id = p_series_id and a.chronology <> 'off') then
            perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
            select max(seqctl._check_chronology(p_series_id, p_group_key, p_period, n.number, n.number)) into v_latest
            from unnest(v_taken) as n (number);
            update seqctl.counter c
            set last_at = v_latest
            where c.series_id = p_series_id
                and c.group_key = p_group_key
                and c.period = p_period
                and (c.last_at is null or c.last_at < v_latest);
        end if;
        if exists (select from seqctl.series s where s.id = p_series_id and s.chain) then
            perform seqctl._lock_counter_row(p_series_id, p_group_key, p_period);
            perform seqctl._chain_settled(p_series_id, p_group_key, p_period, n.number, n.number, true)
            from unnest(v_taken) as n (number)
            order by n.number;
        end if;
        return;
    end if;

    select k.* into v_checkout
    from seqctl.checkout k
    where k.series_id = p_series_id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.number = v_odd
        and k.state = 'finalized';
    if not found then
        perform seqctl._refuse_hole(
            p_series_id, p_group_key, v_odd, v_odd, p_floor - 1, 'It was given before, or is there twice. Nothing was inserted.');
    end if;
    raise exception using
        errcode = 'SQ012',
        message = format(
            '%s is not for this row, though its checkout was finalized',
            seqctl._checkout_text((select s from seqctl.series s where s.id = p_series_id), v_checkout)),
        detail = case
            when v_rows > 1 then 'Another row has it.'
            when v_checkout.awaited
                then format('It was checked out as %L, and the document number of the row is %L.', v_checkout.document_number, v_document)
            when exists (
                select
                from seqctl.voided_range r
                where r.series_id = p_series_id
                    and r.group_key = p_group_key
                    and r.period = p_period
                    and v_odd between r.from_number and r.to_number
            ) then 'It is void.'
            else 'Another row had it.'
        end || ' Nothing was inserted.',
        hint = 'Look for the document first; an INSERT that may be repeated needs ON CONFLICT.';
end
$function$;

comment on function seqctl._settle_given(integer, text, date, bigint, bigint[], text[]) is
    'Accepts rows whose numbers were checked out, or raises SQ012 or SQ013.';

revoke all on function seqctl._settle_given(integer, text, date, bigint, bigint[], text[]) from public;
