-- BEFORE INSERT ROW, where rows get their numbers later; AFTER UPDATE ROW, where they get them in their INSERT, for rows from before
-- attach that have none. Arguments: attachment id, number column.
create or replace function seqctl._refuse_given()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_number text := to_jsonb(new) ->> tg_argv[1];
    v_attachment record;
begin
    if tg_op = 'INSERT' and v_number is not null and seqctl._is_moving(tg_argv[0]::integer, v_number::bigint) then
        -- An UPDATE moves the row here from another partition.
        return new;
    end if;
    select a.assign, a.series_id, s.name into v_attachment
    from seqctl.attachment a
    join seqctl.series s on s.id = a.series_id
    where a.id = tg_argv[0]::integer;
    if tg_op = 'UPDATE' then
        perform seqctl._refuse_unissued(format('%s.%I', tg_relid::regclass, tg_argv[1]), v_attachment.name);
    end if;
    raise exception using
        errcode = 'SQ012',
        message = format('%s.%I: a row came with a number, but series %L gives it later', tg_relid::regclass, tg_argv[1], v_attachment.name),
        detail = case v_attachment.assign
            when 'commit' then 'The transaction numbers its rows when it commits. No number was used.'
            else 'Rows are numbered by seqctl.number_pending(). No number was used.'
        end,
        hint = case
            when exists (
                select from seqctl.checkout k
                where k.series_id = v_attachment.series_id and k.number = v_number::bigint and k.state = 'finalized'
            ) then 'Only a table that is attached with assign => ''insert'' takes numbers that were checked out.'
            else 'Leave number and document number out of the INSERT.'
        end;
end
$function$;

comment on function seqctl._refuse_given() is 'Trigger: refuses a number that a statement brings.';

revoke all on function seqctl._refuse_given() from public;
