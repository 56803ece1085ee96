create or replace function seqctl._refuse_incomplete(p_attachment_id integer)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment seqctl.attachment;
    v_missing name;
begin
    select a.* into v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    v_missing := (seqctl._missing_columns(v_attachment))[1];
    if v_missing is not null then
        raise exception using
            errcode = 'SQ006',
            message = format('%s has no column %I any more, by which it is attached', v_attachment.target, v_missing),
            detail = 'It was renamed or dropped, and rows cannot be numbered without it. Nothing was changed.',
            hint = format('alter table %s rename column ... to %I; or seqctl.detach() it, and attach it with the new name.', v_attachment.target, v_missing);
    end if;
end
$function$;

comment on function seqctl._refuse_incomplete(integer) is 'Raises SQ006 where a table has lost a column that it is attached by.';

revoke all on function seqctl._refuse_incomplete(integer) from public;
