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
    elsif not seqctl._is_complete(v_attachment) then
        raise exception using
            errcode = 'SQ006',
            message = format('%s has another primary key than when it was attached', v_attachment.target),
            detail = format(
                'Its rows are found by (%s), and the key is (%s) now. Nothing was changed.',
                array_to_string(v_attachment.row_keys, ', '), array_to_string(seqctl._row_key_texts(v_attachment.target), ', ')),
            hint = 'In one transaction, seqctl.detach() and seqctl.attach() the table again: attach makes what finds them.';
    end if;
end
$function$;

comment on function seqctl._refuse_incomplete(integer) is 'Raises SQ006 where a table has lost a column, or the primary key, that it is attached by.';

revoke all on function seqctl._refuse_incomplete(integer) from public;
