create or replace function seqctl._refuse_draft(p_what text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ012',
        message = format('%s: a draft came with a number', p_what),
        detail = 'The row does not meet issue_when, so it has no number yet. No number was used.',
        hint = 'Leave number and document number out of the statement; the row gets them when it is issued.';
end
$function$;

comment on function seqctl._refuse_draft(text) is 'Raises SQ012 for a number in a row that is not issued.';

revoke all on function seqctl._refuse_draft(text) from public;
