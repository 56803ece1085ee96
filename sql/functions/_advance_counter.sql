-- Numbers without a row of an attached table: next_number() and allocate(), which also add them to the hash chain.
create or replace function seqctl._advance_counter(
    p_series seqctl.series,
    p_group_key text,
    p_on_date date,
    p_how_many bigint,
    out recycled bigint[],
    out last_number bigint
)
language plpgsql
volatile
as $function$
declare
    v_period date := seqctl._period(p_series, p_group_key, p_on_date);
    v_counter text := seqctl._counter_text(v_period, p_group_key);
    v_held text;
    v_last bigint;
    v_row_id tid;
    v_waits boolean := false;
    v_more bigint := p_how_many;
    v_landed bigint;
    v_taken int8multirange;
    v_now seqctl.series;
    v_latest timestamp;
begin
    recycled := '{}';
    perform seqctl._rest(p_series.id);
    v_held := seqctl._held(p_series.id, v_counter);
    if v_held is not null and not exists (select from seqctl.attachment a where a.series_id = p_series.id) then
        -- By ctid: a key look-up would walk every version of the row that this transaction made.
        update seqctl.counter c
        set last_number = c.last_number + p_how_many
        where c.ctid = nullif(split_part(v_held, ' ', 2), '')::tid
            and c.series_id = p_series.id
            and c.group_key = p_group_key
            and c.period = v_period
            and not c.stopped
        returning c.last_number, c.ctid into v_last, v_row_id;
    end if;
    if v_last is null then
        select l.last_number, l.row_id, l.waits into v_last, v_row_id, v_waits
        from seqctl._lock_counter(p_series.id, p_group_key, v_period) l;
        if v_waits then
            recycled := seqctl._take_waiting(p_series.id, p_group_key, v_period, p_how_many);
            v_more := p_how_many - cardinality(recycled);
            if v_more = 0 then
                last_number := v_last;
                return;
            end if;
            select l.row_id, l.waits into v_row_id, v_waits
            from seqctl._lock_counter(p_series.id, p_group_key, v_period) l;
        end if;
        v_landed := seqctl._landed(p_series.id, p_group_key, v_period, v_last);
        if v_landed is not null then
            v_latest := seqctl._check_chronology(p_series.id, p_group_key, v_period, v_last + 1, v_landed);
            perform seqctl._chain_settled(p_series.id, p_group_key, v_period, v_last + 1, v_landed);
        end if;
        v_taken := int8multirange(int8range(coalesce(v_landed, v_last), coalesce(v_landed, v_last) + v_more, '(]'));
        update seqctl.counter c
        set
            last_number = coalesce(v_landed, v_last) + v_more,
            last_at = greatest(c.last_at, v_latest),
            early_xid = case when v_landed is null then c.early_xid else pg_current_xact_id() end,
            early_from = case
                when v_landed is null then c.early_from
                when c.early_xid = pg_current_xact_id() then least(c.early_from, v_last + 1)
                else v_last + 1
            end,
            early_taken = case
                when c.early_xid = pg_current_xact_id() then coalesce(c.early_taken, '{}') + v_taken
                when v_landed is not null then v_taken
            end
        where c.ctid = v_row_id
            and c.series_id = p_series.id
            and c.group_key = p_group_key
            and c.period = v_period
        returning c.last_number, c.ctid into v_last, v_row_id;
    end if;
    -- Who alters a series locks its counters: what the series says now holds until this transaction ends.
    select s.* into v_now from seqctl.series s where s.id = p_series.id;
    if (v_now.reset, v_now.fiscal_year_start, v_now.chain) is distinct from (p_series.reset, p_series.fiscal_year_start, p_series.chain) then
        raise exception using
            errcode = '40001',
            message = format('series %L was altered while its first number was asked for', p_series.name),
            hint = 'Run the transaction again.';
    end if;
    if v_last > v_now.max_number then
        perform seqctl._refuse_number(p_series.id, p_group_key, v_period, v_last, v_now.max_number);
    end if;
    if strpos(p_group_key, E'\x01') = 0 then
        perform seqctl._hold(p_series.id, v_counter, v_row_id::text, 0, case when not v_waits then v_last + 1 end);
    end if;
    last_number := v_last;
end
$function$;

comment on function seqctl._advance_counter(seqctl.series, text, date, bigint) is 'Takes numbers from a counter: those that were released and waited, and the last of the others.';

revoke all on function seqctl._advance_counter(seqctl.series, text, date, bigint) from public;
