-- One row that came into a partition without a settle trigger of its own, and whose number no other row has. The caller has locked the
-- checkout of that number, if there is one.
create or replace function seqctl._settle_late(
    p_attachment_id integer,
    p_group_key text,
    p_period date,
    p_number bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment seqctl.attachment;
    v_counter seqctl.counter;
    v_moved boolean;
    v_early boolean;
    v_floor bigint;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    select c.* into v_counter
    from seqctl.counter c
    where c.series_id = v_attachment.series_id and c.group_key = p_group_key and c.period = p_period;

    -- A row that an UPDATE moved here keeps a number given before; something was deleted from the table then.
    -- A number that a checkout still holds was in no row, so none was moved.
    v_moved := exists (
        select from pg_partition_tree(v_attachment.target) t where pg_stat_get_xact_tuples_deleted(t.relid) > 0
    )
    and not exists (
        select
        from seqctl.checkout k
        where k.series_id = v_attachment.series_id
            and k.group_key = p_group_key
            and k.period = p_period
            and k.number = p_number
            and (k.state = 'open' or k.awaited or k.stops)
    );
    v_early := v_counter.early_xid = pg_current_xact_id() and p_number >= v_counter.early_from
        and not p_number <@ coalesce(v_counter.early_taken, '{}');
    if p_number > v_counter.last_number is not false or (v_early is not true and not v_moved) then
        v_floor := seqctl._settle_odd(v_attachment.series_id, p_group_key, p_period, p_number, p_number);
        if v_floor is not null then
            perform seqctl._settle_given(v_attachment.series_id, p_group_key, p_period, v_floor, array[p_number]);
        end if;
    end if;
end
$function$;

comment on function seqctl._settle_late(integer, text, date, bigint) is
    'Settles a row of a partition that has no settle trigger yet.';

revoke all on function seqctl._settle_late(integer, text, date, bigint) from public;
