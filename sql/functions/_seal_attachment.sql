create or replace function seqctl._seal_attachment(
    p_attachment_id integer,
    p_unique_index name
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
declare
    v_attachment seqctl.attachment;
    v_had_numbers boolean := false;
    v_has_others boolean := false;
begin
    update seqctl.attachment a
    set unique_index = p_unique_index
    where a.id = p_attachment_id;
    select a.* into v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    -- A table can have numbers only where the series gave some. Where a policy hides rows, nobody can tell.
    if v_attachment.document_number_column is not null and exists (
        select from seqctl.counter c
        join seqctl.series s on s.id = c.series_id
        where s.id = v_attachment.series_id and c.last_number >= s.first_number
    ) then
        v_had_numbers := row_security_active(v_attachment.target);
        if not v_had_numbers then
            execute format(
                'select exists (select from %s i where i.%I is not null)', v_attachment.target, v_attachment.number_column
            ) into v_had_numbers;
        end if;
        update seqctl.attachment a set had_numbers = v_had_numbers where a.id = p_attachment_id;
    end if;
    if v_attachment.write_function is null and not row_security_active(v_attachment.target) then
        execute format(
            'select exists (select from %s i where i.%I is null)', v_attachment.target, v_attachment.number_column
        ) into v_has_others;
        if v_has_others then
            raise warning using
                message = format('%s has rows without a number, which stay as they are', v_attachment.target),
                detail = 'Only rows that are inserted from now on are numbered.',
                hint = 'To number the others first, in one transaction: detach, attach with assign => ''manual'', call number_pending(), detach, and attach as you did now.';
        end if;
    end if;
    if v_attachment.attached_at = now() then
        -- Later it would pass off an altered row as one that was there at attach.
        perform seqctl._chain_attached(p_attachment_id);
    end if;
    if v_attachment.chronology <> 'off' then
        -- The rows that are there already are the beginning of the order.
        execute seqctl._fill(
            'update seqctl.counter c
            set last_at = greatest(c.last_at, f.last_at)
            from (
                select <<row_group>> as group_key, <<row_period>> as period, max(<<row_at>>) as last_at
                from <<target>> i
                where i.<<number>> is not null
                group by 1, 2
            ) f
            where c.series_id = <<series_id>> and c.group_key = f.group_key and c.period = f.period',
            seqctl._attachment_values(p_attachment_id)
        );
    end if;
end
$function$;

comment on function seqctl._seal_attachment(integer, name) is 'Ends attach(): records the index, takes back the right to use the functions.';

revoke all on function seqctl._seal_attachment(integer, name) from public;
