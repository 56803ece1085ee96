-- The work is done by a trigger of seqctl.pending (_number_now), so that the UPDATE stands one level deep in triggers: at the top
-- settle_update would refuse it, like that of anybody who writes a number by hand.
create or replace function seqctl._number_pending(
    p_target regclass,
    p_number_column name,
    p_max_rows bigint,
    p_search_path text
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment seqctl.attachment;
    v_id bigint;
    v_count bigint;
begin
    -- Callers wait for each other here. Later one could have locked rows that came in meanwhile, and wait for a counter of the other's.
    select a.* into v_attachment
    from seqctl.attachment a
    where a.target = p_target and a.number_column = p_number_column
    for no key update;
    if not found then
        perform seqctl._attached(p_target, p_number_column);
    elsif v_attachment.write_function is null then
        raise exception using
            errcode = 'SQ026',
            message = format('%s.%I is attached so that each row gets its number in its INSERT', p_target, p_number_column),
            detail = 'Rows without a number are from before attach, or came in behind the triggers.',
            hint = 'To number them, in one transaction: detach, attach with assign => ''manual'', call number_pending(), detach, and attach as it was. '
                'For drafts, attach with issue_when.';
    elsif p_max_rows < 1 then
        raise exception using
            errcode = 'SQ026',
            message = format('max_rows is %s', p_max_rows),
            hint = 'Use 1 or more, or leave it out for all pending rows.';
    end if;
    insert into seqctl.pending (attachment_id, row_count, max_rows, search_path)
    values (v_attachment.id, 0, p_max_rows, p_search_path)
    returning id into v_id;
    delete from seqctl.pending p where p.id = v_id returning p.row_count into v_count;
    return v_count;
end
$function$;

comment on function seqctl._number_pending(regclass, name, bigint, text) is 'What number_pending() does, with the rights of seqctl''s owner.';

revoke all on function seqctl._number_pending(regclass, name, bigint, text) from public;
