create or replace function seqctl.drop_series(name text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series := seqctl._series(name);
    v_use text;
begin
    -- Against a number or an attachment that another session is making at this moment.
    perform from seqctl.series s where s.id = v_series.id for update;
    if not found then
        -- Another session has dropped it.
        perform seqctl._series(name);
    end if;
    select string_agg(format('%s.%I', a.target, a.number_column), ', ' order by a.id) into v_use
    from seqctl.attachment a
    where a.series_id = v_series.id;
    if v_use is not null then
        raise exception using
            errcode = 'SQ004',
            message = format('series %L is in use: it numbers %s', name, v_use),
            hint = 'Detach the tables first, with seqctl.detach(). A series that has given numbers is kept for the auditor.';
    end if;
    if exists (select from seqctl.counter c where c.series_id = v_series.id and c.last_number >= v_series.first_number) then
        raise exception using
            errcode = 'SQ004',
            message = format('series %L has given numbers', name),
            hint = 'Keep it: an auditor may ask for it. A new series costs nothing.';
    end if;
    if exists (select from seqctl.checkout k where k.series_id = v_series.id) then
        raise exception using
            errcode = 'SQ004',
            message = format('series %L has had numbers checked out', name),
            hint = 'Keep it: seqctl.checkouts says what became of them. A new series costs nothing.';
    end if;
    if exists (select from seqctl.counter_correction r where r.series_id = v_series.id) then
        raise exception using
            errcode = 'SQ004',
            message = format('series %L has had a counter corrected', name),
            hint = 'Keep it: seqctl.counter_corrections says who did it, and why. A new series costs nothing.';
    end if;
    delete from seqctl.period_closing p where p.series_id = v_series.id;
    delete from seqctl.series s where s.id = v_series.id;
    -- After the series, or it would be refused (see _refuse_counter_removal).
    delete from seqctl.counter c where c.series_id = v_series.id;
end
$function$;

comment on function seqctl.drop_series(text) is 'Removes a series that was never used.';

revoke all on function seqctl.drop_series(text) from public;
