-- At the end of the statement, so that seqctl's own ways need no secret sign: a checkout has put a new row in the place of the counter's, a
-- series was dropped before its counters, and a removal is recorded before it is done.
create or replace function seqctl._refuse_counter_removal()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series;
begin
    select s.* into v_series from seqctl.series s where s.id = old.series_id;
    if not found
        or exists (
            select
            from seqctl.counter c
            where c.series_id = old.series_id
                and c.group_key = old.group_key
                and c.period = old.period
                and c.last_number >= old.last_number
                and c.closed = old.closed
        )
        or exists (
            select
            from seqctl.counter_correction r
            where r.series_id = old.series_id
                and r.group_key = old.group_key
                and r.period = old.period
                and r.kind = 'removed'
                and r.recorded_xid = pg_current_xact_id_if_assigned()
        )
    then
        return null;
    end if;
    raise exception using
        errcode = 'SQ043',
        message = format('%s of the counter of %s is refused', tg_op, seqctl._counter_name(v_series, old.group_key, old.period)),
        detail = format('It is at %s. Without it, numbers that were given would be given again. Nothing was changed.', old.last_number),
        hint = 'If it gave no number that is in use: seqctl.remove_counter(), or seqctl.lower_counter() to the last one that is.';
end
$function$;

comment on function seqctl._refuse_counter_removal() is
    'Trigger: raises SQ043 unless a deleted counter is there again, is recorded as removed, or was that of a series that is gone.';

revoke all on function seqctl._refuse_counter_removal() from public;
