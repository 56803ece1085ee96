-- Takes the next number of a counter and writes down for whom.
--
-- Policies wait and fail: counter.last_number stays below the number until it is finalized, and the counter is stopped. A new row takes the
-- place of the counter's, for the sake of those who wait for its lock (see _lock_counter). Who makes a counter's row shares that of the
-- series (see _lock_series). Policy recycle: the number is given at once, or it is the lowest of those that were released.
create or replace function seqctl._checkout(
    p_series text,
    p_correlation_id text,
    p_group_key text,
    p_on_date date,
    p_ttl interval
)
returns seqctl.checkout
language plpgsql
volatile
as $function$
declare
    v_series seqctl.series := seqctl._series(p_series);
    v_now seqctl.series;
    v_period date;
    v_checkout seqctl.checkout;
    v_expired seqctl.checkout;
    v_is_out boolean := false;
    v_waited interval := '0';
    v_last bigint;
    v_row_id tid;
    v_landed bigint;
    v_number bigint;
begin
    perform seqctl._check_correlation_id(p_correlation_id);
    if p_ttl is null or p_ttl < '1 second' or p_ttl > '30 days' then
        raise exception using
            errcode = 'SQ033',
            message = format('ttl is %s', coalesce(p_ttl::text, 'NULL')),
            hint = 'Say how long the work may take at most: 1 second to 30 days, for example ttl => ''15 minutes''.';
    end if;
    v_period := seqctl._period(v_series, p_group_key, p_on_date);
    perform seqctl._rest(v_series.id);
    loop
        v_checkout := seqctl._find_checkout(v_series.id, p_correlation_id);
        if v_checkout.state <> 'released' then
            perform seqctl._refuse_other(v_series, v_checkout, p_group_key, p_on_date);
            return v_checkout;
        end if;
        -- Looked for again under the lock, and before anything is said of a checkout that is in the way: it may be this one.
        exit when v_row_id is not null;
        if v_is_out then
            v_waited := seqctl._await_checkout(v_series.id, p_group_key, v_period, v_waited);
        end if;
        select l.last_number, l.row_id into v_last, v_row_id
        from seqctl._lock_counter(v_series.id, p_group_key, v_period, false) l;
        v_is_out := v_row_id is null;
    end loop;

    perform from seqctl.series s where s.id = v_series.id for share;
    select s.* into v_now from seqctl.series s where s.id = v_series.id;
    if (v_now.reset, v_now.fiscal_year_start) is distinct from (v_series.reset, v_series.fiscal_year_start) then
        raise exception using
            errcode = '40001',
            message = format('series %L was altered meanwhile', p_series),
            hint = 'Run the transaction again.';
    end if;
    v_landed := seqctl._landed(v_series.id, p_group_key, v_period, v_last);
    if v_landed is not null then
        update seqctl.counter c
        set
            last_number = v_landed,
            early_xid = pg_current_xact_id(),
            early_from = case when c.early_xid = pg_current_xact_id() then least(c.early_from, v_last + 1) else v_last + 1 end,
            early_taken = case when c.early_xid = pg_current_xact_id() then c.early_taken end
        where c.series_id = v_series.id and c.group_key = p_group_key and c.period = v_period;
        v_last := v_landed;
    else
        -- No statement is running that was settled ahead: what comes now with a number of before comes with that of a checkout.
        update seqctl.counter c
        set early_xid = null, early_from = null, early_taken = null
        where c.series_id = v_series.id and c.group_key = p_group_key and c.period = v_period and c.early_xid = pg_current_xact_id();
    end if;
    if v_now.on_checkout = 'recycle' then
        if v_now.ttl_action = 'release' then
            for v_expired in
                select k.*
                from seqctl.checkout k
                where k.series_id = v_series.id
                    and k.group_key = p_group_key
                    and k.period = v_period
                    and k.state = 'open'
                    and k.expires_at <= clock_timestamp()
                order by k.number
            loop
                perform seqctl._end_checkout(v_expired, 'released', 'expired', null);
            end loop;
        end if;
        v_number := (seqctl._take_waiting(v_series.id, p_group_key, v_period, 1))[1];
    end if;
    v_number := coalesce(v_number, v_last + 1);
    if v_number > v_now.max_number then
        perform seqctl._refuse_number(v_now.id, p_group_key, v_period, v_number, v_now.max_number);
    end if;

    insert into seqctl.checkout as k (
        series_id, group_key, period, on_date, correlation_id, number, document_number, stops, expires_at
    )
    values (
        v_series.id, p_group_key, v_period, p_on_date, p_correlation_id, v_number,
        seqctl._document_number(v_now, v_number, p_on_date, p_group_key), v_now.on_checkout <> 'recycle', clock_timestamp() + p_ttl
    )
    on conflict (series_id, correlation_id) where state <> 'released' do nothing
    returning k.* into v_checkout;
    if not found then
        -- Another session used the correlation id meanwhile, for another counter.
        perform seqctl._refuse_other(v_now, seqctl._find_checkout(v_series.id, p_correlation_id), p_group_key, p_on_date);
        raise exception using
            errcode = '40001',
            message = format('correlation id %L was used and released meanwhile', p_correlation_id),
            hint = 'Run the transaction again.';
    end if;
    perform seqctl._check_checkout_date(v_now, v_checkout);
    if v_checkout.stops then
        with old as (
            delete from seqctl.counter c
            where c.series_id = v_series.id and c.group_key = p_group_key and c.period = v_period
            returning c.*
        )
        insert into seqctl.counter (series_id, group_key, period, last_number, last_at, closed, stopped, early_xid, early_from, early_taken)
        select o.series_id, o.group_key, o.period, o.last_number, o.last_at, o.closed, true, o.early_xid, o.early_from, o.early_taken
        from old o;
    end if;
    perform seqctl._mark_stopped(
        v_series.id, p_group_key, v_period, case when not v_checkout.stops then v_number end);
    return v_checkout;
end
$function$;

comment on function seqctl._checkout(text, text, text, date, interval) is 'What checkout() does.';

revoke all on function seqctl._checkout(text, text, text, date, interval) from public;
